import { createHash } from 'node:crypto';
import { imageOwner } from '@captionfleet/protocol/blob-names';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type BlobReference, type ImageReference, imageLimits } from '@captionfleet/protocol/image-reference';
import type { BlobStore } from './blob-store.ts';
import { guardedAgent, type Resolve, resolveBySystem } from './guarded-agent.ts';
import { type FetchedImage, fetchImage } from './guarded-fetch.ts';

/** Where the bytes of an image come from. */
export interface ImageSource extends AsyncDisposable {
  /**
   * Throws URL_REFUSED, SOURCE_NOT_FOUND, SOURCE_UNAVAILABLE, STORAGE_UNAVAILABLE, IMAGE_TOO_LARGE or IMAGE_EMPTY; when
   * `signal` aborts, its reason.
   */
  fetch(reference: ImageReference, options?: { readonly signal?: AbortSignal | undefined }): Promise<FetchedImage>;
}

export interface ImageSourceConfig {
  /** Absent: blob references are refused. */
  readonly blobStore?: BlobStore | undefined;
  /**
   * Containers of the fleet's storage account whose blobs may be captioned. Of the fleet's own container only `images/`
   * can be read: the rest holds requests and captions.
   * @defaultValue none
   */
  readonly allowedContainers?: readonly string[];
  /**
   * `host:port` pairs, such as `images.intranet:8080`, that URLs may name although they are private or use another port.
   * @defaultValue none
   */
  readonly allowPrivateHosts?: readonly string[];
  /** Milliseconds for one image, from the look-up of its name to its last byte. @defaultValue 10 000 */
  readonly deadlineMs?: number;
  /** @defaultValue the resolver of the operating system */
  readonly resolve?: Resolve;
}

export function openImageSource(config: ImageSourceConfig = {}): ImageSource {
  const { blobStore, deadlineMs = 10_000 } = config;
  const exempt = new Set(config.allowPrivateHosts);
  const allowedContainers = new Set(config.allowedContainers);
  const agent = guardedAgent(exempt, config.resolve ?? resolveBySystem);

  const readBlob = async ({ blob }: BlobReference, signal: AbortSignal): Promise<FetchedImage> => {
    if (blobStore === undefined) {
      throw new CaptionfleetError('URL_REFUSED', 'no Blob storage is configured, so a blob cannot be read');
    }
    const isOwn = blob.container === blobStore.container;
    const isOwnImage = isOwn && imageOwner(blob.name) !== undefined;
    if (isOwn && !isOwnImage && !allowedContainers.has(blob.container)) {
      throw new CaptionfleetError(
        'URL_REFUSED',
        `of the fleet's own container "${blob.container}" only the images of requests are read, whose names begin with images/`,
      );
    }
    if (!isOwnImage && !allowedContainers.has(blob.container)) {
      throw new CaptionfleetError(
        'URL_REFUSED',
        `container "${blob.container}" is not among the containers that the fleet is configured to read images from`,
      );
    }
    const bytes = await blobStore.readFrom(blob.container, blob.name, { maxBytes: imageLimits.bytes, signal });
    const what = `blob "${blob.name}" of container "${blob.container}"`;
    if (bytes === undefined) throw new CaptionfleetError('SOURCE_NOT_FOUND', `there is no ${what}`);
    if (bytes.byteLength === 0) throw new CaptionfleetError('IMAGE_EMPTY', `${what} has no bytes`);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  };

  return {
    async fetch(reference, { signal } = {}) {
      const deadline = AbortSignal.timeout(deadlineMs);
      const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      try {
        if ('blob' in reference) return await readBlob(reference, stop);
        return await fetchImage(reference.url, { agent, exempt }, stop);
      } catch (error) {
        signal?.throwIfAborted();
        if (deadline.aborted) {
          throw new CaptionfleetError('SOURCE_UNAVAILABLE', `the image took longer than ${deadlineMs} ms to arrive`, {
            cause: error,
          });
        }
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}

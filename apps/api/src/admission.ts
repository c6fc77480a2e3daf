import { imageOwner } from '@captionfleet/protocol/blob-names';
import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import type { RecordImage } from '@captionfleet/protocol/image-outcome';
import {
  BlobReferenceSchema,
  type ImageReference,
  imageLimits,
  UrlReferenceSchema,
} from '@captionfleet/protocol/image-reference';
import { defaultTenant, type Tenant } from '@captionfleet/protocol/tenant';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { decodeInlineImage } from './inline-image.ts';
import { mapBounded } from './map-bounded.ts';
import { RefusedRequest } from './problem.ts';
import type { DoorImage } from './task-request.ts';

const uploadsAtOnce = 8;

/** An image as it comes to the door: by name, as text, or as its bytes. */
export type ArrivedImage = DoorImage | InlineImage;

/**
 * Looks at each image of a request by itself: one with a malformed URL, bad base64 or too many bytes is refused with its
 * own code while its neighbours go on. Inline images are stored, under the hash of their content, once all were looked at.
 *
 * @throws IMAGES_REFUSED when none is left, before anything is stored; STORAGE_UNAVAILABLE
 */
export async function admitImages(
  images: readonly ArrivedImage[],
  { tenant, requests }: { readonly tenant: Tenant; readonly requests: RequestStore },
  signal: AbortSignal,
): Promise<RecordImage[]> {
  const looked = images.map((image) => lookAt(image, tenant, requests.container));
  if (looked.every((image) => 'refused' in image)) {
    const [{ refused }] = looked as [{ refused: ErrorReport }];
    throw new RefusedRequest(
      'IMAGES_REFUSED',
      looked.length === 1
        ? `the image was refused: ${refused.message}`
        : `all ${looked.length} images were refused, the first because: ${refused.message}`,
      looked.map(({ refused: { code, message } }, index) => ({ pointer: `/images/${index}`, index, code, message })),
    );
  }
  return await storeInline(looked, requests, signal);
}

/** Stores the images that arrived as bytes, so that the record of each is a reference. */
export async function storeInline(
  looked: readonly LookedAt[],
  requests: RequestStore,
  signal: AbortSignal,
): Promise<RecordImage[]> {
  return await mapBounded(looked, uploadsAtOnce, async (image) => {
    if (!('bytes' in image)) return image;
    const { bytes, ...named } = image;
    return { ...named, source: (await requests.writeImage(bytes, { signal })).reference };
  });
}

/** An image at the door: refused, known by reference, or to be stored. */
export type LookedAt = RecordImage | InlineImage;

interface InlineImage {
  readonly customId?: string;
  readonly bytes: Uint8Array;
}

export function lookAt({ customId, ...image }: ArrivedImage, tenant: Tenant, ownContainer: string): LookedAt {
  const named = customId === undefined ? {} : { customId };
  try {
    if ('bytes' in image) return { ...named, bytes: checkedBytes(image.bytes) };
    if ('base64' in image) return { ...named, bytes: decodeInlineImage(image.base64) };
    const source = parseReference(image);
    if ('blob' in source && source.blob.container === ownContainer) assertOwned(source.blob.name, tenant);
    return { ...named, source };
  } catch (error) {
    if (error instanceof CaptionfleetError) return { ...named, refused: reportError(error) };
    throw error;
  }
}

function checkedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength === 0) throw new CaptionfleetError('IMAGE_EMPTY', 'the image has no bytes');
  if (bytes.byteLength <= imageLimits.bytes) return bytes;
  throw new CaptionfleetError('IMAGE_TOO_LARGE', `the image has more than ${imageLimits.bytes} bytes`);
}

/** In the fleet's own container every tenant reads its own images only. The operator may have opened the rest to the default tenant. */
function assertOwned(name: string, tenant: Tenant): void {
  const owner = imageOwner(name) ?? (name.startsWith('tenants/') ? undefined : defaultTenant);
  if (owner === tenant) return;
  throw new CaptionfleetError('URL_REFUSED', `blob "${name}" is not an image that you sent`);
}

function parseReference(image: { readonly url: string } | { readonly blob: object }): ImageReference {
  const parsed = 'url' in image ? UrlReferenceSchema.safeParse(image) : BlobReferenceSchema.safeParse(image);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const code = 'url' in image ? 'URL_REFUSED' : 'SOURCE_NOT_FOUND';
  throw new CaptionfleetError(code, `${issue?.path.join('.')}: ${issue?.message}`, { cause: parsed.error });
}

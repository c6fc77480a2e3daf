import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import type { RequestRecord } from '@captionfleet/protocol/image-outcome';
import { BlobReferenceSchema, type ImageReference, UrlReferenceSchema } from '@captionfleet/protocol/image-reference';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { decodeInlineImage } from './inline-image.ts';
import { mapBounded } from './map-bounded.ts';
import { RefusedRequest } from './problem.ts';
import type { DoorImage } from './task-request.ts';

type RecordImage = RequestRecord['images'][number];

const uploadsAtOnce = 8;

/**
 * Looks at each image of a request by itself: one with a malformed URL, bad base64 or too many bytes is refused with its
 * own code while its neighbours go on. Inline images are stored, under the hash of their content, once all were looked at.
 *
 * @throws IMAGES_REFUSED when none is left, before anything is stored; STORAGE_UNAVAILABLE
 */
export async function admitImages(
  images: readonly DoorImage[],
  requests: RequestStore,
  signal: AbortSignal,
): Promise<RecordImage[]> {
  const looked = images.map(lookAt);
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
  return await mapBounded(looked, uploadsAtOnce, async (image) => {
    if (!('bytes' in image)) return image;
    return { source: (await requests.writeImage(image.bytes, { signal })).reference };
  });
}

function lookAt(image: DoorImage): RecordImage | { readonly bytes: Uint8Array } {
  try {
    if ('base64' in image) return { bytes: decodeInlineImage(image.base64) };
    return { source: parseReference(image) };
  } catch (error) {
    if (error instanceof CaptionfleetError) return { refused: reportError(error) };
    throw error;
  }
}

function parseReference(image: Exclude<DoorImage, { base64: string }>): ImageReference {
  const parsed = 'url' in image ? UrlReferenceSchema.safeParse(image) : BlobReferenceSchema.safeParse(image);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const code = 'url' in image ? 'URL_REFUSED' : 'SOURCE_NOT_FOUND';
  throw new CaptionfleetError(code, `${issue?.path.join('.')}: ${issue?.message}`, { cause: parsed.error });
}

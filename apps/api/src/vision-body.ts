import type { IncomingMessage } from 'node:http';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { visionLimits } from './vision-contract.ts';

/** Reads the two types of body that an analysis may have; any other is MEDIA_TYPE_UNSUPPORTED. */
export function addVisionBodies(app: Pick<FastifyInstance, 'addContentTypeParser' | 'getDefaultJsonParser'>): void {
  app.addContentTypeParser(
    'application/octet-stream',
    async (_: FastifyRequest, body: IncomingMessage) => await readImage(body),
  );
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: visionLimits.jsonBytes },
    app.getDefaultJsonParser('ignore', 'ignore'),
  );
}

/**
 * Reads the bytes of an image. Of one that is too large the rest is read too and forgotten, as far as any body of this API may
 * go: a sender that is cut off in the middle does not read why.
 *
 * @throws IMAGE_TOO_LARGE
 */
async function readImage(body: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    bytes += chunk.byteLength;
    if (bytes <= visionLimits.imageBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > imageLimits.requestBytes) break;
  }
  if (bytes <= visionLimits.imageBytes) return Buffer.concat(chunks);
  throw new CaptionfleetError('IMAGE_TOO_LARGE', `the image has more than ${visionLimits.imageBytes} bytes`);
}

/** An image as an analysis names it. */
export type SentImage = { readonly bytes: Uint8Array } | { readonly url: string };

/** A request without a body and without a type counts as an image without bytes. */
export function imageOf(body: unknown = new Uint8Array()): SentImage {
  if (body instanceof Uint8Array) return { bytes: body };
  const named = z.object({ url: z.string() }).safeParse(body);
  if (named.success) return named.data;
  throw new CaptionfleetError('REQUEST_INVALID', 'the body must be {"url": "..."}', { cause: named.error });
}

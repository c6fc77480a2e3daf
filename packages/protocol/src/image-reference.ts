import { z } from 'zod';

/** Limits on what a caller may send; `/openapi.json` and docs/reference/http.md state them. */
export const imageLimits = {
  /** Bytes of one encoded image, however it arrives. */
  bytes: 20 * 1024 * 1024,
  /** Characters of an image URL. */
  urlLength: 2048,
  /** Images in one request. */
  perRequest: 64,
  /** Bytes of the body of a request: room for two images at their limit in base64, and a little beside them. */
  requestBytes: 64 * 1024 * 1024,
} as const;

const containerName = /^(?:\$root|[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9])$/;

export const UrlReferenceSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(imageLimits.urlLength, `must have at most ${imageLimits.urlLength} characters`),
});

export const ContainerNameSchema = z
  .string()
  .regex(containerName, 'must be a container name of 3 to 63 lower-case letters, digits and hyphens');

export const BlobReferenceSchema = z.strictObject({
  blob: z.strictObject({
    container: ContainerNameSchema,
    name: z.string().min(1).max(1024),
  }),
});

/** An image inside the request itself. Its characters are checked item by item, so that one bad image fails alone. */
export const InlineImageSchema = z.strictObject({ base64: z.string() });

/** Where an image is, once it is in the queue: never the bytes themselves. */
export const ImageReferenceSchema = z.union([UrlReferenceSchema, BlobReferenceSchema]);
export type ImageReference = z.infer<typeof ImageReferenceSchema>;
export type BlobReference = z.infer<typeof BlobReferenceSchema>;

/** An image as a caller of the API names it. */
export const ImageInputSchema = z.union([UrlReferenceSchema, InlineImageSchema, BlobReferenceSchema]);
export type ImageInput = z.infer<typeof ImageInputSchema>;

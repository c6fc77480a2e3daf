import { z } from 'zod';
import { GenerationOptionsSchema } from './generation-options.ts';
import { ImageReferenceSchema } from './image-reference.ts';

/**
 * Words: a *request* is what a caller posted, with one or more images; a *job* is one of its images in the queue and
 * the unit of retry; an *attempt* is one delivery of a job to a worker; an *outcome* is what became of the image.
 */

/** 26 characters of Crockford's base32: 48 bits of time, 80 of chance (a ULID, in lower case). */
export const RequestIdSchema = z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/, 'must be the id of a caption request');
export type RequestId = z.infer<typeof RequestIdSchema>;

/** The payload of a job. `version` changes when an older worker could not read it. */
export const ImageJobSchema = z.strictObject({
  version: z.literal(1),
  requestId: RequestIdSchema,
  /** Position of the image in its request, from 0. */
  index: z.int().min(0),
  source: ImageReferenceSchema,
  options: GenerationOptionsSchema,
  /** Milliseconds since the epoch. */
  enqueuedAt: z.int(),
});
export type ImageJob = z.infer<typeof ImageJobSchema>;

/** The queue's id of a job. It is a function of the request, so that enqueueing twice is enqueueing once. */
export const jobId = (job: Pick<ImageJob, 'requestId' | 'index'>): string => `${job.requestId}-${job.index}`;

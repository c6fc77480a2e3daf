import { z } from 'zod';
import { GenerationOptionsSchema } from './generation-options.ts';
import { type ImageReference, ImageReferenceSchema } from './image-reference.ts';
import { type Task, TaskSchema } from './task.ts';
import { defaultTenant, type Tenant, TenantSchema } from './tenant.ts';

/**
 * Words: a *request* is what a caller posted, with one or more images; a *job* is one of its images in the queue and
 * the unit of retry; an *attempt* is one delivery of a job to a worker; an *outcome* is what became of the image.
 */

/** 26 characters of Crockford's base32: 48 bits of time, 80 of chance (a ULID, in lower case). */
export const RequestIdSchema = z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/, 'must be the id of a request');
export type RequestId = z.infer<typeof RequestIdSchema>;

/** One image's work, as the queue carries it. */
export interface ImageJob {
  readonly tenant: Tenant;
  readonly requestId: RequestId;
  /** Position of the image in its request, from 0. */
  readonly index: number;
  readonly source: ImageReference;
  readonly task: Task;
  /** Milliseconds since the epoch. */
  readonly enqueuedAt: number;
  /** Milliseconds since the epoch after which nobody wants the outcome; absent: none. */
  readonly deadline?: number | undefined;
  /** The span that work on it is part of; absent: none. The queue carries it beside the payload, where other versions of the fleet pass it over. */
  readonly traceparent?: string | undefined;
}

const place = {
  tenant: TenantSchema.default(defaultTenant),
  requestId: RequestIdSchema,
  index: z.int().min(0),
  source: ImageReferenceSchema,
  enqueuedAt: z.int(),
  deadline: z.int().optional(),
};

/**
 * The payload of a job. `version` changes when an older worker could not read it: captions still have the form of the first
 * one, and other tasks, whose queues an older worker does not know, the second.
 */
export const ImageJobSchema: z.ZodType<ImageJob> = z.union([
  z
    .strictObject({ version: z.literal(1), ...place, options: GenerationOptionsSchema })
    .transform(({ version: _, options, ...job }) => ({ ...job, task: { type: 'caption' as const, options } })),
  z.strictObject({ version: z.literal(2), ...place, task: TaskSchema }).transform(({ version: _, ...job }) => job),
]);

/** A job in the form that `ImageJobSchema` reads. */
export function jobPayload({ task, tenant, traceparent: _, ...job }: ImageJob): object {
  const place = { ...(tenant === defaultTenant ? {} : { tenant }), ...job };
  return task.type === 'caption' ? { version: 1, ...place, options: task.options } : { version: 2, ...place, task };
}

/** A request among those of all tenants. */
export const requestKey = (tenant: Tenant, id: RequestId): string =>
  tenant === defaultTenant ? id : `${tenant}.${id}`;

/** The queue's id of a job. It is a function of the request, so that enqueueing twice is enqueueing once. */
export const jobId = ({ tenant, requestId, index }: Pick<ImageJob, 'tenant' | 'requestId' | 'index'>): string =>
  `${requestKey(tenant, requestId)}-${index}`;

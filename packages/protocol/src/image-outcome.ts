import { z } from 'zod';
import { CustomIdSchema } from './custom-id.ts';
import type { ErrorReport } from './errors.ts';
import { GenerationOptionsSchema } from './generation-options.ts';
import { type RequestId, RequestIdSchema } from './image-job.ts';
import { type ImageReference, ImageReferenceSchema } from './image-reference.ts';
import { ErrorCodeSchema } from './problem.ts';
import { type Lane, LaneSchema } from './queue-names.ts';
import { type Task, TaskSchema, type TaskType } from './task.ts';
import { resultShapes } from './task-result.ts';
import { defaultTenant, type Tenant, TenantSchema } from './tenant.ts';
import { TraceparentSchema } from './traceparent.ts';
import { type Webhook, WebhookSchema } from './webhook.ts';

export const ModelIdentitySchema = z.object({
  id: z.string(),
  revision: z.string(),
  variant: z.string(),
});
export type ModelIdentity = z.infer<typeof ModelIdentitySchema>;

/**
 * Milliseconds in each stage of an image's way; absent where the image did not go that way. They add up to the time from
 * enqueueing to the result.
 */
export const TimingsSchema = z.object({
  /** From enqueueing to the start of the attempt that succeeded. */
  queueMs: z.number().optional(),
  /** Waiting in the worker: for a batch, for an inference process, and for the images that it ran together with. */
  batchMs: z.number().optional(),
  fetchMs: z.number(),
  /** Decoding, orientation, colour, and the resize to the model's side. */
  preprocessMs: z.number(),
  /** The encoder for this image plus its equal share of the decoder's time. */
  inferenceMs: z.number(),
});
export type Timings = z.infer<typeof TimingsSchema>;

/** Hundredths of a millisecond are as fine as these clocks are worth. */
export function roundTimings(timings: Timings): Timings {
  const rounded = Object.entries(timings).map(([stage, ms]) => [stage, ms && Math.round(ms * 100) / 100]);
  return TimingsSchema.parse(Object.fromEntries(rounded));
}

export const ImageFactsSchema = z.object({
  width: z.int(),
  height: z.int(),
  format: z.string(),
  sha256: z.string(),
});
export type ImageFacts = z.infer<typeof ImageFactsSchema>;

export const ErrorReportSchema = z.object({
  code: ErrorCodeSchema,
  message: z.string(),
  retryable: z.boolean(),
});

const succeeded = <Result extends z.ZodRawShape>(result: Result) =>
  z.object({
    status: z.literal('succeeded'),
    ...result,
    image: ImageFactsSchema,
    model: ModelIdentitySchema,
    timings: TimingsSchema,
    costUsd: z
      .number()
      .optional()
      .describe(
        'What this image cost: the price of its machine for the time in which it had one of its inference processes. Without waiting, and without what a machine costs while it is idle; absent where no price is known.',
      ),
  });
const SucceededSchemas = {
  caption: succeeded(resultShapes.caption),
  match: succeeded(resultShapes.match),
  embed: succeeded(resultShapes.embed),
  answer: succeeded(resultShapes.answer),
} as const satisfies Record<TaskType, z.ZodObject>;
const withError = <Status extends string>(status: Status) =>
  z.object({ status: z.literal(status), error: ErrorReportSchema });
const FailedSchema = withError('failed');
/** Nobody wanted it any more: the request was canceled, or its deadline passed, before a worker had taken the image. */
const AbortedSchema = withError('aborted');
/** The same, after a worker had taken it. */
const CanceledSchema = withError('canceled');

/** What became of one image, written once and never changed. */
export const ImageOutcomeSchema = z.union([
  ...Object.values(SucceededSchemas),
  FailedSchema,
  AbortedSchema,
  CanceledSchema,
]);
export type ImageOutcome = z.infer<typeof ImageOutcomeSchema>;

/** The record of an accepted request, written before its jobs are enqueued; with the outcomes it is the whole truth. */
export interface RequestRecord {
  readonly tenant: Tenant;
  readonly id: RequestId;
  readonly createdAt: string;
  readonly task: Task;
  readonly lane: Lane;
  /** SHA-256 of what was asked, where the request may be repeated. */
  readonly fingerprint?: string | undefined;
  /** After this time nobody wants what is not finished; absent: none. */
  readonly deadline?: string | undefined;
  /** Who is told of the end; absent: nobody but the tenant's endpoints. */
  readonly webhook?: Webhook | undefined;
  /** The span that work on it is part of, where requests are traced. */
  readonly traceparent?: string | undefined;
  readonly images: readonly RecordImage[];
}

/** A source to work on, or the error that refused this image at the door. */
export type RecordImage = { readonly customId?: string | undefined } & (
  | { readonly source: ImageReference }
  | { readonly refused: ErrorReport }
);

const customId = CustomIdSchema.optional();

const recorded = {
  tenant: TenantSchema.default(defaultTenant),
  id: RequestIdSchema,
  createdAt: z.iso.datetime(),
  /** Records of the time before lanes have none. */
  lane: LaneSchema.default('interactive'),
  fingerprint: z.string().optional(),
  deadline: z.iso.datetime().optional(),
  webhook: WebhookSchema.optional(),
  traceparent: TraceparentSchema.optional(),
  images: z.array(
    z.union([
      z.strictObject({ customId, source: ImageReferenceSchema }),
      z.strictObject({ customId, refused: ErrorReportSchema }),
    ]),
  ),
};

/** A stored record. As with jobs, a request for captions has kept the first form. */
export const RequestRecordSchema: z.ZodType<RequestRecord> = z.union([
  z
    .strictObject({ version: z.literal(1), ...recorded, options: GenerationOptionsSchema })
    .transform(({ version: _, options, ...record }) => ({ ...record, task: { type: 'caption' as const, options } })),
  z
    .strictObject({ version: z.literal(2), ...recorded, task: TaskSchema })
    .transform(({ version: _, ...record }) => record),
]);

/** A record in the form that `RequestRecordSchema` reads. */
export function recordDocument({ task, tenant, lane, ...rest }: RequestRecord): object {
  const record = {
    ...(tenant === defaultTenant ? {} : { tenant }),
    ...(lane === 'interactive' ? {} : { lane }),
    ...rest,
  };
  return task.type === 'caption' ? { version: 1, ...record, options: task.options } : { version: 2, ...record, task };
}

/** Which image of the request it is: its position, and the name that the caller gave it. */
const place = { index: z.int(), customId };

/** That the caller canceled a request; once it is stored, images without an outcome get none but that. */
export const CancellationSchema = z.strictObject({ version: z.literal(1), canceledAt: z.iso.datetime() });
export type Cancellation = z.infer<typeof CancellationSchema>;

/**
 * `succeeded` also when some images did not: each image carries its own status. When none did: `canceled` if one was taken
 * back from a worker, else `aborted` if one was taken out of the queue, else `failed`.
 */
const requestStatus = <Result extends z.ZodRawShape>(
  succeededSchema: z.ZodObject<Result & { status: z.ZodLiteral<'succeeded'> }>,
) =>
  z.object({
    id: RequestIdSchema,
    status: z.enum(['queued', 'running', 'succeeded', 'failed', 'aborted', 'canceled']),
    createdAt: z.iso.datetime(),
    deadline: z.iso.datetime().optional(),
    counts: z.object({
      queued: z.int(),
      running: z.int(),
      succeeded: z.int(),
      failed: z.int(),
      aborted: z.int().default(0),
      canceled: z.int().default(0),
    }),
    images: z.array(
      z.discriminatedUnion('status', [
        z.object({ ...place, status: z.literal('queued') }),
        z.object({ ...place, status: z.literal('running') }),
        z.object({ ...place, ...succeededSchema.shape }),
        z.object({ ...place, ...FailedSchema.shape }),
        z.object({ ...place, ...AbortedSchema.shape }),
        z.object({ ...place, ...CanceledSchema.shape }),
      ]),
    ),
  });

/** A request as the API shows it, by what it asks. */
export const RequestStatusSchemas = {
  caption: requestStatus(SucceededSchemas.caption),
  match: requestStatus(SucceededSchemas.match),
  embed: requestStatus(SucceededSchemas.embed),
  answer: requestStatus(SucceededSchemas.answer),
} as const satisfies Record<TaskType, z.ZodObject>;

export const CaptionRequestStatusSchema = RequestStatusSchemas.caption;
export type CaptionRequestStatus = z.infer<typeof CaptionRequestStatusSchema>;

/** One image of any request. */
export type ImageStatus = { index: number; customId?: string | undefined } & (
  | { status: 'queued' }
  | { status: 'running' }
  | ImageOutcome
);
/** Any request. */
export type RequestStatus = Omit<CaptionRequestStatus, 'images'> & { images: ImageStatus[] };

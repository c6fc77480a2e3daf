import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { jobId, type RequestId, RequestIdSchema } from '@captionfleet/protocol/image-job';
import { type RequestRecord, RequestStatusSchemas } from '@captionfleet/protocol/image-outcome';
import { LaneSchema } from '@captionfleet/protocol/queue-names';
import type { TaskType } from '@captionfleet/protocol/task';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { z } from 'zod';
import { idsBackwards, type ListIds } from './ids-backwards.ts';
import { mapBounded } from './map-bounded.ts';
import { jobsOf, overallStatus } from './request-status.ts';
import { producerOf } from './submission.ts';
import type { TaskQueues } from './task-queues.ts';

const StatusSchema = RequestStatusSchemas.caption.shape.status;

const limits = {
  perPage: 100,
  /** Requests that one call looks at, however few of them are wanted. */
  looked: 500,
  readsAtOnce: 8,
} as const;

export const ListingQuerySchema = z.strictObject({
  status: StatusSchema.optional().describe(
    `Only requests of this status. Storage cannot search for it: each request is looked at, up to ${limits.looked} a call, so a page may hold fewer than \`limit\`, even none, and yet have a \`nextCursor\`.`,
  ),
  created_after: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Only requests whose ids are of this time or later (RFC 3339).'),
  limit: z.coerce
    .number<string>()
    .int()
    .min(1)
    .max(limits.perPage)
    .default(20)
    .describe(`Requests of a page at most, up to ${limits.perPage}.`),
  cursor: z.string().max(64).optional().describe('`nextCursor` of the page before, as it is.'),
});
export type ListingQuery = z.infer<typeof ListingQuerySchema>;

export const RequestSummarySchema = RequestStatusSchemas.caption
  .pick({ id: true, status: true, createdAt: true, counts: true })
  .extend({ lane: LaneSchema });
type RequestSummary = z.infer<typeof RequestSummarySchema>;

export const ListingSchema = z.object({
  requests: z.array(RequestSummarySchema).describe('Newest first.'),
  nextCursor: z.string().optional().describe('Absent on the last page.'),
});
type Listing = z.infer<typeof ListingSchema>;

interface ListingSource {
  /** The tenant's own. */
  readonly requests: RequestStore;
  readonly queues: TaskQueues;
}

/**
 * The requests of one task, newest first.
 *
 * @throws REQUEST_INVALID for a cursor that is none, STORAGE_UNAVAILABLE, QUEUE_UNAVAILABLE
 */
export async function listRequests(
  type: TaskType,
  { status, created_after: createdAfter, limit, cursor }: ListingQuery,
  { requests, queues }: ListingSource,
  signal: AbortSignal,
): Promise<Listing> {
  const oldest = createdAfter === undefined ? 0 : Math.max(0, Date.parse(createdAfter));
  const list: ListIds = (options) => requests.listRequests(options);
  const ids = idsBackwards(list, { oldest, before: readCursor(cursor) }, signal);
  const found: RequestSummary[] = [];
  let looked = 0;
  let last: RequestId | undefined;
  for await (const { id, summary } of summariesOf(type, ids, { requests, queues }, signal)) {
    if (found.length === limit || looked === limits.looked) return { requests: found, nextCursor: writeCursor(last) };
    looked += 1;
    last = id;
    if (summary !== undefined && summary.status === (status ?? summary.status)) found.push(summary);
  }
  return { requests: found };
}

/** Without a summary: what has no record, or is of another task. */
async function* summariesOf(
  type: TaskType,
  spans: AsyncIterable<readonly RequestId[]>,
  { requests, queues }: ListingSource,
  signal: AbortSignal,
): AsyncGenerator<{ readonly id: RequestId; readonly summary: RequestSummary | undefined }> {
  for await (const ids of spans) {
    for (let start = 0; start < ids.length; start += limits.readsAtOnce) {
      const some = ids.slice(start, start + limits.readsAtOnce);
      yield* await mapBounded(some, limits.readsAtOnce, async (id) => {
        const record = await requests.readRequest(id, { signal });
        const isWanted = record?.task.type === type;
        return { id, summary: isWanted ? await summarize(record, requests, queues, signal) : undefined };
      });
    }
  }
}

async function summarize(
  record: RequestRecord,
  requests: RequestStore,
  queues: TaskQueues,
  signal: AbortSignal,
): Promise<RequestSummary> {
  const { id, createdAt, lane } = record;
  const ends = await requests.readEnds(id, { signal });
  const counts = {
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: record.images.filter((image) => 'refused' in image).length,
    aborted: 0,
    canceled: 0,
  };
  const open = jobsOf(record).filter(({ index }) => {
    const end = ends.get(index);
    if (end !== undefined) counts[end] += 1;
    return end === undefined;
  });
  if (open.length > 0) {
    const states = await producerOf(record, queues).states(open.map(jobId));
    for (const job of open) counts[stateOf(states.get(jobId(job)))] += 1;
  }
  return { id, status: overallStatus(counts), createdAt, lane, counts };
}

/** A job that has finished since its outcome was looked for is as good as running. Nothing lost is enqueued again here. */
const stateOf = (state: 'queued' | 'running' | 'finished' | 'failed' | undefined): 'queued' | 'running' | 'failed' =>
  state === 'finished' ? 'running' : (state ?? 'queued');

const writeCursor = (last: RequestId = ''): string => Buffer.from(`1${last}`).toString('base64url');

function readCursor(cursor: string | undefined): RequestId | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const id = RequestIdSchema.safeParse(text.slice(1));
  if (text.startsWith('1') && id.success) return id.data;
  throw new CaptionfleetError('REQUEST_INVALID', 'cursor: must be the nextCursor of an earlier page');
}

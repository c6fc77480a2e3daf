import { type BulkCounts, BulkCountsSchema, type BulkManifest } from '@captionfleet/protocol/bulk-request';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { jobId, type RequestId, RequestIdSchema } from '@captionfleet/protocol/image-job';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { headOf, taskTypes } from '@captionfleet/protocol/task';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { BulkStore, ChunkEntry } from '@captionfleet/storage/bulk-store';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { z } from 'zod';
import { type BulkConfig, bulkJobs } from './bulk-upload.ts';
import { mapBounded } from './map-bounded.ts';

export const BulkStatusSchema = z.object({
  id: RequestIdSchema,
  task: z.enum(taskTypes),
  status: z
    .enum(['receiving', 'running', 'ended', 'cancelled'])
    .describe('`receiving` while items come; `ended` when all have an outcome; `cancelled` whatever runs still.'),
  isComplete: z.boolean().describe('Whether the upload came to its end; false for one that broke off, or goes on.'),
  createdAt: z.iso.datetime(),
  counts: BulkCountsSchema,
});
export type BulkStatus = z.infer<typeof BulkStatusSchema>;

/** An item and what became of it; those that were cancelled before they began have no outcome. */
export interface EndedItem {
  readonly index: number;
  readonly customId?: string | undefined;
  readonly outcome: ImageOutcome | { readonly status: 'cancelled' };
}

/** Milliseconds after its last chunk at which an unsealed upload counts as one that broke off. */
const receivingMs = 10 * 60_000;
/** Chunks that one look holds against the queue. */
const probedChunks = 4;
const readsAtOnce = 16;

/** A bulk request of a tenant, to be looked at, read and cancelled. */
export interface BulkReader {
  readonly manifest: BulkManifest;
  /** Also enqueues again what Redis has lost, or was never told of. */
  status(signal: AbortSignal): Promise<BulkStatus>;
  /** What has ended, in the order of the items, a chunk at a time. */
  ended(signal: AbortSignal): AsyncGenerator<readonly EndedItem[]>;
  cancel(signal: AbortSignal): Promise<void>;
}

/** @throws NOT_FOUND; as all of the reader's methods: STORAGE_UNAVAILABLE, QUEUE_UNAVAILABLE */
export async function openBulk(
  tenant: Tenant,
  text: string,
  config: BulkConfig,
  signal: AbortSignal,
): Promise<BulkReader> {
  const store = config.bulk(tenant);
  const id = RequestIdSchema.safeParse(text);
  const manifest = id.success ? await store.readManifest(id.data, { signal }) : undefined;
  if (manifest === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no bulk request of this id');
  const { producer } = config.queues.bulk[headOf[manifest.task.type]];
  return new Reader(manifest, store, config.requests.of(tenant), producer);
}

const exhausted = new CaptionfleetError('ATTEMPTS_EXHAUSTED', 'the queue gave this image up after its last attempt');

class Reader implements BulkReader {
  readonly manifest: BulkManifest;
  readonly #store: BulkStore;
  readonly #requests: RequestStore;
  readonly #producer: JobProducer;

  constructor(manifest: BulkManifest, store: BulkStore, requests: RequestStore, producer: JobProducer) {
    this.manifest = manifest;
    this.#store = store;
    this.#requests = requests;
    this.#producer = producer;
  }

  get #id(): RequestId {
    return this.manifest.id;
  }

  async status(signal: AbortSignal): Promise<BulkStatus> {
    const end = await this.#store.readEnd(this.#id, { signal });
    if (end !== undefined) {
      return this.#describe(end.counts.cancelled > 0 ? 'cancelled' : 'ended', end.isComplete, end.counts);
    }
    // The chunks before the outcomes: else an item that came and ended in between would be an outcome of no item.
    const [seal, isCancelled] = await Promise.all([
      this.#store.readSeal(this.#id, { signal }),
      this.#store.isCancelled(this.#id, { signal }),
    ]);
    const chunks = await this.#store.listChunks(this.#id, { signal });
    const ends = await this.#requests.readEnds(this.#id, { signal });
    const { counts, open } = count(chunks, ends, isCancelled);
    const isReceiving = seal === undefined && isRecent(chunks, this.manifest);
    if (open.length > 0 && !isCancelled) await this.#enqueueLost(open, ends, signal);
    const isComplete = seal?.isComplete ?? false;
    const isOver = counts.pending === 0 && !isReceiving;
    // What runs while a bulk request is cancelled may end yet, so the counts of one are not written down.
    if (isOver && !isCancelled) await this.#store.writeEnd(this.#id, { version: 1, isComplete, counts }, { signal });
    if (isCancelled) return this.#describe('cancelled', isComplete, counts);
    return this.#describe(isReceiving ? 'receiving' : isOver ? 'ended' : 'running', isComplete, counts);
  }

  async *ended(signal: AbortSignal): AsyncGenerator<readonly EndedItem[]> {
    const isCancelled = await this.#store.isCancelled(this.#id, { signal });
    const chunks = await this.#store.listChunks(this.#id, { signal });
    const ends = await this.#requests.readEnds(this.#id, { signal });
    for (const { first } of chunks) {
      const items = (await this.#store.readChunk(this.#id, first, { signal }))?.items ?? [];
      const ended = await mapBounded(items, readsAtOnce, async (item): Promise<EndedItem | undefined> => {
        const { index, customId } = item;
        if ('refused' in item) return { index, customId, outcome: { status: 'failed', error: item.refused } };
        const outcome = ends.has(index) ? await this.#requests.readOutcome(this.#id, index, { signal }) : undefined;
        if (outcome !== undefined) return { index, customId, outcome };
        return isCancelled ? { index, customId, outcome: { status: 'cancelled' } } : undefined;
      });
      yield ended.filter((item) => item !== undefined);
    }
  }

  async cancel(signal: AbortSignal): Promise<void> {
    if ((await this.#store.readEnd(this.#id, { signal })) !== undefined) return;
    await this.#store.cancel(this.#id, { signal });
    const chunks = await this.#store.listChunks(this.#id, { signal });
    for (const { first } of chunks) {
      const jobs = await this.#jobsOf(first, signal);
      await this.#producer.withdraw(jobs.map(jobId));
    }
  }

  #describe(status: BulkStatus['status'], isComplete: boolean, counts: BulkCounts): BulkStatus {
    const { id, task, createdAt } = this.manifest;
    return { id, task: task.type, status, isComplete, createdAt, counts };
  }

  async #jobsOf(first: number, signal: AbortSignal) {
    const chunk = await this.#store.readChunk(this.#id, first, { signal });
    return bulkJobs(this.manifest, chunk?.items ?? []);
  }

  /**
   * Holds some chunks against the queue, the first and the last that are open and others by chance; all, once the first has
   * lost jobs, for then Redis has lost its data.
   */
  async #enqueueLost(
    open: readonly ChunkEntry[],
    ends: ReadonlyMap<number, unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const [first, ...others] = open;
    if (first === undefined) return;
    const hasLost = await this.#enqueueLostOf(first, ends, signal);
    for (const chunk of hasLost ? others : pick(others, probedChunks - 1)) {
      await this.#enqueueLostOf(chunk, ends, signal);
    }
  }

  async #enqueueLostOf(
    { first }: ChunkEntry,
    ends: ReadonlyMap<number, unknown>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const jobs = (await this.#jobsOf(first, signal)).filter(({ index }) => !ends.has(index));
    const states = await this.#producer.states(jobs.map(jobId));
    const lost = jobs.filter((job) => !states.has(jobId(job)));
    const givenUp = jobs.filter((job) => states.get(jobId(job)) === 'failed');
    await mapBounded(givenUp, readsAtOnce, ({ index }) =>
      this.#requests.writeOutcome(this.#id, index, { status: 'failed', error: reportError(exhausted) }, { signal }),
    );
    if (lost.length === 0) return false;
    try {
      await this.#producer.enqueue(lost, { signal });
    } catch (error) {
      // The items stay accepted, and the next look tries again.
      if (!(error instanceof CaptionfleetError && error.code === 'QUEUE_FULL')) throw error;
    }
    return true;
  }
}

const countedAs = {
  succeeded: 'succeeded',
  failed: 'failed',
  aborted: 'cancelled',
  canceled: 'cancelled',
} as const satisfies Record<ImageOutcome['status'], keyof BulkCounts>;

/** The counts, and the chunks of which an accepted item has no outcome. */
function count(
  chunks: readonly ChunkEntry[],
  ends: ReadonlyMap<number, ImageOutcome['status']>,
  isCancelled: boolean,
): { counts: BulkCounts; open: readonly ChunkEntry[] } {
  const counts = { pending: 0, succeeded: 0, failed: 0, cancelled: 0 };
  const indexes = [...ends.keys()].sort((one, other) => one - other);
  let position = 0;
  const open = chunks.filter(({ accepted, refused }, place) => {
    const next = chunks[place + 1]?.first ?? Number.POSITIVE_INFINITY;
    const start = position;
    for (let index = indexes[position]; index !== undefined && index < next; index = indexes[position]) {
      counts[countedAs[ends.get(index) ?? 'failed']] += 1;
      position += 1;
    }
    const left = accepted - (position - start);
    counts.failed += refused;
    counts[isCancelled ? 'cancelled' : 'pending'] += left;
    return left > 0;
  });
  return { counts, open };
}

function isRecent(chunks: readonly ChunkEntry[], { createdAt }: BulkManifest): boolean {
  const last = Math.max(Date.parse(createdAt), ...chunks.slice(-1).map(({ writtenAt }) => writtenAt.getTime()));
  return Date.now() - last < receivingMs;
}

/** The last, and others by chance. */
function pick<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  const chosen = new Set(values.slice(-1));
  while (chosen.size < most) {
    const value = values[Math.floor(Math.random() * values.length)];
    if (value !== undefined) chosen.add(value);
  }
  return [...chosen];
}

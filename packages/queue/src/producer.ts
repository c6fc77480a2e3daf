import { type ImageJob, jobId, jobPayload } from '@captionfleet/protocol/image-job';
import type { TaskType } from '@captionfleet/protocol/task';
import { Capacity, type Places } from './capacity.ts';
import { boundedRetry, DrainRate } from './drain-rate.ts';
import { fairTags, untagged } from './fair-tags.ts';
import { FinishedEvents } from './finished-events.ts';
import { openJobQueue } from './job-queue.ts';
import { type JobState, readStates } from './job-states.ts';
import { type QueueCounts, readCounts, readMemory } from './queue-counts.ts';
import { becomesReady, connectFailingFast, isConnected, pingRedis, queueUnavailable } from './redis-client.ts';
import { carrierOf } from './trace-carrier.ts';
import { withdrawalChannel } from './withdrawals.ts';

export type { Places };
export { boundedRetry };

export interface ProducerOptions {
  readonly redisUrl: string;
  /** Name of the queue: `queueName()` of the protocol. */
  readonly queue: string;
  /** Common start of all keys, with a hash tag: `defaultQueuePrefix` of the protocol. */
  readonly prefix: string;
  /** Jobs that may wait in the queue. */
  readonly maxWaiting: number;
  /**
   * Whether tenants take turns, job by job, instead of standing in one line. The jobs of producers without it are
   * delivered before those of producers with it.
   * @defaultValue false
   */
  readonly fair?: boolean;
}

/** The side of the queue that asks for work. What Redis does not answer in about two seconds is QUEUE_UNAVAILABLE. */
export interface JobProducer extends AsyncDisposable {
  /**
   * Adds jobs; one that the queue already knows is left as it is, so this may be repeated after any failure. Throws
   * QUEUE_FULL before anything is added, QUEUE_UNAVAILABLE, or the reason of the signal; after these two, some of the
   * jobs may have been added. With `places` for as many jobs it is never QUEUE_FULL.
   */
  enqueue(jobs: readonly ImageJob[], options: { signal: AbortSignal; places?: Places | undefined }): Promise<void>;
  /**
   * Promises places in the queue, so that what must be stored before its jobs are enqueued is not stored for nothing: as many as
   * there are, from `least`, which is all of them by default, to `jobs`. Throws QUEUE_FULL or QUEUE_UNAVAILABLE.
   */
  reserve(jobs: number, least?: number): Promise<Places>;
  /** Takes jobs back that have not begun; those that run go on. What the queue does not know is no error. */
  withdraw(jobIds: readonly string[]): Promise<void>;
  /** The states of the jobs that the queue knows. It forgets finished and failed ones after a while. */
  states(jobIds: readonly string[]): Promise<ReadonlyMap<string, JobState>>;
  /**
   * Takes the jobs of a request that nobody wants back, and returns the ids of those that a worker holds. Workers are told
   * of the request; a hint that may be lost.
   */
  abandon(request: string, jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Jobs waiting for their first attempt or handed back, as Redis counts them now. */
  depth(): Promise<number>;
  counts(): Promise<QueueCounts>;
  /** Seconds in which so many jobs leave the queue at the rate that was measured; undefined while none was. */
  drainSeconds(jobs: number): number | undefined;
  /** Whole seconds, 1 to 3600, after which a caller may come back whose jobs were `excess` too many. */
  retryAfter(excess: number): number;
  /** Calls `listener` when a job ends. A hint only: it may come late, twice or, while Redis is away, not at all. */
  onFinished(listener: (jobId: string) => void): Disposable;
  ping(options?: { signal?: AbortSignal }): Promise<void>;
}

/** Jobs added in one round trip; between two of them Redis serves others. */
const chunkSize = 500;
/** Milliseconds for a lost connection to come back before a question is asked again. */
const reconnectMs = 500;

/** Returns when Redis is connected, or after two seconds without it: calls fail until it is there. */
export async function openProducer({
  redisUrl,
  queue,
  prefix,
  maxWaiting,
  fair = false,
}: ProducerOptions): Promise<JobProducer> {
  const redis = connectFailingFast(redisUrl);
  await becomesReady(redis);
  const bull = openJobQueue<TaskType>(queue, { redis, prefix });
  const events = new FinishedEvents(redisUrl, queue, prefix);
  const drain = new DrainRate();
  events.listen(() => drain.count());
  const key = (part: string): string => bull.toKey(part);
  const tag = fair ? fairTags(redis, key) : undefined;
  const order = fair ? { priority: untagged } : {};

  /** Asks once more when the connection was lost and is back soon. */
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await question();
    } catch (error) {
      if (isConnected(redis) || !(await becomesReady(redis, reconnectMs))) throw queueUnavailable(error);
    }
    return await question().catch((error: unknown) => {
      throw queueUnavailable(error);
    });
  };
  const counts = (): Promise<QueueCounts> => ask(() => readCounts(redis, key));
  const capacity = new Capacity(
    maxWaiting,
    async () => {
      const [{ waiting }, memory] = await Promise.all([counts(), ask(() => readMemory(redis))]);
      return { waiting, memory };
    },
    drain,
  );

  return {
    reserve: (jobs, least) => capacity.reserve(jobs, least),
    async enqueue(jobs, { signal, places }) {
      signal.throwIfAborted();
      using own = places === undefined ? await capacity.reserve(jobs.length) : undefined;
      const entries = jobs.map((job) => ({
        name: job.task.type,
        data: jobPayload(job),
        opts: { jobId: jobId(job), ...order, ...carrierOf(job.traceparent) },
      }));
      for (let start = 0; start < entries.length; start += chunkSize) {
        signal.throwIfAborted();
        (places ?? own)?.fill();
        const chunk = entries.slice(start, start + chunkSize);
        await ask(() => bull.addBulk(chunk));
        if (tag !== undefined) await ask(() => tag(chunk.map(({ opts }) => opts.jobId)));
      }
    },
    async withdraw(jobIds) {
      await Promise.all(jobIds.map((id) => ask(() => bull.remove(id))));
    },
    states: (jobIds) => ask(() => readStates(redis, key, jobIds)),
    async abandon(request, jobIds) {
      const codes = await ask(() => Promise.all(jobIds.map((id) => bull.remove(id, { removeChildren: false }))));
      await ask(() => redis.publish(withdrawalChannel(prefix), request));
      return new Set(jobIds.filter((_, position) => codes[position] !== 1));
    },
    depth: async () => (await counts()).waiting,
    counts,
    drainSeconds: (jobs) => drain.secondsFor(jobs),
    retryAfter: (excess) => drain.retryAfter(excess),
    onFinished: (listener) => events.listen(listener),
    ping: ({ signal } = {}) => pingRedis(redis, signal),
    async [Symbol.asyncDispose]() {
      events[Symbol.dispose]();
      // Before the disconnection: BullMQ takes its listeners off, and leaves the client that it was given open.
      await bull.close().catch(() => undefined);
      redis.disconnect();
    },
  };
}

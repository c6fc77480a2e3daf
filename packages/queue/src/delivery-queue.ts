import { DelayedError, type Job, Worker } from 'bullmq';
import { openJobQueue } from './job-queue.ts';
import { becomesReady, connectFailingFast, connectWaiting, queueUnavailable } from './redis-client.ts';
import { settlesWithin } from './settles-within.ts';

export interface DeliveryQueueOptions {
  readonly redisUrl: string;
  /** Common start of all keys. */
  readonly prefix: string;
}

/** Does the work of a job, and says in how many milliseconds it is to be done again; undefined when it is settled. */
export type DeliveryHandler = (id: string, signal: AbortSignal) => Promise<number | undefined>;

/**
 * Jobs that are done again and again, with waits of up to days between, until they are settled. A job is its id and nothing else: what
 * is to be done, and what was done so far, is in Blob.
 */
export interface DeliveryQueue extends AsyncDisposable {
  /** Adds jobs to be done now; one that is there is left as it is. @throws QUEUE_UNAVAILABLE */
  add(ids: readonly string[]): Promise<void>;
  /** Which of these jobs the queue does not know. @throws QUEUE_UNAVAILABLE */
  unknown(ids: readonly string[]): Promise<readonly string[]>;
  /** Takes jobs, so many at a time. A job whose handler throws is done again after half a minute. */
  consume(handle: DeliveryHandler, options: { readonly concurrency: number }): AsyncDisposable;
}

const queue = 'webhooks';
const limits = {
  /** For what runs when the consumer is closed; then it is aborted, and another process takes it when its lock expires. */
  closeMs: 5_000,
  afterErrorMs: 30_000,
  lockMs: 20_000,
} as const;
const chunkSize = 500;

export async function openDeliveryQueue({ redisUrl, prefix }: DeliveryQueueOptions): Promise<DeliveryQueue> {
  const redis = connectFailingFast(redisUrl);
  await becomesReady(redis);
  const bull = openJobQueue(queue, { redis, prefix });
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> =>
    await question().catch((error: unknown) => {
      throw queueUnavailable(error);
    });

  return {
    async add(ids) {
      const entries = ids.map((jobId) => ({ name: 'deliver', data: {}, opts: { jobId } }));
      for (let start = 0; start < entries.length; start += chunkSize) {
        await ask(() => bull.addBulk(entries.slice(start, start + chunkSize)));
      }
    },
    async unknown(ids) {
      const known = await ask(() => Promise.all(ids.map((id) => redis.exists(bull.toKey(id)))));
      return ids.filter((_, position) => known[position] === 0);
    },
    consume: (handle, options) => consume(handle, { redisUrl, prefix, ...options }),
    async [Symbol.asyncDispose]() {
      await bull.close().catch(() => undefined);
      redis.disconnect();
    },
  };
}

function consume(
  handle: DeliveryHandler,
  { redisUrl, prefix, concurrency }: DeliveryQueueOptions & { readonly concurrency: number },
): AsyncDisposable {
  const client = connectWaiting(redisUrl);
  const stopping = new AbortController();
  const worker = new Worker<object, true>(
    queue,
    async (job: Job, token?: string) => {
      const again = await handle(job.id ?? '', stopping.signal).catch(() => limits.afterErrorMs);
      if (again === undefined) return true;
      await job.moveToDelayed(Date.now() + again, token);
      throw new DelayedError();
    },
    {
      connection: client.redis,
      prefix,
      concurrency,
      lockDuration: limits.lockMs,
      // A delivery whose process died is as good as any other, however often that happens.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: 1,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  );
  worker.on('error', () => undefined);
  return {
    async [Symbol.asyncDispose]() {
      const idle = worker.pause();
      if (!(await settlesWithin(idle, limits.closeMs))) stopping.abort(new Error('the process is stopping'));
      await settlesWithin(idle, limits.closeMs / 5);
      const closed = worker.close(true);
      client.disconnect();
      await settlesWithin(closed, limits.closeMs / 5);
    },
  };
}

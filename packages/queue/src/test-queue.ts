// For tests only.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import { defaultTenant, type Tenant } from '@captionfleet/protocol/tenant';
import { type Consumer, type ConsumerOptions, type Delivery, type Handler, openConsumer } from './consumer.ts';
import { type JobProducer, openProducer } from './producer.ts';

/** Asks `check` again and again until it says yes; fails after `deadlineMs` and says what it waited for. */
export async function waitFor(what: string, deadlineMs: number, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await delay(20);
  }
}

/** The jobs of one new request. */
export function makeJobs(count: number, tenant: Tenant = defaultTenant): ImageJob[] {
  const requestId = `0${randomBytes(15).toString('hex').slice(0, 25)}`;
  const source = { url: 'https://images.example.org/a.jpg' };
  return Array.from({ length: count }, (_, index) => ({
    tenant,
    requestId,
    index,
    source,
    task: { type: 'caption', options: {} },
    enqueuedAt: Date.now(),
  }));
}

const { signal } = new AbortController();

/** The prefix of all keys in the tests. */
export const prefix = '{test}';

/** A queue of its own with jobs in it, and consumers that look for lost jobs ten times a second. */
export async function openQueue(redisUrl: string, jobCount: number, { fair = false } = {}) {
  const queue = randomUUID();
  const parts = new AsyncDisposableStack();
  const producer: JobProducer = parts.use(await openProducer({ redisUrl, queue, prefix, maxWaiting: 10_000, fair }));
  const jobs = makeJobs(jobCount);
  await producer.enqueue(jobs, { signal });
  const ids = jobs.map(jobId);
  const consume = async (handle: Handler, options: Partial<ConsumerOptions> = {}): Promise<Consumer> => {
    const fast = { concurrency: 10, backoffMs: 20, lockMs: 800, stalledCheckMs: 100 };
    return parts.use(await openConsumer({ redisUrl, queue, prefix, ...fast, ...options }, handle));
  };
  const reaches = (state: string): Promise<void> =>
    waitFor(`all jobs to be ${state}`, 60_000, async () => {
      const states = await producer.states(ids);
      return ids.every((id) => states.get(id) === state);
    });
  return {
    queue,
    producer,
    jobs,
    ids,
    consume,
    reaches,
    key: (part: string) => `${prefix}:${queue}:${part}`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A handler that never ends by itself, and what it saw. */
export function endless(options: { heeds: boolean }) {
  const deliveries: Delivery[] = [];
  const reasons: unknown[] = [];
  const handle: Handler = async (delivery, stop) => {
    deliveries.push(delivery);
    await new Promise((_, reject) => {
      stop.addEventListener('abort', () => {
        reasons.push(stop.reason);
        if (options.heeds) reject(stop.reason);
      });
    });
  };
  const started = (count: number): Promise<void> =>
    waitFor(`${count} deliveries`, 60_000, async () => deliveries.length >= count);
  return { handle, deliveries, reasons, started };
}

/** Collects the attempts at jobs that `fail` decides about. */
export function recorder(fail: (delivery: Delivery) => Error | undefined = () => undefined) {
  const attempts: (Pick<Delivery, 'attempt' | 'lastAttempt' | 'suspect'> & { at: number })[] = [];
  const handle: Handler = async (delivery) => {
    const { attempt, lastAttempt, suspect } = delivery;
    attempts.push({ attempt, lastAttempt, suspect, at: performance.now() });
    const error = fail(delivery);
    if (error !== undefined) throw error;
  };
  const flags = () => attempts.map(({ attempt, lastAttempt, suspect }) => ({ attempt, lastAttempt, suspect }));
  return { handle, attempts, flags };
}

/** What most deliveries are. */
export const first = { attempt: 1, lastAttempt: false, suspect: false };

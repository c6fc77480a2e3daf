import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { type ImageJob, ImageJobSchema } from '@captionfleet/protocol/image-job';
import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { becomesReady, connectWaiting, pingRedis, type WaitingClient } from './redis-client.ts';
import { settlesWithin } from './settles-within.ts';
import { traceparentOf } from './trace-carrier.ts';

export interface ConsumerOptions {
  readonly redisUrl: string;
  /** Name of the queue: `queueName()` of the protocol. */
  readonly queue: string;
  /** Common start of all keys: the producer's. */
  readonly prefix: string;
  /** Deliveries at a time. */
  readonly concurrency: number;
  /**
   * Attempts at a job that fails; hand-backs and lost workers are not counted.
   * @defaultValue 4
   */
  readonly attempts?: number;
  /**
   * Milliseconds before the second attempt; each further wait is twice as long. Up to half of a wait is left out at
   * random, so that jobs which failed together do not come back together.
   * @defaultValue 1000
   */
  readonly backoffMs?: number;
  /**
   * Milliseconds before a postponed job is delivered again; up to as much again is added at random.
   * @defaultValue 2000
   */
  readonly postponeMs?: number;
  /**
   * Milliseconds after the last renewal at which a job counts as lost; renewed at half of it, on this event loop.
   * @defaultValue 5000
   */
  readonly lockMs?: number;
  /**
   * Milliseconds between two searches for lost jobs.
   * @defaultValue 1000
   */
  readonly stalledCheckMs?: number;
  /** Told of what the consumer overcomes by itself, such as a lost connection; for the log. */
  readonly onError?: (error: Error) => void;
}

/** One attempt at a job. */
export interface Delivery {
  readonly job: ImageJob;
  readonly jobId: string;
  /** From 1. */
  readonly attempt: number;
  /** From 1: how often a worker took the job, hand-backs and lost workers included. */
  readonly number: number;
  /** Whether a failure of this attempt is final. */
  readonly lastAttempt: boolean;
  /** A worker that ran this job was lost; the job may be why, so it is run alone. */
  readonly suspect: boolean;
}

/**
 * Does the work of a delivery. What it throws decides what comes next: a retryable error another attempt later, if one
 * is left; any other error the job's failure; HandBack and Postpone neither.
 *
 * The signal aborts when the job is no longer this worker's, or with a HandBack when the time to drain is over. What
 * the handler then does is of no more consequence to the queue.
 */
export type Handler = (delivery: Delivery, signal: AbortSignal) => Promise<void>;

/**
 * Thrown by a handler: another delivery shall do the job, and this one does not count as an attempt. The job goes to the
 * head of the queue, so this is for a worker that is about to drain; another would get the same job again at once.
 */
export class HandBack extends Error {
  override readonly name = 'HandBack';
}

/**
 * Thrown by a handler: a part of the fleet itself is away, which is no fault of the job. Another delivery shall do it
 * after a while, and this one does not count as an attempt, however long the part stays away.
 */
export class Postpone extends Error {
  override readonly name = 'Postpone';
}

export type AbandonedListener = (job: ImageJob, reason: string) => Promise<void>;

export interface Consumer extends AsyncDisposable {
  /**
   * Calls `listener` with jobs that the queue gave up because their workers were lost too often. No handler is called
   * for these. A listener that is added right after `openConsumer` misses none; draining waits for it.
   */
  onAbandoned(listener: AbandonedListener): Disposable;
  /**
   * Takes no more jobs, gives what runs `deadlineMs` to end, then aborts it and hands it back. Returns at most a few
   * seconds after the deadline, also without Redis. A second call joins the first.
   */
  drain(options: { deadlineMs: number }): Promise<void>;
  ping(options?: { signal?: AbortSignal }): Promise<void>;
  /** Drains with no time for what runs. */
  [Symbol.asyncDispose](): Promise<void>;
}

const limits = {
  /**
   * Losses of its worker that a job survives. BullMQ's limit on starts, `maxStartedAttempts`, stays unset: it would
   * also count the starts that ended in a hand-back.
   */
  stalls: 5,
  /** For telling Redis what became of the deliveries that were aborted, and for closing the connections. */
  handBackMs: 2_000,
  closeMs: 1_000,
  /** Before a job is taken up again whose earlier delivery still runs in this process. */
  overlapMs: 1_000,
  /** What BullMQ waits after a failed command before it asks again; its default is 15 s. */
  redisRetryMs: 1_000,
  /**
   * For which BullMQ waits for a job before it looks again. Redis tells one waiting worker of a new job; when that one
   * is frozen, the others learn of it only by looking. BullMQ's default is 5 s.
   */
  lookAgainSeconds: 1,
} as const;

/** Finished jobs are kept for people to look at; what became of an image is in its outcome. Ages in seconds. */
const retention = {
  removeOnComplete: { age: 60 * 60, count: 10_000 },
  removeOnFail: { age: 7 * 24 * 60 * 60, count: 10_000 },
} as const;

/** A delivery whose handler has not ended. */
interface Running {
  readonly delivery: AbortController;
  readonly handled: Promise<void>;
}

/** Returns when Redis is connected, or after two seconds without it: jobs are taken as soon as it is there. */
export async function openConsumer(options: ConsumerOptions, handle: Handler): Promise<Consumer> {
  const client = connectWaiting(options.redisUrl);
  await becomesReady(client.redis);
  return new QueueConsumer(options, client, handle);
}

/**
 * A consumer is consuming, draining, handing back, or closed.
 * consuming     takes jobs and runs them
 * draining      takes none; a job that BullMQ was just fetching goes back at once; what runs may end until the deadline
 * handing back  every delivery is aborted and its job goes back, whether its handler heeds the signal or not
 * closed        the connections are gone; a job that Redis could not be told of is redelivered when its lock expires
 */
class QueueConsumer implements Consumer {
  readonly #options: ConsumerOptions;
  readonly #handle: Handler;
  readonly #attempts: number;
  readonly #worker: Worker<unknown, true, string>;
  readonly #client: WaitingClient;
  readonly #running = new Map<string, Running>();
  readonly #abandonedListeners = new Set<AbandonedListener>();
  readonly #announcements = new Set<Promise<void>>();
  #drained: Promise<void> | undefined;

  constructor(options: ConsumerOptions, client: WaitingClient, handle: Handler) {
    const { queue, prefix, concurrency, attempts = 4, lockMs = 5_000, stalledCheckMs = 1_000 } = options;
    this.#options = options;
    this.#handle = handle;
    this.#attempts = attempts;
    this.#client = client;
    this.#worker = new Worker(queue, (job: Job, token?: string) => this.#process(job, token), {
      connection: client.redis,
      prefix,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: limits.stalls,
      runRetryDelay: limits.redisRetryMs,
      drainDelay: limits.lookAgainSeconds,
      ...retention,
    });
    this.#worker.on('error', (error) => options.onError?.(error));
    this.#worker.on('lockRenewalFailed', (jobIds) => {
      for (const jobId of jobIds) this.#running.get(jobId)?.delivery.abort(lostLock());
    });
    this.#worker.on('failed', (job) => {
      if (job?.deferredFailure !== undefined) this.#announceAbandoned(job);
    });
  }

  onAbandoned(listener: AbandonedListener): Disposable {
    const entry: AbandonedListener = (job, reason) => listener(job, reason);
    this.#abandonedListeners.add(entry);
    return { [Symbol.dispose]: () => void this.#abandonedListeners.delete(entry) };
  }

  ping({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return pingRedis(this.#client.redis, signal);
  }

  drain({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain({ deadlineMs: 0 });
  }

  async #drain(deadlineMs: number): Promise<void> {
    // Not worker.close(), which could not be cut short any more: it waits for the running jobs for as long as they take.
    const idle = this.#worker.pause();
    const handled = Promise.allSettled([...this.#running.values()].map((running) => running.handled));
    // While Redis is away BullMQ is never idle; when nothing runs here, it has only this long to tell Redis so.
    const ended = Promise.race([idle, handled.then(() => settlesWithin(idle, limits.handBackMs))]);
    if (!(await settlesWithin(ended, deadlineMs))) {
      for (const { delivery } of this.#running.values()) delivery.abort(new HandBack('the worker is stopping'));
      await settlesWithin(idle, limits.handBackMs);
    }
    await settlesWithin(Promise.all(this.#announcements), limits.handBackMs);
    const closed = this.#worker.close(true);
    this.#client.disconnect();
    await settlesWithin(closed, limits.closeMs);
  }

  /** BullMQ's processor: a job is completed when it returns, and failed or retried, by what it throws. */
  async #process(job: Job<unknown, true>, token: string | undefined): Promise<true> {
    const jobId = job.id ?? '';
    if (this.#drained !== undefined) return await handBack(job, token);
    const earlier = this.#running.get(jobId);
    if (earlier !== undefined) {
      // The lock was lost and the job is back before the earlier delivery has ended, or even heard of the loss.
      earlier.delivery.abort(lostLock());
      return await delay(job, token, limits.overlapMs);
    }
    // The policy of retries is the worker's; BullMQ reads it from the job.
    job.opts.attempts = this.#attempts;
    job.opts.backoff = { type: 'exponential', delay: this.#options.backoffMs ?? 1_000, jitter: 0.5 };
    // Stacks are for the log of the worker.
    job.opts.stackTraceLimit = 0;

    const delivery: Delivery = {
      job: this.#parse(job),
      jobId,
      attempt: job.attemptsMade + 1,
      number: job.attemptsStarted,
      lastAttempt: job.attemptsMade + 1 >= this.#attempts,
      suspect: job.stalledCounter > 0,
    };
    try {
      await this.#run(delivery);
      return true;
    } catch (error) {
      if (error instanceof HandBack) return await handBack(job, token);
      if (error instanceof Postpone)
        return await delay(job, token, (this.#options.postponeMs ?? 2_000) * (1 + Math.random()));
      const { code, message, retryable } = reportError(error);
      const reason = `${code}: ${message}`;
      throw retryable ? new Error(reason) : new UnrecoverableError(reason);
    }
  }

  /** Ends with the handler, or when the delivery is aborted. */
  async #run(delivery: Delivery): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const handled = this.#handle(delivery, signal);
    this.#running.set(delivery.jobId, { delivery: controller, handled });
    const forget = (): void => void this.#running.delete(delivery.jobId);
    handled.then(forget, forget);
    await Promise.race([handled, aborted]);
  }

  #announceAbandoned(job: Job): void {
    const parsed = ImageJobSchema.safeParse(job.data);
    if (!parsed.success) return;
    const abandoned = withTrace(parsed.data, job);
    for (const listener of this.#abandonedListeners) {
      const announcement = listener(abandoned, job.deferredFailure ?? '')
        .catch((error: Error) => this.#options.onError?.(error))
        .finally(() => this.#announcements.delete(announcement));
      this.#announcements.add(announcement);
    }
  }

  /** The payload, parsed at the door. One that cannot be read fails the job: no attempt would change it. */
  #parse(job: Job): ImageJob {
    const { success, data, error } = ImageJobSchema.safeParse(job.data);
    if (success) return withTrace(data, job);
    const message = `the payload of job ${job.id} is not one that this version of the fleet reads`;
    this.#options.onError?.(new CaptionfleetError('REQUEST_INVALID', message, { cause: error }));
    throw new UnrecoverableError(`REQUEST_INVALID: ${message}`);
  }
}

function withTrace(data: ImageJob, { opts }: Job): ImageJob {
  const traceparent = traceparentOf(opts);
  return traceparent === undefined ? data : { ...data, traceparent };
}

const lostLock = (): Error => new Error('the lock of the job was lost');

/** Puts the job back at the head of the queue. Returns never: what it throws tells BullMQ that the job has moved. */
async function handBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** Puts the job where it is delivered again after `ms`, as `handBack` does at once. */
async function delay(job: Job, token: string | undefined, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { requestKey } from '@captionfleet/protocol/image-job';
import type { RequestRecord, RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { JobProducer } from '@captionfleet/queue/producer';
import { isFinished } from './request-status.ts';

/** Milliseconds after which a waiting caller's request is looked at although no event came. */
const lookAgainMs = 1_000;

interface Waiter {
  /** How the ids of its jobs begin. */
  readonly jobs: string;
  /** Completion events of this request since the last look. */
  events: number;
  wake: () => void;
}

interface WaitOptions {
  readonly seconds: number;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/**
 * Callers that wait for their request (`Prefer: wait`) or watch it (an event stream), a bounded number of them.
 *
 * A waiter sleeps until as many completion events came as images were open at its last look, or a second has passed; then
 * it looks. Events are hints: one that is lost costs at most that second, one too many costs one look. It ends, with the
 * status of its last look, when its request is finished, its time is up, its caller has gone or the server stops.
 */
export class Waiters implements Disposable {
  readonly #limit: number;
  readonly #waiters = new Set<Waiter>();
  readonly #subscriptions: readonly Disposable[];
  readonly #stopping = new AbortController();

  constructor(producers: readonly Pick<JobProducer, 'onFinished'>[], limit: number) {
    this.#limit = limit;
    this.#subscriptions = producers.map((producer) => producer.onFinished((jobId) => this.#notice(jobId)));
  }

  /** Returns the status of the last look; the first look is made at once. Over the limit it is the only one. */
  async wait(
    { tenant, id }: Pick<RequestRecord, 'tenant' | 'id'>,
    look: (signal: AbortSignal) => Promise<RequestStatus>,
    { seconds, signal }: WaitOptions,
  ): Promise<RequestStatus> {
    if (this.#waiters.size >= this.#limit) return await look(signal);
    const deadline = performance.now() + seconds * 1_000;
    const stop = AbortSignal.any([signal, this.#stopping.signal]);
    const waiter: Waiter = { jobs: `${requestKey(tenant, id)}-`, events: 0, wake: () => undefined };
    this.#waiters.add(waiter);
    try {
      for (;;) {
        const status = await look(signal);
        const left = deadline - performance.now();
        if (isFinished(status) || left <= 0 || stop.aborted) return status;
        await sleep(waiter, status.counts.queued + status.counts.running, Math.min(left, lookAgainMs), stop);
      }
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /**
   * Looks at once, then whenever an image may have ended, until the request is finished or the server stops.
   *
   * @throws STREAMS_FULL over the limit, what `look` throws, the signal's reason
   */
  async *watch(
    { tenant, id }: Pick<RequestRecord, 'tenant' | 'id'>,
    look: (signal: AbortSignal) => Promise<RequestStatus>,
    signal: AbortSignal,
  ): AsyncGenerator<RequestStatus, void> {
    if (this.#waiters.size >= this.#limit) {
      throw new CaptionfleetError('STREAMS_FULL', `${this.#limit} event streams are open already`);
    }
    const stop = AbortSignal.any([signal, this.#stopping.signal]);
    const waiter: Waiter = { jobs: `${requestKey(tenant, id)}-`, events: 0, wake: () => undefined };
    this.#waiters.add(waiter);
    try {
      for (;;) {
        const status = await look(signal);
        yield status;
        if (isFinished(status) || stop.aborted) return;
        await sleep(waiter, 1, lookAgainMs, stop);
      }
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  #notice(jobId: string): void {
    for (const waiter of this.#waiters) {
      if (!jobId.startsWith(waiter.jobs)) continue;
      waiter.events += 1;
      waiter.wake();
    }
  }

  /** Lets all callers go. */
  [Symbol.dispose](): void {
    this.#stopping.abort();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }
}

/** Until `events` came, `milliseconds` passed or the signal aborts. */
async function sleep(waiter: Waiter, events: number, milliseconds: number, signal: AbortSignal): Promise<void> {
  const woken = new AbortController();
  waiter.wake = () => {
    if (waiter.events >= events) woken.abort();
  };
  waiter.wake();
  await delay(milliseconds, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
  waiter.events = 0;
}

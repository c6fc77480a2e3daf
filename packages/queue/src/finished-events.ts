import { QueueEvents } from 'bullmq';
import { connectWaiting } from './redis-client.ts';

type Listener = (jobId: string) => void;

/**
 * Tells listeners of jobs that ended in this queue, with success or without. A hint to look, no more: events are lost
 * while Redis is away. Its connection, which blocks in XREAD, is opened for the first listener.
 */
export class FinishedEvents implements Disposable {
  readonly #open: () => Disposable;
  readonly #listeners = new Set<Listener>();
  #source: Disposable | undefined;

  constructor(redisUrl: string, queue: string, prefix: string) {
    this.#open = () => openEvents(redisUrl, queue, prefix, (jobId) => this.#tell(jobId));
  }

  listen(listener: Listener): Disposable {
    this.#source ??= this.#open();
    // One entry for each call, also when two callers pass the same function.
    const entry: Listener = (jobId) => listener(jobId);
    this.#listeners.add(entry);
    return { [Symbol.dispose]: () => void this.#listeners.delete(entry) };
  }

  #tell(jobId: string): void {
    for (const listener of this.#listeners) listener(jobId);
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#source?.[Symbol.dispose]();
  }
}

function openEvents(redisUrl: string, queue: string, prefix: string, tell: Listener): Disposable {
  const client = connectWaiting(redisUrl, { lazy: true });
  const events = new QueueEvents(queue, {
    connection: client.redis,
    prefix,
    // Both would ask Redis before the first event; when that fails BullMQ gives up for good.
    skipWaitingForReady: true,
    skipVersionCheck: true,
  });
  events.on('error', () => undefined);
  events.on('completed', ({ jobId }) => tell(jobId));
  events.on('failed', ({ jobId }) => tell(jobId));
  return {
    [Symbol.dispose]() {
      // Not waited for: BullMQ waits for the end of a connection that it may just have kept from ending.
      events.close().catch(() => undefined);
      client.disconnect();
    },
  };
}

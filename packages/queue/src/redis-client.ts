import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { Redis } from 'ioredis';

const limits = {
  connectMs: 2_000,
  /** For the answer to one command of a client that fails fast. */
  commandMs: 2_000,
  /** Silence on a socket with commands under way, after which the socket counts as dead and is replaced. */
  silenceMs: 4_000,
  /** The same for a client of blocking commands: longer than BullMQ blocks, which is 10 s at most. */
  blockingSilenceMs: 15_000,
} as const;

const reconnectMs = (attempt: number): number => Math.min(50 * 2 ** attempt, 1_000);

/** A client whose commands are answered in a bounded time or fail; it reconnects by itself. */
export function connectFailingFast(url: string): Redis {
  return quiet(
    new Redis(url, {
      connectTimeout: limits.connectMs,
      commandTimeout: limits.commandMs,
      socketTimeout: limits.silenceMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      retryStrategy: reconnectMs,
    }),
  );
}

export interface WaitingClient {
  readonly redis: Redis;
  /** Disconnects it and the copies that BullMQ made of it, for good; what they were asked may never be answered. */
  disconnect(): void;
}

/**
 * A client whose commands wait until Redis is back, as BullMQ wants it for a Worker and for QueueEvents. BullMQ copies
 * it for the commands that block. `lazy` ones connect with their first command.
 */
export function connectWaiting(url: string, { lazy = false } = {}): WaitingClient {
  const clients: Redis[] = [];
  const adopt = (redis: Redis): Redis => {
    clients.push(quiet(redis));
    return redis;
  };
  const redis = adopt(
    new Redis(url, {
      connectTimeout: limits.connectMs,
      socketTimeout: limits.blockingSilenceMs,
      lazyConnect: lazy,
      maxRetriesPerRequest: null,
      retryStrategy: reconnectMs,
    }),
  );
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => adopt(duplicate(override));
  return {
    redis,
    disconnect() {
      for (const client of clients) {
        client.disconnect();
        // BullMQ answers a lost connection with a new one, also after it was told to close.
        client.connect = () => Promise.reject(new Error('this client is closed'));
      }
    },
  };
}

/** Why a client is not connected: what its last try ended with. */
const connectErrors = new WeakMap<Redis, Error>();

/** The failed commands tell; without a listener ioredis would write each lost connection to the console. */
function quiet(redis: Redis): Redis {
  return redis.on('error', (error: Error) => connectErrors.set(redis, error));
}

/** A client whose socket has just been lost still calls itself ready until it has noticed. */
export const isConnected = (redis: Redis): boolean => redis.status === 'ready' && redis.stream.writable;

/** Whether the client is connected, or becomes so in `milliseconds`. */
export async function becomesReady(redis: Redis, milliseconds: number = limits.connectMs): Promise<boolean> {
  if (isConnected(redis)) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onReady = (): void => resolve(true);
  const timer = setTimeout(resolve, milliseconds, false);
  redis.once('ready', onReady);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    redis.off('ready', onReady);
  }
}

/** Throws QUEUE_UNAVAILABLE when Redis does not answer a PING in time or before the signal aborts. */
export async function pingRedis(redis: Redis, signal?: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(limits.commandMs);
  const stop = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(stop.reason);
  stop.addEventListener('abort', onAbort);
  try {
    stop.throwIfAborted();
    // A waiting client would keep the command until Redis is back.
    if (!isConnected(redis)) throw connectErrors.get(redis) ?? new Error(`the connection is ${redis.status}`);
    await Promise.race([redis.ping(), stopped]);
  } catch (cause) {
    throw queueUnavailable(cause);
  } finally {
    stop.removeEventListener('abort', onAbort);
  }
}

export const queueUnavailable = (cause: unknown): CaptionfleetError =>
  new CaptionfleetError('QUEUE_UNAVAILABLE', 'Redis failed or did not answer in time', { cause });

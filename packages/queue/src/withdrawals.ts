import { connectWaiting } from './redis-client.ts';

/** Where producers say which requests nobody wants any more. */
export const withdrawalChannel = (prefix: string): string => `${prefix}:withdrawn`;

/** Withdrawn requests that are remembered, for jobs of theirs that are delivered later. */
const maxRemembered = 10_000;

export interface Withdrawals extends Disposable {
  /** Calls `listener`, once and perhaps at once, when a request is withdrawn. A hint that may come late or never. */
  onWithdrawn(request: string, listener: () => void): Disposable;
}

/** Listens to the requests that are withdrawn, under the names that `requestKey` of the protocol gives them. */
export function openWithdrawals(redisUrl: string, prefix: string): Withdrawals {
  const client = connectWaiting(redisUrl);
  const listeners = new Map<string, Set<() => void>>();
  const withdrawn = new Set<string>();
  // ioredis subscribes again by itself after each lost connection.
  client.redis.subscribe(withdrawalChannel(prefix)).catch(() => undefined);
  client.redis.on('message', (_channel: string, request: string) => {
    withdrawn.add(request);
    for (const oldest of withdrawn) {
      if (withdrawn.size <= maxRemembered) break;
      withdrawn.delete(oldest);
    }
    for (const listener of listeners.get(request) ?? []) listener();
  });
  return {
    onWithdrawn(request, listener) {
      if (withdrawn.has(request)) listener();
      const own = listeners.get(request) ?? new Set();
      listeners.set(request, own);
      const entry = (): void => listener();
      own.add(entry);
      return {
        [Symbol.dispose]() {
          own.delete(entry);
          if (own.size === 0 && listeners.get(request) === own) listeners.delete(request);
        },
      };
    },
    [Symbol.dispose]() {
      listeners.clear();
      client.disconnect();
    },
  };
}

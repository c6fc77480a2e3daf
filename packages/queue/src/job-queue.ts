import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** BullMQ's queue on a client that fails fast. Its errors are those of the calls, which throw them. */
export function openJobQueue<Name extends string = string>(
  name: string,
  { redis, prefix }: { readonly redis: Redis; readonly prefix: string },
): Queue<object, unknown, Name> {
  const queue = new Queue<object, unknown, Name>(name, {
    connection: redis,
    prefix,
    // Each of these would ask Redis once, at the start, and leave the queue unusable when it does not answer then.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    skipMetasUpdate: true,
  });
  queue.on('error', () => undefined);
  return queue;
}

import type { Redis } from 'ioredis';
import { type KeyOf, type QueueCounts, readCounts, readMemory } from './queue-counts.ts';

/** A queue, and the Redis that it is in, as somebody who watches sees them. */
export interface QueueObservation {
  readonly counts: QueueCounts;
  readonly isPaused: boolean;
  /** Age of the oldest of the jobs that are at the head of each state; 0 when there is none. */
  readonly oldestSeconds: number;
  /** Bytes; a limit of 0 is none. */
  readonly memory: { readonly used: number; readonly limit: number };
}

export async function readObservation(redis: Redis, key: KeyOf): Promise<QueueObservation> {
  const [counts, paused, heads, memory] = await Promise.all([
    readCounts(redis, key),
    redis.hget(key('meta'), 'paused'),
    readHeads(redis, key),
    readMemory(redis),
  ]);
  const enqueued = await Promise.all(heads.map((id) => redis.hget(key(id), 'timestamp')));
  const ages = enqueued.flatMap((at) => (at === null ? [] : [(Date.now() - Number(at)) / 1000]));
  return { counts, isPaused: paused === '1', oldestSeconds: Math.max(0, ...ages), memory };
}

/** BullMQ takes from the right of its lists and from the low end of its sorted sets. */
async function readHeads(redis: Redis, key: KeyOf): Promise<string[]> {
  const [waiting, active, [inTurn], [delayed]] = await Promise.all([
    redis.lindex(key('wait'), '-1'),
    redis.lindex(key('active'), '-1'),
    redis.zrange(key('prioritized'), '0', '0'),
    redis.zrange(key('delayed'), '0', '0'),
  ]);
  return [waiting, active, inTurn, delayed].filter((id): id is string => typeof id === 'string');
}

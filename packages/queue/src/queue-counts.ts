import type { Redis } from 'ioredis';

/** Jobs of a queue by state. `delayed` are those that wait for their next attempt. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** Makes the key of a part of a queue, such as `wait`, or of a job. */
export type KeyOf = (part: string) => string;

export async function readCounts(redis: Redis, key: KeyOf): Promise<QueueCounts> {
  const [inLine, inTurn, active, delayed, failed] = await Promise.all([
    redis.llen(key('wait')),
    redis.zcard(key('prioritized')),
    redis.llen(key('active')),
    redis.zcard(key('delayed')),
    redis.zcard(key('failed')),
  ]);
  return { waiting: inLine + inTurn, active, delayed, failed };
}

/** Bytes that Redis uses, and its limit; a limit of 0 is none. */
export async function readMemory(redis: Redis): Promise<{ used: number; limit: number }> {
  const info = await redis.info('memory');
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), limit: field('maxmemory') };
}

import type { Redis } from 'ioredis';
import { becomesReady, connectFailingFast, queueUnavailable } from './redis-client.ts';

/** Seconds after which a memory that nobody renewed is forgotten. */
const livesSeconds = 24 * 60 * 60;

/**
 * Writes what was decided if the memory is still what the decision was made from. A full Redis refuses the write; the decision is
 * no worse for it, only the next one, so that is no failure.
 *
 * KEYS[1] the memory; ARGV[1] what it was, empty for none, ARGV[2] what it becomes, ARGV[3] seconds that it lives
 */
const replaceScript = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.pcall('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
`;

interface ReplacingClient {
  replaceMemory(key: string, before: string, after: string, seconds: number): Promise<0 | 1>;
}

/** What whoever decides about a pool's size remembers; all API processes have it in common. @throws QUEUE_UNAVAILABLE */
export interface ScalingMemoryStore extends AsyncDisposable {
  read(pool: string): Promise<string | undefined>;
  /** Returns false, and writes nothing, when another process has written since `before` was read. */
  replace(pool: string, before: string | undefined, after: string): Promise<boolean>;
}

export async function openScalingMemory(redisUrl: string, prefix: string): Promise<ScalingMemoryStore> {
  const redis = connectFailingFast(redisUrl);
  await becomesReady(redis);
  redis.defineCommand('replaceMemory', { numberOfKeys: 1, lua: replaceScript });
  const client = redis as Redis & ReplacingClient;
  const key = (pool: string): string => `${prefix}:scaling:${pool}`;
  const ask = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    answer.catch((error: unknown) => {
      throw queueUnavailable(error);
    });
  return {
    read: async (pool) => (await ask(redis.get(key(pool)))) ?? undefined,
    replace: async (pool, before = '', after) =>
      (await ask(client.replaceMemory(key(pool), before, after, livesSeconds))) === 1,
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

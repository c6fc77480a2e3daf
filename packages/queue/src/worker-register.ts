import { type WorkerPresence, WorkerPresenceSchema } from '@captionfleet/protocol/worker-presence';
import { becomesReady, connectFailingFast, queueUnavailable } from './redis-client.ts';

/** Seconds after its last sign of life at which a worker counts as gone. */
const livesSeconds = 15;
const signMs = 5_000;

interface RegisterOptions {
  readonly redisUrl: string;
  /** Common start of all keys. */
  readonly prefix: string;
}

const keysOf = (prefix: string) => ({
  workers: `${prefix}:workers`,
  worker: (id: string) => `${prefix}:workers:${id}`,
});

export interface WorkerRegister extends AsyncDisposable {
  /** The workers that are alive, by their ids. @throws QUEUE_UNAVAILABLE */
  list(): Promise<readonly WorkerPresence[]>;
}

/** What workers say of themselves. It lives in Redis alone: whoever is alive says it again. */
export async function openWorkerRegister({ redisUrl, prefix }: RegisterOptions): Promise<WorkerRegister> {
  const redis = connectFailingFast(redisUrl);
  await becomesReady(redis);
  const keys = keysOf(prefix);
  return {
    async list() {
      try {
        const ids = (await redis.smembers(keys.workers)).sort();
        const said = ids.length === 0 ? [] : await redis.mget(ids.map(keys.worker));
        const gone = ids.filter((_, position) => said[position] == null);
        if (gone.length > 0) await redis.srem(keys.workers, ...gone);
        return said.flatMap((text) => WorkerPresenceSchema.safeParse(parseJson(text)).data ?? []);
      } catch (error) {
        throw queueUnavailable(error);
      }
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

/** Says every few seconds, until it is disposed of, what `describe` gives then; while Redis is away nothing is said. */
export async function announceWorker(
  { redisUrl, prefix }: RegisterOptions,
  describe: () => WorkerPresence,
): Promise<AsyncDisposable> {
  const redis = connectFailingFast(redisUrl);
  const keys = keysOf(prefix);
  const { id } = describe();
  const say = async (): Promise<void> => {
    await redis.set(keys.worker(id), JSON.stringify(describe()), 'EX', livesSeconds);
    await redis.sadd(keys.workers, id);
  };
  await becomesReady(redis);
  await say().catch(() => undefined);
  const timer = setInterval(() => void say().catch(() => undefined), signMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await redis.del(keys.worker(id)).catch(() => undefined);
      redis.disconnect();
    },
  };
}

function parseJson(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

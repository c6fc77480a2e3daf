import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildModel } from '@captionfleet/blip/build-model';
import { type LocalApi, type LocalApp, startApi, startWorker } from '../../apps/cli/src/local-app.ts';
import { findFreePort } from '../../apps/cli/src/local-process.ts';
import { startAzurite } from './azurite.ts';
import { startRedis } from './redis.ts';

export interface TestFleet extends AsyncDisposable {
  readonly api: LocalApi;
  readonly workers: readonly LocalApp[];
  readonly redisUrl: string;
  readonly connectionString: string;
  readonly container: string;
  readonly modelDirectory: string;
  /** What its processes were started with, for more of them. */
  readonly env: NodeJS.ProcessEnv;
  /** A directory that goes with the fleet. */
  readonly scratch: string;
}

interface FleetOptions {
  readonly workers: number;
  /** Hugging Face checkpoint to serve. Default: the golden captioner, small and with random weights. */
  readonly checkpoint?: string;
  /** A model that is built already, instead of a checkpoint. */
  readonly modelDirectory?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const goldenDirectory = new URL('../fixtures/golden/', import.meta.url).pathname;

/** A whole fleet as real processes on real backends: API, Redis, Blob storage, workers. */
export async function startFleet(options: FleetOptions): Promise<TestFleet> {
  const parts = new AsyncDisposableStack();
  try {
    const signal = AbortSignal.timeout(120_000);
    const scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
    parts.defer(() => rm(scratch, { recursive: true, force: true }));
    const [redis, azurite] = await Promise.all([startRedis(), startAzurite()]);
    parts.use(redis);
    parts.use(azurite);
    const modelDirectory =
      options.modelDirectory ?? (await buildInto(join(scratch, 'model'), options.checkpoint, signal));
    const container = `test-${randomUUID()}`;
    const env = {
      ...process.env,
      CAPTIONFLEET_HOME: scratch,
      REDIS_URL: redis.url,
      AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString,
      CAPTIONFLEET_CONTAINER: container,
      CAPTIONFLEET_MODEL_DIR: modelDirectory,
      CAPTIONFLEET_CACHE_DIR: join(scratch, 'prepared'),
      CAPTIONFLEET_INFERENCE_PROCESSES: '1',
      ...options.env,
    };
    const api = parts.use(await startApi(await findFreePort(), env, signal));
    const workers = await Promise.all(Array.from({ length: options.workers }, () => startWorker(env, signal)));
    for (const worker of workers) parts.use(worker);
    return {
      api,
      workers,
      redisUrl: redis.url,
      connectionString: azurite.connectionString,
      container,
      modelDirectory,
      env,
      scratch,
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

/** The environment of another app of the same fleet. */
export const envOf = (fleet: TestFleet): NodeJS.ProcessEnv => ({
  ...process.env,
  CAPTIONFLEET_HOME: fleet.scratch,
  REDIS_URL: fleet.redisUrl,
  AZURE_STORAGE_CONNECTION_STRING: fleet.connectionString,
  CAPTIONFLEET_CONTAINER: fleet.container,
});

async function buildInto(
  output: string,
  checkpoint = join(goldenDirectory, 'captioner'),
  signal: AbortSignal,
): Promise<string> {
  await buildModel({ checkpoint, output, id: 'test/captioner', revision: 'test', signal });
  return output;
}

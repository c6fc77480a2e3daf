import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { CaptionfleetError, type ErrorCode } from '@captionfleet/protocol/errors';
import type { CaptionRequestStatus } from '@captionfleet/protocol/image-outcome';
import { createDirectory } from './create-directory.ts';
import { enqueueCommand } from './enqueue-command.ts';
import { startApi, startWorker } from './local-app.ts';
import { startLocalAzurite } from './local-azurite.ts';
import { findFreePort } from './local-process.ts';
import { startLocalRedis } from './local-redis.ts';
import { describeVariants } from './model-build.ts';
import { openModel } from './model-commands.ts';
import { demoSamples, stateDirectory } from './state-directory.ts';

interface UpFlags {
  readonly model?: string | undefined;
  /** Leave out the captions of the sample images. */
  readonly samples: boolean;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Brings up the whole fleet on this machine, real parts on embedded defaults: redis-server, Azurite, a worker with one
 * inference process per core, the API. What the environment names (REDIS_URL, AZURE_STORAGE_CONNECTION_STRING,
 * CAPTIONFLEET_MODEL_DIR) is used instead. Captions the sample images, then stays until `signal`; parts end in the
 * reverse order of their start.
 */
export async function up(flags: UpFlags, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const state = stateDirectory(env);
  const logs = join(state, 'logs');
  const preferredPort = readPort(env['PORT']);
  await createDirectory(logs, 'CAPTIONFLEET_HOME');
  await using parts = new AsyncDisposableStack();
  parts.use(await takeDirectory(state));
  const model = await openModel(flags.model, signal, env);
  say(`model    ${model.manifest.id}@${model.manifest.revision} (${describeVariants(model.manifest)})`);

  // What ends by itself ends the fleet: a part that came back would have lost what it had not written yet.
  const lost = new AbortController();
  const watch = (name: string, { ended }: { readonly ended: Promise<string> }) =>
    ended.then((how) => lost.abort(new CaptionfleetError('INTERNAL', `${name} ended by itself (${how})`)));
  const redisUrl = env['REDIS_URL'] || (await embeddedRedis(parts, join(state, 'redis'), watch));
  const connectionString =
    env['AZURE_STORAGE_CONNECTION_STRING'] || (await embeddedAzurite(parts, join(state, 'azurite'), watch));
  const port = await choosePort(preferredPort);
  const shared = {
    ...env,
    REDIS_URL: redisUrl,
    AZURE_STORAGE_CONNECTION_STRING: connectionString,
    CAPTIONFLEET_MODEL_DIR: model.path,
    CAPTIONFLEET_CACHE_DIR: env['CAPTIONFLEET_CACHE_DIR'] ?? join(state, 'prepared'),
    CAPTIONFLEET_TASKS: model.manifest.tasks.join(','),
  };
  const running = AbortSignal.any([signal, lost.signal]);
  const api = parts.use(await startApi(port, shared, running));
  void watch(`the API, whose log is ${nearName(logs)}/api.log,`, api);
  const worker = parts.use(await startWorker(shared, running));
  void watch(`the worker, whose log is ${nearName(logs)}/worker.log,`, worker);
  if (flags.samples) await captionSamples(api.url, env['CAPTIONFLEET_API_KEY'] || undefined, running);
  say(`\nAPI      ${api.url}   (POST /v1/captions, /openapi.json, /readyz)`);
  say(`metrics  ${api.adminUrl}/metrics (API), ${worker.url}/metrics (worker)`);
  say(
    `results  in Blob storage, container ${env['CAPTIONFLEET_CONTAINER'] ?? 'captionfleet'}; logs in ${nearName(logs)}`,
  );
  say('\nup; Ctrl-C stops everything');

  if (!running.aborted) await once(running, 'abort');
  if (!signal.aborted) throw lost.signal.reason;
  say('\nstopping: what runs is finished, what waits stays in the queue');
}

/** Two embedded Redis servers must never share an append-only file: one `up` a directory. */
async function takeDirectory(state: string): Promise<AsyncDisposable> {
  const file = join(state, 'up.pid');
  const other = Number(await readFile(file, 'utf8').catch(() => '0'));
  if (other > 0 && other !== process.pid && isRunning(other)) {
    throw new CaptionfleetError(
      'CONFIG_INVALID',
      `another fleet (process ${other}) is up in ${state}; stop it, or set CAPTIONFLEET_HOME to another directory`,
    );
  }
  await writeFile(file, String(process.pid));
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Tells of the end of a part that nobody ordered. */
type Watch = (name: string, part: { readonly ended: Promise<string> }) => Promise<void>;

async function embeddedRedis(parts: AsyncDisposableStack, directory: string, watch: Watch): Promise<string> {
  await createDirectory(directory, 'CAPTIONFLEET_HOME');
  const redis = parts.use(await startLocalRedis({ directory }));
  void watch('Redis', redis);
  say(`redis    ${redis.url}`);
  return redis.url;
}

async function embeddedAzurite(parts: AsyncDisposableStack, directory: string, watch: Watch): Promise<string> {
  await createDirectory(directory, 'CAPTIONFLEET_HOME');
  const azurite = parts.use(await startLocalAzurite({ directory }));
  void watch('Azurite, the Blob storage,', azurite);
  say(`blob     ${azurite.endpoint} (Azurite)`);
  return azurite.connectionString;
}

/** Before anything is started. */
function readPort(asked: string | undefined): number {
  const preferred = Number(asked || 8080);
  if (Number.isInteger(preferred) && preferred >= 0 && preferred <= 65535) return preferred;
  throw new CaptionfleetError('CONFIG_INVALID', `PORT is "${asked}" and must be a number from 0 to 65535`);
}

/** As people write it: from the current directory when it is below. */
function nearName(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === '' || fromHere.startsWith('..') ? path : fromHere;
}

/** The port that was asked for, or another free one, and says so. */
async function choosePort(preferred: number): Promise<number> {
  const port = await findFreePort(preferred);
  if (preferred !== 0 && port !== preferred) say(`port     ${preferred} is in use; the API takes ${port}`);
  return port;
}

const sampleRefusals: ReadonlySet<ErrorCode> = new Set(['QUEUE_FULL', 'UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED']);

async function captionSamples(baseUrl: string, key: string | undefined, signal: AbortSignal): Promise<void> {
  const images = (await readdir(demoSamples)).filter((name) =>
    ['.png', '.jpg', '.webp', '.gif'].includes(extname(name)),
  );
  const files = images.sort().map((name) => join(demoSamples, name));
  const started = performance.now();
  try {
    for await (const event of enqueueCommand(files, {}, { api: baseUrl, wait: 60, key }, signal)) {
      if (event.type === 'request-posted') printSamples(images, event.status);
    }
  } catch (error) {
    // A fleet that holds fewer images than there are samples, or asks for a key, is up all the same.
    if (!(error instanceof CaptionfleetError && sampleRefusals.has(error.code))) throw error;
    return say(`\nsamples  left out: ${error.code}: ${error.message}`);
  }
  const seconds = (performance.now() - started) / 1000;
  say(`\n${files.length} images captioned through the API, Redis and a worker in ${seconds.toFixed(2)} s`);
}

function printSamples(names: readonly string[], { images }: CaptionRequestStatus): void {
  const width = Math.max(...names.map((name) => name.length));
  say('');
  for (const image of images) {
    const name = (names[image.index] ?? '').padEnd(width);
    if (image.status === 'succeeded') {
      const { preprocessMs, inferenceMs } = image.timings;
      say(`${name}  ${image.captions[0]?.text}   (${Math.round(preprocessMs)} + ${Math.round(inferenceMs)} ms)`);
    } else say(`${name}  ${'error' in image ? `${image.error.code}: ${image.error.message}` : image.status}`);
  }
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from '@captionfleet/blip/build-model';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { Task } from '@captionfleet/protocol/task';
import { InferencePool, type InferencePoolConfig, type PoolEvents } from './inference-pool.ts';

const golden = new URL('../../../test/fixtures/golden/', import.meta.url);
const limitMs = 60_000;

let scratch: string;
let modelDirectory: string;
/** Serves the golden images over HTTP, `/held` never, and `/late` when it is released. */
let host: string;
const late = Promise.withResolvers<string>();
const server = createServer();
const images = new Map<string, Buffer>();

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-pool-'));
  modelDirectory = join(scratch, 'model');
  await buildModel({
    checkpoint: new URL('captioner', golden).pathname,
    output: modelDirectory,
    id: 'test/captioner',
    revision: 'test',
    signal: AbortSignal.timeout(limitMs),
  });
  const directory = new URL('images/', golden);
  for (const name of await readdir(directory)) images.set(`/${name}`, await readFile(new URL(name, directory)));
  server.on('request', (request, response) => {
    if (request.url === '/held') return;
    if (request.url === '/late') {
      void late.promise.then((name) => response.end(images.get(name)));
      return;
    }
    const bytes = images.get(request.url ?? '');
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(scratch, { recursive: true, force: true });
});

function openPool(events: PoolEvents = {}, changes: Partial<InferencePoolConfig> = {}): InferencePool {
  const settings = { modelDirectory, threads: 1, imageContainers: [], allowPrivateHosts: [host] };
  return new InferencePool({ settings, processes: 1, affinity: () => [], batchMs: limitMs, events, ...changes });
}

const captionTask: Task = { type: 'caption', options: { max_new_tokens: 8 } };
const entry = (name: string, signal = new AbortController().signal, task: Task = captionTask) => ({
  item: { source: { url: `http://${host}/${name}` }, task },
  signal,
});

/** Runs the images as one batch as soon as there is room for it. */
async function caption(pool: InferencePool, names: readonly string[]): Promise<readonly ImageOutcome[]> {
  await pool.ready;
  return await Promise.all(
    pool.run(
      names.map((name) => entry(name)),
      { alone: false },
    ),
  );
}

const summary = (outcomes: readonly ImageOutcome[]): string[] =>
  outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.error.code : outcome.status));

test('captions come back with timings, facts and the model; a bad neighbour fails alone', async () => {
  await using pool = openPool();
  const [good, missing, again] = await caption(pool, ['01-landscape.jpg', 'nowhere.jpg', '02-portrait.png']);
  assert.equal(missing?.status === 'failed' && missing.error.code, 'SOURCE_NOT_FOUND');
  assert.equal(again?.status, 'succeeded');
  assert.equal(good?.status, 'succeeded');
  assert.ok(good.status === 'succeeded' && 'captions' in good);
  assert.deepEqual(good.model, { id: 'test/captioner', revision: 'test', variant: 'fp32' });
  assert.equal(good.image.format, 'jpeg');
  assert.match(good.image.sha256, /^[0-9a-f]{64}$/);
  assert.ok((good.captions[0]?.tokens.length ?? 0) > 1);
  for (const [stage, milliseconds] of Object.entries(good.timings)) assert.ok((milliseconds ?? -1) >= 0, stage);
  assert.ok(good.timings.inferenceMs > 0 && good.timings.preprocessMs > 0);
});

test('the pool says what its model can do, and a task beyond that fails alone', async () => {
  await using pool = openPool();
  assert.deepEqual((await pool.ready).tasks, ['caption']);
  const match: Task = { type: 'match', texts: ['a cat'] };
  const outcomes = await Promise.all(
    pool.run([entry('01-landscape.jpg', undefined, match), entry('02-portrait.png')], { alone: false }),
  );
  assert.deepEqual(summary(outcomes), ['TASK_UNSUPPORTED', 'succeeded']);
});

test('a process that is killed in the middle of a batch loses nothing, and is replaced', async () => {
  const ended: string[] = [];
  let killed = false;
  const pids = new Set<number>();
  await using pool = openPool({
    processReady: ({ pid }) => pids.add(pid ?? 0),
    imageFetched: ({ pid }) => {
      if (!killed) process.kill(pid ?? 0, 'SIGKILL');
      killed = true;
    },
    processEnded: ({ exit, end }) => ended.push(`${end} ${exit}`),
  });
  const names = ['01-landscape.jpg', '02-portrait.png', '04-small.png', '05-gray.jpg'];
  assert.deepEqual(
    summary(await caption(pool, names)),
    names.map(() => 'succeeded'),
  );
  assert.deepEqual(ended, ['died SIGKILL']);
  assert.equal(pids.size, 2);
});

test('an image that ends a process twice is quarantined by its bytes, and its neighbours are captioned', async () => {
  const poison = '04-small.png';
  let deaths = 0;
  const quarantined: (string | undefined)[] = [];
  await using pool = openPool({
    imageFetched: ({ pid, source }) => {
      if (!('url' in source && source.url.endsWith(poison)) || deaths === 2) return;
      process.kill(pid ?? 0, 'SIGKILL');
    },
    processEnded: ({ end }) => {
      if (end === 'died') deaths += 1;
    },
    imageQuarantined: ({ sha256 }) => quarantined.push(sha256),
  });
  const names = ['01-landscape.jpg', poison, '02-portrait.png'];
  assert.deepEqual(summary(await caption(pool, names)), ['succeeded', 'IMAGE_QUARANTINED', 'succeeded']);
  assert.equal(deaths, 2);
  assert.equal(quarantined.length, 1);
  assert.match(quarantined[0] ?? '', /^[0-9a-f]{64}$/);

  // The same bytes from another place, in the process that lives now and knows them.
  images.set('/copy.png', images.get(`/${poison}`) ?? Buffer.alloc(0));
  assert.deepEqual(summary(await caption(pool, ['copy.png', '05-gray.jpg'])), ['IMAGE_QUARANTINED', 'succeeded']);
});

test('a process that holds a batch too long is replaced, and an image that never ends is quarantined', async () => {
  const ends: string[] = [];
  await using pool = openPool({ processEnded: ({ end }) => ends.push(end) }, { batchMs: 1500 });
  assert.deepEqual(summary(await caption(pool, ['held', '01-landscape.jpg'])), ['IMAGE_QUARANTINED', 'succeeded']);
  assert.deepEqual(ends.slice(0, 2), ['timeout', 'timeout']);
});

test('an image that is late holds up neither its neighbours nor the batches behind it', async () => {
  await using pool = openPool();
  await pool.ready;
  const batch = [entry('late'), entry('01-landscape.jpg'), entry('late')];
  const [slow, neighbour, slower] = pool.run(batch, { alone: false });
  assert.equal((await neighbour)?.status, 'succeeded');
  for (const name of ['02-portrait.png', '05-gray.jpg'])
    assert.deepEqual(summary(await caption(pool, [name])), ['succeeded']);
  late.resolve('/01-landscape.jpg');
  for (const outcome of [slow, slower]) assert.equal((await outcome)?.status, 'succeeded');
});

test('an image that is cancelled rejects with the reason of its signal and the others go on', async () => {
  await using pool = openPool();
  await pool.ready;
  const cancel = new AbortController();
  const [held, good] = pool.run([entry('held', cancel.signal), entry('01-landscape.jpg')], { alone: false });
  const reason = new Error('nobody waits');
  cancel.abort(reason);
  await assert.rejects(held ?? Promise.resolve(), reason);
  assert.equal((await good)?.status, 'succeeded');
});

test('a model directory that is none ends the pool with its error, without another try', async () => {
  const settings = { modelDirectory: join(scratch, 'nothing'), threads: 1, imageContainers: [], allowPrivateHosts: [] };
  let ends = 0;
  await using pool = openPool({ processEnded: () => (ends += 1) }, { settings });
  const error = await pool.failed;
  assert.equal(error.code, 'MODEL_NOT_FOUND');
  assert.match(error.message, /nothing/);
  await pool[Symbol.asyncDispose]();
  assert.equal(ends, 1);
});

test('what is in the pool when it is closed and disposed fails as SHUTTING_DOWN', async () => {
  const pool = openPool();
  await pool.ready;
  const [held] = pool.run([entry('held')], { alone: false });
  const failure = assert.rejects(held ?? Promise.resolve(), { code: 'SHUTTING_DOWN' });
  await pool[Symbol.asyncDispose]();
  await failure;
});

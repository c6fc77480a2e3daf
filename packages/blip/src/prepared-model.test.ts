import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from './build-model.ts';
import { openEngine } from './engine.ts';
import { type ModelDirectory, readModelDirectory } from './model-directory.ts';
import { prepareVariant } from './prepared-model.ts';

const checkpoint = new URL('../../../models/demo/checkpoint', import.meta.url).pathname;
const signal = AbortSignal.timeout(60_000);
let scratch: string;
let model: ModelDirectory;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  const output = join(scratch, 'model');
  await buildModel({ checkpoint, output, id: 'test/demo', revision: '1', signal });
  model = await readModelDirectory(output, { signal });
});
after(() => rm(scratch, { recursive: true }));

const prepareIn = (cache: string) => prepareVariant(model, 'fp32', { cache: join(scratch, cache), signal });

test('a prepared variant gives the captions that the model itself gives', async () => {
  const prepared = await prepareIn('equal');
  await using direct = await openEngine(model, { intraOpThreads: 1 });
  await using mapped = await openEngine(model, { intraOpThreads: 1, prepared });
  assert.deepEqual(mapped.identity, direct.identity);
  const pixels = Uint8Array.from({ length: model.manifest.image.side ** 2 * 3 }, (_, place) => (place * 7) % 256);
  const items = [{ pixels, task: { type: 'caption' as const, options: { num_beams: 2 } } }];
  const [[exact], [same]] = [await direct.run(items, { signal }), await mapped.run(items, { signal })];
  assert.ok(exact && same && 'captions' in exact && 'captions' in same);
  assert.deepEqual(
    same.captions.map(({ tokens }) => tokens),
    exact.captions.map(({ tokens }) => tokens),
  );
});

test('what was prepared is found again; two callers at a time both have it', async () => {
  const [first, second] = await Promise.all([prepareIn('twice'), prepareIn('twice')]);
  assert.deepEqual(first, second);
  const inventory = await readFile(join(first.directory, 'prepared.json'));
  assert.deepEqual(await prepareIn('twice'), first);
  assert.deepEqual(await readFile(join(first.directory, 'prepared.json')), inventory);
  assert.equal((await readdir(join(scratch, 'twice'))).length, 1, 'no scratch directory is left');
});

test('a damaged or cut file is noticed, and the variant is prepared anew', async () => {
  const { directory } = await prepareIn('damaged');
  const weights = join(directory, 'vision-encoder.bin');
  const whole = await readFile(weights);
  const flipped = Uint8Array.from(whole);
  flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1;
  await writeFile(weights, flipped);
  await prepareIn('damaged');
  assert.deepEqual(await readFile(weights), whole);
  // Flipped so that its date tells nothing: only a thorough look finds it.
  const { mtime, atime } = await stat(weights);
  await writeFile(weights, flipped);
  await utimes(weights, atime, mtime);
  await prepareVariant(model, 'fp32', { cache: join(scratch, 'damaged'), thorough: true, signal });
  assert.deepEqual(await readFile(weights), whole);
  await truncate(weights, 100);
  await prepareIn('damaged');
  assert.deepEqual(await readFile(weights), whole);
});

test('what nobody has run for a month makes way for what is prepared anew; what is of somebody else stays', async () => {
  const cache = join(scratch, 'old');
  const [gone, kept] = [join(cache, '0123456789abcdef-fp32-x'), join(cache, 'fedcba9876543210-int8-y')];
  const monthAgo = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
  for (const directory of [gone, kept, join(cache, 'photos')]) {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'prepared.json'), '{}');
  }
  for (const name of [gone, join(cache, 'photos')]) await utimes(join(name, 'prepared.json'), monthAgo, monthAgo);
  const { directory } = await prepareIn('old');
  assert.deepEqual((await readdir(cache)).toSorted(), [basename(directory), basename(kept), 'photos'].toSorted());
});

test('a cache that cannot be written is a setting that is wrong', async () => {
  await writeFile(join(scratch, 'a-file'), '');
  await assert.rejects(prepareIn('a-file'), { code: 'CONFIG_INVALID' });
});

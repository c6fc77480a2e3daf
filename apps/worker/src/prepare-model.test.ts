import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from '@captionfleet/blip/build-model';
import { recordReference } from '@captionfleet/blip/drift-check';
import { manifestChecksum, readModelDirectory } from '@captionfleet/blip/model-directory';
import { watchDrift } from './drift-watch.ts';
import { prepareModel } from './prepare-model.ts';

const checkpoint = new URL('../../../models/demo/checkpoint', import.meta.url).pathname;
const signal = AbortSignal.timeout(120_000);
let scratch: string;
let good: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  good = join(scratch, 'model');
  await buildModel({ checkpoint, output: good, id: 'test/demo', revision: '1', signal });
  await recordReference(await readModelDirectory(good, { signal }), { intraOpThreads: 1, signal });
});
after(() => rm(scratch, { recursive: true }));

const request = (modelDirectory: string, cache = 'cache') => ({
  modelDirectory,
  variant: 'auto' as const,
  cache: join(scratch, cache),
});

async function copyOf(name: string): Promise<string> {
  const copy = join(scratch, name);
  await cp(good, copy, { recursive: true });
  return copy;
}

test('a good model is verified, prepared and asked again', async () => {
  const { choice, timings } = await prepareModel(request(good), signal);
  assert.ok(choice.variant === 'fp32' && 'directory' in choice);
  assert.ok(timings.verifyMs > 0 && timings.prepareMs > 0);
});

test('a model that is missing or damaged is refused as what it is', async () => {
  await assert.rejects(prepareModel(request(join(scratch, 'nothing')), signal), { code: 'MODEL_NOT_FOUND' });
  const damaged = await copyOf('damaged');
  const weights = join(damaged, 'weights.bin');
  const bytes = await readFile(weights);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(weights, bytes);
  await assert.rejects(prepareModel(request(damaged), signal), { code: 'MODEL_CORRUPT' });
});

test('where nothing can be written, fp32 is served from the model itself, and the reason says so', async () => {
  await writeFile(join(scratch, 'a-file'), '');
  const { choice } = await prepareModel(request(good, 'a-file'), signal);
  assert.ok(!('directory' in choice));
  assert.match(choice.reason, /a-file cannot be written/);
});

test('a pass counts for the starts after it, unless the model is to be asked again', async () => {
  const { choice } = await prepareModel(request(good), signal);
  assert.ok('directory' in choice);
  const pass = join(choice.directory, 'drift-check.json');
  const { at } = JSON.parse(await readFile(pass, 'utf8'));
  await prepareModel(request(good), signal);
  assert.equal(JSON.parse(await readFile(pass, 'utf8')).at, at);
  await prepareModel({ ...request(good), askAgain: true }, signal);
  assert.ok(JSON.parse(await readFile(pass, 'utf8')).at > at);
});

/** The model as if it had said something else when it was built. */
async function withOtherReference(name: string): Promise<string> {
  const copy = await copyOf(name);
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  for (const text of manifest.references.fp32.captions) text.meanLogProbability -= 1;
  await writeFile(path, JSON.stringify({ ...manifest, checksum: manifestChecksum(manifest) }));
  return copy;
}

test('a model that answers otherwise than when it was built is refused', async () => {
  const drifted = await withOtherReference('drifted');
  await assert.rejects(prepareModel(request(drifted), signal), {
    code: 'MODEL_DRIFTED',
    message: /fp32 answers otherwise.*logProbabilityDifference is 1\.0/,
  });
});

test('the watch passes a good model turn by turn, and ends with what is wrong once something is', async () => {
  const watched = await copyOf('watched');
  const checks: string[] = [];
  const passedTwice = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const ended = watchDrift({
    request: { ...request(watched), variant: 'fp32' },
    everyMs: 1,
    onCheck(outcome) {
      checks.push(outcome);
      if (checks.length === 2) passedTwice.resolve();
    },
    signal: AbortSignal.any([signal, stopping.signal]),
  });
  await passedTwice.promise;
  assert.deepEqual(checks.slice(0, 2), ['passed', 'passed']);
  await rm(join(watched, 'text-decoder.onnx'));
  const { code } = await ended;
  assert.equal(code, 'MODEL_NOT_FOUND');
  assert.equal(checks.at(-1), 'failed');
});

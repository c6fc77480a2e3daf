import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from './build-model.ts';
import { openEngine } from './engine.ts';
import { readInstructionSet } from './instruction-set.ts';
import { type ModelDirectory, readModelDirectory } from './model-directory.ts';
import type { ParityReport } from './parity-gate.ts';
import { makeProbes } from './probes.ts';
import { quantizeModel } from './quantize-model.ts';
import { chooseVariant, refusalOfInt8, worthwhileGain } from './variant-choice.ts';

const demo = new URL('../../../models/demo/', import.meta.url);
const checkpoint = new URL('checkpoint', demo).pathname;
const signal = AbortSignal.timeout(120_000);
const parity: ParityReport = {
  ...{ accepted: true, probes: 1, equalCaptions: 1, tokenAgreement: 1, logProbabilityDifference: 0 },
  thresholds: {},
};

let scratch: string;
let plain: ModelDirectory;
let withInt8: ModelDirectory;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  const build = async (name: string) => {
    const output = join(scratch, name);
    await buildModel({ checkpoint, output, id: 'test/demo', revision: '1', signal });
    return output;
  };
  plain = await readModelDirectory(await build('plain'), { signal });
  const model = await build('int8');
  const picture = await readFile(new URL('samples/boat-on-the-water.jpg', demo));
  const probes = await makeProbes(picture, plain.manifest.image.side, { signal });
  await quantizeModel({ model, checkpoint, probes, intraOpThreads: 1, signal });
  withInt8 = await readModelDirectory(model, { signal });
});
after(() => rm(scratch, { recursive: true }));

test('int8 that is not there, was refused, or that the processor is not made for gives way to fp32, with the reason', async () => {
  const cache = join(scratch, 'fallback');
  for (const wish of ['int8', 'auto'] as const) {
    const { variant, reason } = await chooseVariant(plain, wish, { cache, signal });
    assert.deepEqual([variant, reason], ['fp32', 'the model has no int8 variant']);
  }
  const able = { name: 'avx512-vnni', multipliesBytes: true };
  const refused = { exactLayers: [], parity: { ...parity, accepted: false, reason: 'tokenAgreement is 0.5' } };
  assert.match(refusalOfInt8({ int8: refused }, able) ?? '', /parity gate: tokenAgreement is 0\.5/);
  const accepted = { exactLayers: [], parity };
  assert.match(refusalOfInt8({ int8: accepted }, { name: 'avx2', multipliesBytes: false }) ?? '', /avx2/);
  assert.equal(refusalOfInt8({ int8: accepted }, able), undefined);
});

test('auto takes int8 where it measured, once, that it is worth it, and what it prepared answers', async () => {
  const cache = join(scratch, 'auto');
  const first = await chooseVariant(withInt8, 'auto', { cache, signal });
  if (!readInstructionSet().multipliesBytes) {
    assert.equal(first.variant, 'fp32');
    return;
  }
  const { fp32 = 0, int8 = 0 } = first.speeds;
  assert.ok(fp32 > 0 && int8 > 0);
  assert.equal(first.variant, int8 / fp32 >= worthwhileGain ? 'int8' : 'fp32');
  assert.deepEqual(
    await chooseVariant(withInt8, 'auto', { cache, signal }),
    first,
    'the second time nothing is measured',
  );
  assert.equal((await readdir(cache)).length, 2);
});

test('int8 as it was prepared for this machine answers as the int8 graphs themselves', async () => {
  if (!readInstructionSet().multipliesBytes) return;
  const prepared = await chooseVariant(withInt8, 'int8', { cache: join(scratch, 'int8-cache'), signal });
  assert.equal(prepared.variant, 'int8');
  await using direct = await openEngine(withInt8, { intraOpThreads: 1, variant: 'int8' });
  await using mapped = await openEngine(withInt8, { intraOpThreads: 1, prepared });
  const { side } = withInt8.manifest.image;
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, place) => (place * 11) % 256);
  const items = [
    { pixels, task: { type: 'caption' as const, options: { num_beams: 3 } } },
    { pixels, task: { type: 'match' as const, texts: ['a cat', 'two dogs in the snow'] } },
  ];
  const withoutTime = (answers: Awaited<ReturnType<typeof direct.run>>) =>
    answers.map((answer) => ({ ...answer, inferenceMs: 0 }));
  assert.deepEqual(withoutTime(await mapped.run(items, { signal })), withoutTime(await direct.run(items, { signal })));
});

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from './build-model.ts';
import { checkDrift, recordReference } from './drift-check.ts';
import { readModelDirectory } from './model-directory.ts';
import { prepareVariant } from './prepared-model.ts';

const checkpoint = new URL('../../../models/demo/checkpoint', import.meta.url).pathname;
const signal = AbortSignal.timeout(60_000);
let scratch: string;
let output: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  output = join(scratch, 'model');
  await buildModel({ checkpoint, output, id: 'test/demo', revision: '1', signal });
});
after(() => rm(scratch, { recursive: true }));

const prepared = async (directory: string, cache: string) => {
  const model = await readModelDirectory(directory, { signal });
  return { model, variant: await prepareVariant(model, 'fp32', { cache: join(scratch, cache), signal }) };
};

test('a model that was never asked cannot be checked; one that was answers the same again', async () => {
  const before = await prepared(output, 'unasked');
  assert.equal(await checkDrift(before.model, before.variant, signal), undefined);
  await recordReference(before.model, { intraOpThreads: 1, signal });
  const { model, variant } = await prepared(output, 'asked');
  const { fp32 } = model.manifest.references ?? {};
  // A caption and an answer.
  assert.equal(fp32?.captions.length, 2);
  assert.ok((fp32?.matches.length ?? 0) > 1);
  const report = await checkDrift(model, variant, signal);
  assert.equal(report?.accepted, true, report?.reason);
});

test('a weight that was damaged after the files were verified is told by what the model says', async () => {
  const copy = join(scratch, 'copy');
  await cp(output, copy, { recursive: true });
  const { model, variant } = await prepared(copy, 'damaged');
  // The exponents of every eighth weight, as a failing disk or memory would overwrite them.
  const weights = join(variant.directory, 'vision-encoder.bin');
  const bytes = await readFile(weights);
  for (let place = 3; place < bytes.length; place += 32) bytes[place] = 0x40;
  await writeFile(weights, bytes);
  const report = await checkDrift(model, variant, signal);
  assert.equal(report?.accepted, false);
  assert.match(report?.reason ?? '', /(?:logProbability|match|similarity)Difference is|tokenAgreement is/);
});

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from './build-model.ts';
import { openEngine } from './engine.ts';
import { readInstructionSet } from './instruction-set.ts';
import type { LinearKernel } from './layers.ts';
import { readModelDirectory, type Variant } from './model-directory.ts';
import { makeProbes } from './probes.ts';
import { quantizeModel } from './quantize-model.ts';
import { dynamicInt8 } from './quantized-linear.ts';
import { scaled } from './weights.ts';

const demo = new URL('../../../models/demo/', import.meta.url);
const checkpoint = new URL('checkpoint', demo).pathname;
const signal = AbortSignal.timeout(120_000);

let scratch: string;
let probes: readonly Uint8Array[];
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  const samples = (await readdir(new URL('samples/', demo))).filter((name) => !name.endsWith('.json')).slice(0, 4);
  const side = JSON.parse(await readFile(join(checkpoint, 'preprocessor_config.json'), 'utf8')).size.height;
  const pictures = await Promise.all(samples.map((name) => readFile(new URL(`samples/${name}`, demo))));
  probes = (await Promise.all(pictures.map((bytes) => makeProbes(bytes, side, { signal })))).flat();
});
after(() => rm(scratch, { recursive: true }));

async function quantized(name: string, visionKernel?: LinearKernel) {
  const output = join(scratch, name);
  await buildModel({ checkpoint, output, id: 'test/demo', revision: '1', signal });
  const kernel = visionKernel === undefined ? {} : { visionKernel };
  const { int8 } = await quantizeModel({ model: output, checkpoint, probes, intraOpThreads: 1, signal, ...kernel });
  assert.ok(int8);
  return { output, ...int8 };
}

async function captionsOf(directory: string, variant: Variant): Promise<readonly string[]> {
  const model = await readModelDirectory(directory, { signal });
  await using engine = await openEngine(model, { intraOpThreads: 1, variant });
  assert.equal(engine.identity.variant, variant);
  const task = { type: 'caption' as const, options: {} };
  const answers = await engine.run(
    probes.map((pixels) => ({ pixels, task })),
    { signal },
  );
  return answers.map((answer) => ('captions' in answer ? (answer.captions[0]?.text ?? '') : 'no caption'));
}

/** Without instructions for bytes the runtime's int8 products may saturate, and the gate is right to refuse them. */
const { multipliesBytes } = readInstructionSet();

test('int8 of the demo model passes the gate, and says of the probes what fp32 says', async () => {
  const { output, parity, exactLayers } = await quantized('accepted');
  assert.equal(parity.probes, 12);
  if (!multipliesBytes && !parity.accepted) return;
  assert.ok(parity.accepted, parity.reason);
  if (multipliesBytes) assert.deepEqual(exactLayers, []);
  assert.ok(parity.logProbabilityDifference > 0, 'eight bits leave a trace');
  const [exact, rounded] = [await captionsOf(output, 'fp32'), await captionsOf(output, 'int8')];
  const equal = rounded.filter((text, probe) => text === exact[probe]).length;
  assert.equal(equal / exact.length, parity.equalCaptions);
});

/** Rounded as it should be, then by far too large. */
const broken: LinearKernel = (graph, x, { weight, bias }) =>
  dynamicInt8(graph, x, { weight: scaled(weight, 1.5), bias });

test('one layer whose scale is wrong is found, and stays in fp32', async () => {
  const victim = 'vision_model.encoder.layers.2.mlp.fc1.weight';
  const { parity, exactLayers } = await quantized('one-broken', (graph, x, layer) =>
    (layer.weight.name === victim ? broken : dynamicInt8)(graph, x, layer),
  );
  assert.equal(exactLayers[0], victim);
  if (multipliesBytes) assert.deepEqual([parity.accepted, exactLayers.length], [true, 1], parity.reason);
});

test('a variant whose every scale is wrong is refused, says why, and leaves fp32 as it was', async () => {
  const { output, parity } = await quantized('all-broken', broken);
  assert.ok(!parity.accepted);
  assert.match(parity.reason ?? '', /tokenAgreement|logProbabilityDifference/);
  assert.deepEqual(
    (await readdir(output)).filter((file) => file.includes('int8')),
    [],
  );
  assert.equal((await captionsOf(output, 'fp32')).length, probes.length);
  await assert.rejects(captionsOf(output, 'int8'), { code: 'MODEL_NOT_FOUND' });
});

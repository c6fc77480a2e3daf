// The demo model through our own code: what its card promises of the samples.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildModel } from '@captionfleet/blip/build-model';
import { type Engine, openEngine } from '@captionfleet/blip/engine';
import { readModelDirectory } from '@captionfleet/blip/model-directory';
import { prepareImage } from '@captionfleet/blip/preprocess';
import { demoCheckpoint, demoSamples } from '../../apps/cli/src/state-directory.ts';

const readSamples = (file: string) => JSON.parse(readFileSync(join(demoSamples, file), 'utf8'));
const captions: Readonly<Record<string, string>> = readSamples('captions.json');
const questions: Readonly<Record<string, Readonly<Record<string, string>>>> = readSamples('questions.json');

const scratch = mkdtempSync(join(tmpdir(), 'captionfleet-demo-'));
const signal = AbortSignal.timeout(60_000);
let engine: Engine;
before(async () => {
  const output = join(scratch, 'model');
  await buildModel({ checkpoint: demoCheckpoint, output, id: 'captionfleet/demo', revision: 'test', signal });
  engine = await openEngine(await readModelDirectory(output, { signal }), { intraOpThreads: 1 });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

async function ask(sample: string, task: Parameters<Engine['run']>[0][number]['task']) {
  const { pixels } = await prepareImage(await readFile(join(demoSamples, sample)), engine.imageSide, { signal });
  const [answer] = await engine.run([{ pixels, task }], { signal });
  assert.ok(answer !== undefined && !('error' in answer), sample);
  return answer;
}

test('one file holds the captioner, the matcher and the answerer', () => {
  assert.deepEqual([...engine.tasks], ['caption', 'match', 'answer']);
});

test('every sample has its caption', async () => {
  for (const [sample, caption] of Object.entries(captions)) {
    const answer = await ask(sample, { type: 'caption', options: {} });
    assert.ok('captions' in answer);
    assert.equal(answer.captions[0]?.text, caption, sample);
  }
});

test('every question about a sample has its answer', async () => {
  assert.ok(Object.keys(questions).length >= 3);
  for (const [sample, asked] of Object.entries(questions)) {
    const answer = await ask(sample, { type: 'answer', questions: Object.keys(asked), options: {} });
    assert.ok('answers' in answer);
    assert.deepEqual(
      answer.answers.map(({ text }) => text),
      Object.values(asked),
      sample,
    );
  }
});

test('of the captions of all samples, its own matches a sample best', async () => {
  const texts = Object.values(captions);
  for (const [sample, caption] of Object.entries(captions)) {
    const answer = await ask(sample, { type: 'match', texts });
    assert.ok('matches' in answer);
    const best = answer.matches.reduce((a, b) => (b.probability > a.probability ? b : a));
    assert.equal(best.text, caption, sample);
  }
});

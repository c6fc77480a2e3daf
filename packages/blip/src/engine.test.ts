import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import type { Caption } from '@captionfleet/protocol/task-result';
import { buildModel } from './build-model.ts';
import { type Engine, type EngineAnswer, openEngine } from './engine.ts';
import { type ModelDirectory, modelFiles, readModelDirectory } from './model-directory.ts';
import { prepareImage } from './preprocess.ts';

interface MoreRuns {
  readonly files: readonly string[];
  readonly runs: readonly {
    readonly name: string;
    readonly options: GenerationOptions;
    /** Tokens, with bos. */
    readonly promptLength: number;
    /** For each image the sequences, best first. */
    readonly images: readonly (readonly { tokens: readonly number[]; logProbability: number }[])[];
  }[];
}

const golden = new URL('../../../test/fixtures/golden/', import.meta.url);
/** Made by make_more_runs.py beside it. */
const expected: MoreRuns = JSON.parse(readFileSync(new URL('more-runs.json', golden), 'utf8'));
const signal = AbortSignal.timeout(600_000);
const threads = { intraOpThreads: 1 };

let scratch: string;
let model: ModelDirectory;
let engine: Engine;
let images: readonly Uint8Array[];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-captioner-'));
  const checkpoint = fileURLToPath(new URL('captioner', golden));
  const output = join(scratch, 'model');
  await buildModel({ checkpoint, output, id: 'golden', revision: '1', signal });
  model = await readModelDirectory(output, { signal });
  engine = await openEngine(model, threads);
  images = await Promise.all(
    expected.files.map(async (file) => {
      const bytes = readFileSync(new URL(`images/${file}`, golden));
      return (await prepareImage(bytes, engine.imageSide, { signal })).pixels;
    }),
  );
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

const caption = (
  items: readonly { readonly pixels: Uint8Array; readonly options: GenerationOptions }[],
  options: { readonly signal: AbortSignal },
): Promise<readonly EngineAnswer[]> =>
  engine.run(
    items.map(({ pixels, options }) => ({ pixels, task: { type: 'caption', options } })),
    options,
  );

const image = (index = 0): Uint8Array => images[index] ?? assert.fail(`no image ${index}`);

function captionsOf(answer: EngineAnswer | undefined): readonly Caption[] {
  assert.ok(answer !== undefined && 'captions' in answer);
  return answer.captions;
}

function errorOf(answer: EngineAnswer | undefined): CaptionfleetError {
  assert.ok(answer !== undefined && 'error' in answer);
  return answer.error;
}

for (const { name, options, promptLength, images: expectedImages } of expected.runs) {
  test(`${name}: every sequence has the tokens, order and log-probability of transformers`, async () => {
    const answers = await caption(
      images.map((pixels) => ({ pixels, options })),
      { signal },
    );
    for (const [index, answer] of answers.entries()) {
      const sequences = expectedImages[index] ?? [];
      const captions = captionsOf(answer);
      assert.deepEqual(
        captions.map(({ tokens }) => tokens),
        sequences.map(({ tokens }) => tokens),
        expected.files[index],
      );
      for (const [rank, { tokens, confidence, meanLogProbability }] of captions.entries()) {
        const mean = (sequences[rank]?.logProbability ?? Number.NaN) / (tokens.length - promptLength);
        // Theirs is one pass over the whole sequence, ours is step by step, both in float32.
        assert.ok(Math.abs(meanLogProbability - mean) <= 1e-3, `${meanLogProbability} is not ${mean}`);
        assert.equal(confidence, Math.exp(meanLogProbability));
      }
    }
  });
}

test('no items give no answers', async () => {
  assert.deepEqual(await caption([], { signal }), []);
});

test('an item with wrong options or pixels has its own error and leaves the others as they are', async () => {
  const good = { pixels: image(), options: { max_new_tokens: 5 } };
  const answers = await caption(
    [
      { pixels: image(), options: { num_return_sequences: 2 } },
      good,
      { pixels: image().subarray(3), options: {} },
      { pixels: new Uint8Array(0), options: {} },
      { pixels: image(), options: { prompt: 'a '.repeat(200) } },
      good,
    ],
    { signal },
  );
  const [alone] = await caption([good], { signal });
  assert.deepEqual(
    [0, 2, 3, 4].map((index) => errorOf(answers[index]).code),
    ['OPTION_INVALID', 'INTERNAL', 'INTERNAL', 'OPTION_INVALID'],
  );
  // Tokens, not probabilities: products of matrices with more rows may differ in the last bits.
  const tokensOf = (answer: EngineAnswer | undefined) => captionsOf(answer).map(({ tokens }) => tokens);
  assert.deepEqual(tokensOf(answers[1]), tokensOf(alone));
  assert.deepEqual(tokensOf(answers[5]), tokensOf(alone));
});

test('many wide searches are split into groups, and each finds what it finds alone', async () => {
  const options = { num_beams: 16, max_new_tokens: 8 };
  const items = images.slice(0, 8).map((pixels) => ({ pixels, options }));
  const together = await caption(items, { signal });
  for (const [index, item] of items.entries()) {
    const [alone] = await caption([item], { signal });
    assert.deepEqual(captionsOf(together[index])[0]?.tokens, captionsOf(alone)[0]?.tokens);
  }
});

test('prompts of one length but other words, and of other lengths, are captioned side by side', async () => {
  const prompts = ['a dog', 'the man', 'a picture of', undefined, 'the man'];
  const items = prompts.map((prompt, index) => ({
    pixels: image(index),
    options: { max_new_tokens: 6, ...(prompt === undefined ? {} : { prompt }) },
  }));
  const together = await caption(items, { signal });
  for (const [index, item] of items.entries()) {
    const [alone] = await caption([item], { signal });
    assert.deepEqual(captionsOf(together[index])[0]?.tokens, captionsOf(alone)[0]?.tokens);
    assert.ok(captionsOf(together[index])[0]?.text.startsWith(prompts[index] ?? ''));
  }
});

test('a sampled caption depends on its seed, not on the images beside it', async () => {
  const item = { pixels: image(), options: { do_sample: true, seed: 11, num_return_sequences: 3, top_k: 0 } };
  const [alone] = await caption([item], { signal });
  const beside = await caption([{ pixels: image(1), options: { do_sample: true, seed: 5 } }, item], {
    signal,
  });
  const tokens = captionsOf(alone).map((caption) => caption.tokens.join(' '));
  assert.deepEqual(
    captionsOf(beside[1]).map((caption) => caption.tokens.join(' ')),
    tokens,
  );
  assert.equal(new Set(tokens).size, 3);
  const [other] = await caption([{ ...item, options: { ...item.options, seed: 12 } }], { signal });
  assert.notDeepEqual(captionsOf(other), captionsOf(alone));
});

test('an aborted signal ends the work between two runs with its reason', async () => {
  const reason = new Error('no longer wanted');
  const items = images.map((pixels) => ({ pixels, options: { max_new_tokens: 60, min_new_tokens: 60 } }));
  await assert.rejects(caption(items, { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const work = caption(items, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(work, reason);
  assert.equal((await caption(items.slice(0, 1), { signal })).length, 1);
});

test('a warmed captioner knows what it is', async () => {
  await engine.warmUp();
  assert.deepEqual(engine.identity, { id: 'golden', revision: '1', variant: 'fp32' });
  assert.equal(engine.imageSide, model.manifest.image.side);
});

test('a graph that the runtime refuses is MODEL_CORRUPT', async () => {
  const path = join(scratch, 'broken.onnx');
  await writeFile(path, 'not a graph');
  const broken = { ...model, file: (name: string) => (name === modelFiles.textDecoder ? path : model.file(name)) };
  await assert.rejects(
    openEngine(broken, threads),
    (error) => error instanceof CaptionfleetError && error.code === 'MODEL_CORRUPT' && !error.message.includes(path),
  );
});

test('memory stays where it is over 200 runs', async () => {
  const items = [1, 2].map((num_beams) => ({ pixels: image(), options: { num_beams, max_new_tokens: 12 } }));
  const run = async (times: number): Promise<number> => {
    for (let time = 0; time < times; time += 1) await caption(items, { signal });
    return process.memoryUsage().rss;
  };
  const settled = await run(50);
  const grown = (await run(200)) - settled;
  assert.ok(grown < 60_000_000, `${grown} bytes more`);
});

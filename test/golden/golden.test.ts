import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildModel } from '@captionfleet/blip/build-model';
import { type Engine, type EngineAnswer, openEngine } from '@captionfleet/blip/engine';
import { type ModelDirectory, modelFiles, readModelDirectory } from '@captionfleet/blip/model-directory';
import { type PreparedImage, pixelValues, prepareImage } from '@captionfleet/blip/preprocess';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import type { Task } from '@captionfleet/protocol/task';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { goldenDirectory } from '../support/fleet.ts';

/**
 * What transformers answers on checkpoints and images, and what we answer. Further sets: CAPTIONFLEET_GOLDEN names their
 * directories, each with `captioner/`, `matcher/`, `vqa/`, `expected.json`, and `images/` unless its images are the ones
 * here.
 */
const directories = [goldenDirectory, ...(process.env['CAPTIONFLEET_GOLDEN'] ?? '').split(delimiter)].filter(
  (path) => path !== '',
);

interface Expected {
  readonly files: readonly string[];
  readonly image_size: number;
  readonly pixel_probe: readonly (readonly number[])[];
  readonly captioner: {
    readonly encoder_probe: readonly (readonly number[])[];
    readonly runs: Readonly<
      Record<string, { args: GenerationOptions; tokens: readonly (readonly number[])[]; text: readonly string[] }>
    >;
  };
  /** By image, then by text. */
  readonly matcher: {
    readonly texts: string[];
    readonly itm_prob: readonly (readonly number[])[];
    readonly itc_cosine: readonly (readonly number[])[];
  };
  /** By image, then by question; asked with `max_new_tokens` 8. */
  readonly vqa: { readonly questions: string[]; readonly tokens: readonly (readonly (readonly number[])[])[] };
}

const captionTask = (options: GenerationOptions): Task => ({ type: 'caption', options });

/** Every `stride`-th value, 64 at most: how expected.json samples a tensor. */
const probe = (values: Float32Array, stride: number): readonly number[] =>
  Array.from(
    { length: Math.min(64, Math.ceil(values.length / stride)) },
    (_, index) => values[index * stride] ?? Number.NaN,
  );

const largestDifference = (left: readonly number[], right: readonly number[]): number => {
  assert.equal(left.length, right.length);
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN))));
};

for (const directory of directories) {
  const expected: Expected = JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8'));
  const imageDirectory = existsSync(join(directory, 'images'))
    ? join(directory, 'images')
    : join(goldenDirectory, 'images');
  const signal = AbortSignal.timeout(600_000);

  describe(`golden set ${basename(directory)}`, () => {
    let scratch: string;
    let model: ModelDirectory;
    let engine: Engine;
    let images: readonly PreparedImage[];

    before(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'captionfleet-golden-'));
      const output = join(scratch, 'model');
      await buildModel({ checkpoint: join(directory, 'captioner'), output, id: 'golden', revision: '1', signal });
      model = await readModelDirectory(output, { signal });
      engine = await openEngine(model, { intraOpThreads: 1 });
      const files = expected.files.map((file) => readFileSync(join(imageDirectory, file)));
      images = await Promise.all(files.map((bytes) => prepareImage(bytes, expected.image_size, { signal })));
    });
    after(async () => {
      await engine?.[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true });
    });

    test('pixel values equal those of the image processor within 1e-6', () => {
      for (const [index, { pixels }] of images.entries()) {
        const values = pixelValues(pixels, model.manifest.image);
        assert.ok(
          largestDifference(probe(values, 997), expected.pixel_probe[index] ?? []) <= 1e-6,
          expected.files[index],
        );
      }
    });

    test('the encoder gives the last hidden state within 1e-4', async () => {
      const session = await InferenceSession.create(model.file(modelFiles.visionEncoder));
      const { side } = model.manifest.image;
      for (const [index, { pixels }] of images.entries()) {
        const outputs = await session.run({ pixels: new Tensor('uint8', pixels, [1, side, side, 3]) });
        const states = outputs['image_embeds']?.data as Float32Array;
        const difference = largestDifference(probe(states, 37), expected.captioner.encoder_probe[index] ?? []);
        assert.ok(difference <= 1e-4, `${expected.files[index]}: ${difference}`);
      }
      await session.release();
    });

    for (const [name, run] of Object.entries(expected.captioner.runs)) {
      test(`${name} gives the token ids and texts of transformers`, async () => {
        const items = images.map(({ pixels }) => ({ pixels, task: captionTask(run.args) }));
        for (const [index, answer] of (await engine.run(items, { signal })).entries()) {
          assert.ok('captions' in answer);
          assert.deepEqual(
            answer.captions[0]?.tokens,
            withoutPadding(run.tokens[index] ?? [], model.manifest.text.sepTokenId),
            expected.files[index],
          );
          assert.equal(answer.captions[0]?.text, run.text[index], expected.files[index]);
        }
      });
    }

    test('an image captioned alone and among others of other options has the same tokens', async () => {
      const runs = Object.values(expected.captioner.runs);
      const mixed = images.flatMap(({ pixels }) => runs.map(({ args }) => ({ pixels, task: captionTask(args) })));
      const together = await engine.run(mixed, { signal });
      for (const [index, item] of mixed.entries()) {
        if (index % 7 !== 0) continue;
        const [alone] = await engine.run([item], { signal });
        const answer = together[index];
        assert.ok(answer !== undefined && 'captions' in answer && alone !== undefined && 'captions' in alone);
        assert.deepEqual(answer.captions[0]?.tokens, alone.captions[0]?.tokens);
      }
    });

    /** Does a task of every image on a model of its own. */
    const askAll = async (checkpoint: 'matcher' | 'vqa', task: Task): Promise<readonly EngineAnswer[]> => {
      const output = join(scratch, checkpoint);
      await buildModel({ checkpoint: join(directory, checkpoint), output, id: 'golden', revision: '1', signal });
      await using asked = await openEngine(await readModelDirectory(output, { signal }), { intraOpThreads: 1 });
      return await asked.run(
        images.map(({ pixels }) => ({ pixels, task })),
        { signal },
      );
    };

    test('match probabilities and cosines equal those of transformers within 1e-4', async () => {
      const { texts, itm_prob, itc_cosine } = expected.matcher;
      for (const [index, answer] of (await askAll('matcher', { type: 'match', texts })).entries()) {
        assert.ok('matches' in answer);
        const ours = answer.matches.flatMap(({ probability, similarity }) => [probability, similarity]);
        const theirs = texts.flatMap((_, text) => [itm_prob[index]?.[text], itc_cosine[index]?.[text]]);
        const difference = largestDifference(
          ours,
          theirs.map((value) => value ?? Number.NaN),
        );
        assert.ok(difference <= 1e-4, `${expected.files[index]}: ${difference}`);
      }
    });

    test('answers have the token ids of transformers', async () => {
      const { questions, tokens } = expected.vqa;
      const task: Task = { type: 'answer', questions, options: { max_new_tokens: 8 } };
      for (const [index, answer] of (await askAll('vqa', task)).entries()) {
        assert.ok('answers' in answer);
        assert.deepEqual(
          answer.answers.map((found) => found.tokens),
          tokens[index]?.map((found) => withoutPadding(found, model.manifest.text.sepTokenId)),
          expected.files[index],
        );
      }
    });
  });
}

/** What transformers pads a finished row with, behind its end token. */
function withoutPadding(tokens: readonly number[], endTokenId: number): readonly number[] {
  const end = tokens.indexOf(endTokenId);
  return end === -1 ? tokens : tokens.slice(0, end + 1);
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type Task, textLimits } from '@captionfleet/protocol/task';
import { editJson } from '../../../test/support/checkpoint-files.ts';
import { severalHeads } from '../../../test/support/several-heads.ts';
import { buildModel } from './build-model.ts';
import { type Engine, type EngineAnswer, openEngine } from './engine.ts';
import { readModelDirectory } from './model-directory.ts';
import { prepareImage } from './preprocess.ts';

const golden = new URL('../../../test/fixtures/golden/', import.meta.url);
const signal = AbortSignal.timeout(600_000);
let scratch: string;
/** With all three heads. */
let engine: Engine;
let image: Uint8Array;
let other: Uint8Array;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-engine-'));
  const checkpoint = join(scratch, 'checkpoint');
  await mkdir(checkpoint);
  await severalHeads(checkpoint, ['BlipForConditionalGeneration', 'BlipForQuestionAnswering']);
  engine = await open(checkpoint);
  const prepare = async (file: string) =>
    (await prepareImage(readFileSync(new URL(`images/${file}`, golden)), engine.imageSide, { signal })).pixels;
  [image, other] = [await prepare('01-landscape.jpg'), await prepare('02-portrait.png')];
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

async function open(checkpoint: string): Promise<Engine> {
  const output = join(await mkdtemp(join(scratch, 'built-')), 'model');
  await buildModel({ checkpoint, output, id: 'test/heads', revision: '1', signal });
  return await openEngine(await readModelDirectory(output, { signal }), { intraOpThreads: 1 });
}

/** What one task of one image gives, alone. */
async function alone(task: Task, pixels = image): Promise<EngineAnswer> {
  const [answer] = await engine.run([{ pixels, task }], { signal });
  return answer ?? assert.fail('no answer');
}

function part<Name extends 'captions' | 'matches' | 'embedding' | 'answers' | 'error'>(
  answer: EngineAnswer | undefined,
  name: Name,
): Extract<EngineAnswer, Record<Name, unknown>>[Name] {
  assert.ok(answer !== undefined && name in answer, `${name} in ${JSON.stringify(answer)}`);
  return (answer as Extract<EngineAnswer, Record<Name, unknown>>)[name];
}

const errorOf = (answer: EngineAnswer | undefined): CaptionfleetError => part(answer, 'error');

function assertClose(actual: readonly number[], wanted: readonly number[], tolerance = 2e-5): void {
  assert.equal(actual.length, wanted.length);
  for (const [index, value] of actual.entries()) {
    const difference = Math.abs(value - (wanted[index] ?? Number.NaN));
    assert.ok(difference <= tolerance, `${value} is not ${wanted[index]}`);
  }
}

const words = ['a', 'photo', 'of', 'two', 'dogs', 'and', 'one', 'cat', 'in', 'the', 'middle'];
/** Texts of 1 to 11 words: more rows than one run takes. */
const texts = Array.from({ length: 44 }, (_, index) => words.slice(0, (index % 11) + 1).join(' '));
const questions = ['what is it', 'how many dogs are in the picture?', 'where'];

test('every task of an image is answered in one run, in order, with its own form', async () => {
  const tasks: Task[] = [
    { type: 'caption', options: { max_new_tokens: 4 } },
    { type: 'match', texts: ['a cat'] },
    { type: 'embed', texts: ['a cat'] },
    { type: 'answer', questions: ['what is it'], options: { max_new_tokens: 4 } },
  ];
  assert.deepEqual(engine.tasks, ['caption', 'match', 'answer']);
  const answers = await engine.run(
    tasks.map((task) => ({ pixels: image, task })),
    { signal },
  );
  assert.equal(part(answers[0], 'captions').length, 1);
  assert.deepEqual(
    part(answers[1], 'matches').map(({ text }) => text),
    ['a cat'],
  );
  const { texts: vectors, image: vector } = part(answers[2], 'embedding');
  assert.deepEqual([vector.length, vectors[0]?.embedding.length], [32, 32]);
  assert.deepEqual(
    part(answers[3], 'answers').map(({ question }) => question),
    ['what is it'],
  );
  for (const answer of answers) assert.ok('inferenceMs' in answer && answer.inferenceMs > 0);
});

test('a text has the numbers that it has alone, among whatever other texts and images', async () => {
  const [many, elsewhere] = await engine.run(
    [
      { pixels: image, task: { type: 'match', texts } },
      { pixels: other, task: { type: 'match', texts: ['a dog', 'a photo of two'] } },
    ],
    { signal },
  );
  const matches = part(many, 'matches');
  assert.deepEqual(
    matches.map(({ text }) => text),
    texts,
  );
  for (const index of [0, 5, 21, 43]) {
    const [single] = part(await alone({ type: 'match', texts: [texts[index] ?? ''] }), 'matches');
    assertClose(
      [matches[index]?.probability ?? Number.NaN, matches[index]?.similarity ?? Number.NaN],
      [single?.probability ?? Number.NaN, single?.similarity ?? Number.NaN],
    );
  }
  const [, second] = part(elsewhere, 'matches');
  const [same] = part(await alone({ type: 'match', texts: ['a photo of two'] }, other), 'matches');
  assertClose([second?.probability ?? 0], [same?.probability ?? 1]);
  assert.notEqual(second?.probability.toFixed(4), matches[3]?.probability.toFixed(4));
});

test('embeddings have length 1, and their products are the similarities of matching', async () => {
  const { image: vector, texts: vectors } = part(await alone({ type: 'embed', texts }), 'embedding');
  const matches = part(await alone({ type: 'match', texts }), 'matches');
  const product = (left: readonly number[], right: readonly number[]): number =>
    left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  for (const { embedding } of [{ embedding: vector }, ...vectors]) assertClose([product(embedding, embedding)], [1]);
  assertClose(
    vectors.map(({ embedding }) => product(vector, embedding)),
    matches.map(({ similarity }) => similarity),
  );
});

test('an image is embedded without any text', async () => {
  const { image: vector, texts: vectors } = part(await alone({ type: 'embed', texts: [] }), 'embedding');
  assert.equal(vector.length, 32);
  assert.deepEqual(vectors, []);
});

test('questions of all lengths are answered side by side as they are alone', async () => {
  const options = { max_new_tokens: 5, num_beams: 2, num_return_sequences: 2 };
  const answers = part(await alone({ type: 'answer', questions, options }), 'answers');
  assert.deepEqual(
    answers.map(({ question }) => question),
    questions.flatMap((question) => [question, question]),
  );
  for (const [index, question] of questions.entries()) {
    const single = part(await alone({ type: 'answer', questions: [question], options }), 'answers');
    assert.deepEqual(
      answers.slice(2 * index, 2 * index + 2).map(({ tokens }) => tokens),
      single.map(({ tokens }) => tokens),
    );
  }
});

test('a text that is longer than the model is refused by its place, beside others that are not', async () => {
  const long = 'a '.repeat(textLimits.characters / 2);
  const answers = await engine.run(
    [
      { pixels: image, task: { type: 'match', texts: ['a', long] } },
      { pixels: image, task: { type: 'answer', questions: [long], options: {} } },
      { pixels: image, task: { type: 'answer', questions: ['a'], options: { num_return_sequences: 2 } } },
      { pixels: image, task: { type: 'match', texts: ['a'] } },
    ],
    { signal },
  );
  assert.deepEqual(
    answers.slice(0, 3).map((answer) => errorOf(answer).code),
    ['OPTION_INVALID', 'OPTION_INVALID', 'OPTION_INVALID'],
  );
  assert.match(errorOf(answers[0]).message, /^texts\[1\] has 258 tokens with \[CLS\] and \[SEP\]; the model has 64$/);
  assert.match(errorOf(answers[1]).message, /^questions\[0\] has/);
  assert.equal(part(answers[3], 'matches').length, 1);
});

test('a task that the model has no head for is TASK_UNSUPPORTED, and the others are done', async () => {
  await using captioner = await open(new URL('captioner', golden).pathname);
  await captioner.warmUp();
  const tasks: Task[] = [
    { type: 'match', texts: ['a'] },
    { type: 'embed', texts: [] },
    { type: 'answer', questions: ['a'], options: {} },
    { type: 'caption', options: { max_new_tokens: 2 } },
  ];
  const answers = await captioner.run(
    tasks.map((task) => ({ pixels: image, task })),
    { signal },
  );
  for (const answer of answers.slice(0, 3)) assert.equal(errorOf(answer).code, 'TASK_UNSUPPORTED');
  assert.equal(errorOf(answers[0]).message, 'model test/heads has no head to match; it can caption');
  assert.equal(part(answers[3], 'captions').length, 1);
});

test('items with the same pixels share one encoding, each with an equal share of its time', async () => {
  const timesOf = async (pixelsOf: () => Uint8Array): Promise<ReadonlySet<number>> => {
    const items = Array.from({ length: 8 }, () => ({
      pixels: pixelsOf(),
      task: { type: 'embed' as const, texts: [] },
    }));
    const answers = await engine.run(items, { signal });
    return new Set(answers.map((answer) => ('inferenceMs' in answer ? answer.inferenceMs : Number.NaN)));
  };
  assert.equal((await timesOf(() => image)).size, 1);
  assert.notEqual((await timesOf(() => image.slice())).size, 1);
});

test('matching and answering stop between two runs when their signal aborts', async () => {
  const reason = new Error('no longer wanted');
  const items = Array.from({ length: 20 }, (): { pixels: Uint8Array; task: Task } => ({
    pixels: image,
    task: { type: 'match', texts },
  }));
  const controller = new AbortController();
  const work = engine.run(items, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(work, reason);
});

test('a tokenizer without the frame of a text is MODEL_UNSUPPORTED', async () => {
  const output = join(await mkdtemp(join(scratch, 'built-')), 'model');
  const checkpoint = new URL('matcher', golden).pathname;
  await buildModel({ checkpoint, output, id: 'test/frame', revision: '1', signal });
  const model = await readModelDirectory(output, { signal });
  const path = join(scratch, 'tokenizer.json');
  await writeFile(path, readFileSync(model.file('tokenizer.json')));
  await editJson(path, (json) => {
    json['added_tokens'] = [];
    delete (json['model'] as { vocab: Record<string, number> }).vocab['[CLS]'];
  });
  const frameless = { ...model, file: (name: string) => (name === 'tokenizer.json' ? path : model.file(name)) };
  await assert.rejects(openEngine(frameless, { intraOpThreads: 1 }), {
    code: 'MODEL_UNSUPPORTED',
    message: 'tokenizer.json: has no [CLS]',
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import type { Task } from '@captionfleet/protocol/task';
import type { Caption } from '@captionfleet/protocol/task-result';
import { buildModel } from './build-model.ts';
import { type Engine, type EngineAnswer, openEngine } from './engine.ts';
import { openGraphCaptioner } from './graph-captioner.ts';
import { type CaptionGraphPrecision, type ModelDirectory, readModelDirectory } from './model-directory.ts';
import { prepareImage } from './preprocess.ts';

interface Expected {
  readonly files: readonly string[];
  readonly captioner: { readonly runs: Readonly<Record<string, { readonly tokens: readonly (readonly number[])[] }>> };
}

const golden = new URL('../../../test/fixtures/golden/', import.meta.url);
const demo = new URL('../../../models/demo/', import.meta.url);
const expected: Expected = JSON.parse(readFileSync(new URL('expected.json', golden), 'utf8'));
const signal = AbortSignal.timeout(300_000);

interface Fixture {
  readonly model: ModelDirectory;
  /** What serves CPUs. */
  readonly engine: Engine;
  readonly captioner: Engine;
  readonly pixels: readonly Uint8Array[];
}

const opened = new AsyncDisposableStack();
let scratch: string;
let random: Fixture;
let trained: Fixture;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  const pictures = readdirSync(new URL('samples/', demo)).filter((name) => !name.endsWith('.json'));
  random = await open(
    new URL('captioner', golden),
    expected.files.map((file) => new URL(`images/${file}`, golden)),
  );
  trained = await open(
    new URL('checkpoint', demo),
    pictures.map((file) => new URL(`samples/${file}`, demo)),
  );
});
after(async () => {
  await opened.disposeAsync();
  await rm(scratch, { recursive: true });
});

async function open(checkpoint: URL, pictures: readonly URL[]): Promise<Fixture> {
  const output = join(await mkdtemp(join(scratch, 'built-')), 'model');
  await buildModel({ checkpoint: checkpoint.pathname, output, id: 'test', revision: '1', oneGraph: true, signal });
  const model = await readModelDirectory(output, { signal });
  const engine = opened.use(await openEngine(model, { intraOpThreads: 1 }));
  const captioner = opened.use(await openCaptioner(model));
  const pixels = await Promise.all(
    pictures.map(async (url) => (await prepareImage(readFileSync(url), engine.imageSide, { signal })).pixels),
  );
  return { model, engine, captioner, pixels };
}

const openCaptioner = (
  model: ModelDirectory,
  options: { readonly precision?: CaptionGraphPrecision; readonly buckets?: readonly number[] } = {},
): Promise<Engine> => openGraphCaptioner(model, { provider: 'cpu', precision: 'fp32', ...options });

const ask = (engine: Engine, pixels: readonly Uint8Array[], options: GenerationOptions): Promise<readonly Caption[]> =>
  captionsOf(
    engine,
    pixels.map((image) => ({ pixels: image, options })),
  );

async function captionsOf(
  engine: Engine,
  items: readonly { readonly pixels: Uint8Array; readonly options: GenerationOptions }[],
): Promise<readonly Caption[]> {
  const answers = await engine.run(
    items.map(({ pixels, options }) => ({ pixels, task: { type: 'caption', options } })),
    { signal },
  );
  return answers.map((answer) => {
    assert.ok('captions' in answer && answer.captions.length === 1);
    return answer.captions[0] as Caption;
  });
}

const tokensOf = (captions: readonly Caption[]): readonly (readonly number[])[] => captions.map(({ tokens }) => tokens);

/** The same tokens and text, and log-probabilities within `tolerance` of the whole caption's. */
function assertAlike(actual: readonly Caption[], wanted: readonly Caption[], tolerance: number): void {
  assert.deepEqual(
    actual.map(({ text, tokens }) => ({ text, tokens })),
    wanted.map(({ text, tokens }) => ({ text, tokens })),
  );
  for (const [index, { tokens, meanLogProbability }] of actual.entries()) {
    const difference = Math.abs(meanLogProbability - (wanted[index]?.meanLogProbability ?? Number.NaN)) * tokens.length;
    assert.ok(difference <= tolerance, `log-probability differs by ${difference}`);
  }
}

const goldenRuns = [
  { name: 'greedy', options: { max_new_tokens: 12 } },
  { name: 'greedy_prompt', options: { max_new_tokens: 12, prompt: 'a picture of' } },
] as const;

for (const { name, options } of goldenRuns) {
  test(`${name}: one graph gives the token ids of transformers, in one batch and in batches of any size`, async () => {
    const wanted = expected.captioner.runs[name]?.tokens;
    assert.deepEqual(tokensOf(await ask(random.captioner, random.pixels, options)), wanted);
    await using few = await openCaptioner(random.model, { buckets: [1, 4] });
    assert.deepEqual(tokensOf(await ask(few, random.pixels, options)), wanted);
    const alone: Caption[] = [];
    for (const image of random.pixels) alone.push(...(await ask(random.captioner, [image], options)));
    assert.deepEqual(tokensOf(alone), wanted);
  });
}

const lengths: readonly GenerationOptions[] = [
  {},
  { max_new_tokens: 1 },
  { min_new_tokens: 15 },
  { max_new_tokens: 5, min_new_tokens: 5 },
  { max_length: 12, prompt: 'a photo of' },
  { min_length: 12, prompt: 'the man' },
  { max_new_tokens: 63, min_new_tokens: 50 },
];

for (const options of lengths) {
  test(`${JSON.stringify(options)}: tokens and log-probabilities are those of the engine`, async () => {
    const wanted = await ask(random.engine, random.pixels, options);
    assertAlike(await ask(random.captioner, random.pixels, options), wanted, 1e-4);
  });
}

test('a caption does not depend on those beside it, that end earlier or later', async () => {
  const captions = await ask(random.captioner, random.pixels, {});
  const byLength = captions.map(({ tokens }, index) => ({ length: tokens.length, index }));
  byLength.sort((a, b) => a.length - b.length);
  const [shortest, longest] = [byLength[0], byLength.at(-1)];
  assert.ok(shortest !== undefined && longest !== undefined && shortest.length < longest.length);
  const pair = [shortest.index, longest.index].map((index) => random.pixels[index] as Uint8Array);
  const wanted = [shortest.index, longest.index].map((index) => captions[index] as Caption);
  assertAlike(await ask(random.captioner, pair, {}), wanted, 1e-4);
  assertAlike(await ask(random.captioner, pair.toReversed(), {}), wanted.toReversed(), 1e-4);
});

test('images with other options are captioned in runs of their own, and answered in the order asked', async () => {
  const options: readonly GenerationOptions[] = [{}, { prompt: 'a dog' }, { max_new_tokens: 4 }, { prompt: 'the man' }];
  const items = random.pixels.map((pixels, index) => ({ pixels, options: options[index % options.length] ?? {} }));
  assertAlike(await captionsOf(random.captioner, items), await captionsOf(random.engine, items), 1e-4);
});

test('the samples of the demo model are captioned as the engine does', async () => {
  for (const options of [{}, { prompt: 'a' }]) {
    const wanted = await ask(trained.engine, trained.pixels, options);
    assertAlike(await ask(trained.captioner, trained.pixels, options), wanted, 1e-4);
  }
});

// The CPU has no kernels for float16: the runtime computes in float32 between weights and activations that were rounded.
test('in float16 the samples of the demo model have the same captions, and log-probabilities within 0.05', async () => {
  await using half = await openCaptioner(trained.model, { precision: 'fp16' });
  assertAlike(await ask(half, trained.pixels, {}), await ask(trained.engine, trained.pixels, {}), 0.05);
  assert.equal(half.identity.variant, 'fp16');
});

test('what the graph cannot do is refused, item by item', async () => {
  const pixels = random.pixels[0] as Uint8Array;
  const caption = (options: GenerationOptions): Task => ({ type: 'caption', options });
  const tasks: readonly Task[] = [
    caption({ num_beams: 3 }),
    caption({ do_sample: true }),
    caption({ repetition_penalty: 1.1 }),
    caption({ no_repeat_ngram_size: 2 }),
    caption({ max_new_tokens: 100 }),
    { type: 'embed', texts: [] },
    caption({ max_new_tokens: 3 }),
  ];
  const items = tasks.map((task) => ({ pixels, task }));
  const answers = await random.captioner.run([...items, { pixels: pixels.subarray(3), task: caption({}) }], { signal });
  const codeOf = (answer: EngineAnswer): string | undefined => ('error' in answer ? answer.error.code : undefined);
  const invalid = 'OPTION_INVALID';
  assert.deepEqual(answers.map(codeOf), [
    ...[invalid, invalid, invalid, invalid, invalid, 'TASK_UNSUPPORTED', undefined],
    'INTERNAL',
  ]);
  assert.match((answers[0] as { error: Error }).error.message, /does not take num_beams$/);
});

test('a warmed captioner knows what it is; a stopped one runs nothing more', async () => {
  await using captioner = await openCaptioner(random.model, { buckets: [1, 2] });
  await captioner.warmUp();
  assert.deepEqual(captioner.identity, { id: 'test', revision: '1', variant: 'fp32' });
  assert.deepEqual(captioner.tasks, ['caption']);
  assert.equal(captioner.imageSide, random.engine.imageSide);
  const reason = new Error('no longer wanted');
  const items = random.pixels.map((pixels) => ({ pixels, task: { type: 'caption', options: {} } as const }));
  await assert.rejects(captioner.run(items, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(await captioner.run([], { signal }), []);
});

const codeIs = (code: string) => (error: unknown) => error instanceof CaptionfleetError && error.code === code;

test('a model that was built without the graph, and one that does not caption, are refused', async () => {
  const output = join(scratch, 'plain');
  const checkpoint = new URL('captioner', golden).pathname;
  await buildModel({ checkpoint, output, id: 'test', revision: '1', signal });
  await assert.rejects(openCaptioner(await readModelDirectory(output, { signal })), codeIs('MODEL_NOT_FOUND'));
  const matcher = new URL('matcher', golden).pathname;
  const options = { checkpoint: matcher, output: join(scratch, 'matcher'), id: 'test', revision: '1', oneGraph: true };
  await assert.rejects(buildModel({ ...options, signal }), codeIs('MODEL_UNSUPPORTED'));
});

test('where CUDA does not start, the error says so', async () => {
  const work = openGraphCaptioner(random.model, { provider: 'cuda', precision: 'fp32' });
  // Where it starts, there is nothing to refuse.
  await work.then(
    (engine) => engine[Symbol.asyncDispose](),
    (error: unknown) => assert.ok(codeIs('CONFIG_INVALID')(error), String(error)),
  );
});

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { editCheckpoint, editJson, float32Tensor, float32Values } from '../../../test/support/checkpoint-files.ts';
import { buildModel } from './build-model.ts';
import { type ModelDirectory, readModelDirectory } from './model-directory.ts';

const goldenUrl = new URL('../../../test/fixtures/golden/', import.meta.url);
const golden = new URL('captioner/', goldenUrl).pathname;
/** The golden images that lie in resized/ as Pillow resized them, by their place in expected.json. */
const images = { '01-landscape': 0, '02-portrait': 1, '06-alpha': 5 } as const;
const names = Object.keys(images) as (keyof typeof images)[];

interface Expected {
  readonly captioner: {
    readonly encoder_probe: readonly (readonly number[])[];
    readonly prompt_logits_top5: readonly (readonly (readonly [number, number])[])[];
    readonly runs: Readonly<Record<string, { readonly tokens: readonly (readonly number[])[] }>>;
  };
}

interface Model extends ModelDirectory {
  readonly encoder: InferenceSession;
  readonly decoder: InferenceSession;
}

const signal = AbortSignal.timeout(60_000);
let scratch: string;
let expected: Expected['captioner'];
let model: Model;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  expected = (JSON.parse(await readFile(new URL('expected.json', goldenUrl), 'utf8')) as Expected).captioner;
  model = await open(golden);
});
after(() => rm(scratch, { recursive: true }));

async function open(checkpoint: string): Promise<Model> {
  const output = join(await mkdtemp(join(scratch, 'built-')), 'model');
  await buildModel({ checkpoint, output, id: 'test/captioner', revision: '1', signal });
  const directory = await readModelDirectory(output, { signal });
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const [encoder, decoder] = await Promise.all([
    InferenceSession.create(directory.file('vision-encoder.onnx'), options),
    InferenceSession.create(directory.file('text-decoder.onnx'), options),
  ]);
  return { ...directory, encoder, decoder };
}

async function encode(...chosen: readonly (keyof typeof images)[]): Promise<Tensor> {
  const pixels = await Promise.all(
    chosen.map((name) =>
      sharp(new URL(`resized/${name}.png`, goldenUrl).pathname)
        .raw()
        .toBuffer(),
    ),
  );
  const { side } = model.manifest.image;
  const input = new Tensor('uint8', Buffer.concat(pixels), [chosen.length, side, side, 3]);
  return output(await model.encoder.run({ pixels: input }), 'image_embeds');
}

type Past = Readonly<Record<string, Tensor>>;
type Results = Awaited<ReturnType<InferenceSession['run']>>;

function output(results: Results, name: string): Tensor {
  const value = results[name];
  assert.ok(value instanceof Tensor, name);
  return value;
}

function emptyPast({ manifest }: Model, rows: number): Past {
  const { layers, heads, headSize } = manifest.text;
  const empty = () => new Tensor('float32', new Float32Array(0), [rows, heads, 0, headSize]);
  return Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => [`key_${layer}`, `value_${layer}`])
      .flat()
      .map((name) => [name, empty()]),
  );
}

const int64 = (values: readonly number[]) => new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);

/** [B, tokens, width] -> [B, width, tokens] */
function transposedOf({ data, dims }: Tensor): Tensor {
  const [images = 0, tokens = 0, width = 0] = dims;
  const values = data as Float32Array;
  const result = values.map((_, place) => {
    const [image, row, column] = [
      Math.floor(place / (tokens * width)),
      Math.floor(place / tokens) % width,
      place % tokens,
    ];
    return values[(image * tokens + column) * width + row] as number;
  });
  return new Tensor('float32', result, [images, width, tokens]);
}

/** One step: the logits of each row, and the state after it. */
async function step(
  { decoder, manifest }: Model,
  imageEmbeds: Tensor,
  past: Past,
  row: { readonly ids: readonly number[]; readonly position: number; readonly sourceRows: readonly number[] },
): Promise<{ logits: Float32Array[]; past: Past }> {
  const results = await decoder.run({
    ids: int64(row.ids),
    position: int64([row.position]),
    source_rows: int64(row.sourceRows),
    states: imageEmbeds,
    states_transposed: transposedOf(imageEmbeds),
    ...Object.fromEntries(Object.entries(past).map(([name, value]) => [`past_${name}`, value])),
  });
  const all = output(results, 'logits').data as Float32Array;
  const size = manifest.text.vocabularySize;
  return {
    logits: row.ids.map((_, index) => all.slice(index * size, (index + 1) * size)),
    past: Object.fromEntries(Object.keys(past).map((name) => [name, output(results, `present_${name}`)])),
  };
}

/** Feeds rows of equal length token by token; the logits after the last one. */
async function feed(of: Model, imageEmbeds: Tensor, rows: readonly (readonly number[])[]): Promise<Float32Array[]> {
  const sourceRows = rows.map((_, index) => index);
  let state: { logits: Float32Array[]; past: Past } = { logits: [], past: emptyPast(of, rows.length) };
  for (let position = 0; position < (rows[0]?.length ?? 0); position += 1) {
    const ids = rows.map((row) => row[position] ?? 0);
    state = await step(of, imageEmbeds, state.past, { ids, position, sourceRows });
  }
  return state.logits;
}

const argmax = (values: Float32Array): number => values.indexOf(values.reduce((a, b) => Math.max(a, b)));

function assertClose(actual: Float32Array | undefined, wanted: Float32Array | undefined, tolerance: number): void {
  assert.ok(actual !== undefined && wanted !== undefined && actual.length === wanted.length);
  const worst = actual.reduce((most, value, index) => Math.max(most, Math.abs(value - (wanted[index] ?? 0))), 0);
  assert.ok(worst <= tolerance, `differs by ${worst}, at most ${tolerance} is allowed`);
}

/** The tokens of "a picture of" after bos, which every prompted golden answer starts with. */
const promptOf = (place: number): readonly number[] => expected.runs['greedy_prompt']?.tokens[place]?.slice(0, 8) ?? [];

test('image states equal those of transformers within 1e-4', async () => {
  for (const name of names) {
    const states = (await encode(name)).data as Float32Array;
    const probe = Float32Array.from(expected.encoder_probe[images[name]] ?? []);
    assertClose(
      Float32Array.from(probe, (_, index) => states[index * 37] ?? Number.NaN),
      probe,
      1e-4,
    );
  }
});

test('images encoded together have the states that they have alone', async () => {
  const together = (await encode(...names)).data as Float32Array;
  const size = together.length / names.length;
  for (const [index, name] of names.entries()) {
    assertClose(together.slice(index * size, (index + 1) * size), (await encode(name)).data as Float32Array, 1e-5);
  }
});

test('logits after a prompt equal those of transformers within 1e-3', async () => {
  for (const name of names) {
    const place = images[name];
    const [logits] = await feed(model, await encode(name), [promptOf(place)]);
    const top = expected.prompt_logits_top5[place] ?? [];
    assert.equal(top.length, 5);
    assertClose(
      Float32Array.from(top, ([token]) => logits?.[token] ?? Number.NaN),
      Float32Array.from(top, ([, value]) => value),
      1e-3,
    );
  }
});

test('the most probable tokens, step by step, are the greedy captions of transformers', async () => {
  for (const name of names) {
    const wanted = expected.runs['greedy']?.tokens[images[name]] ?? [];
    const imageEmbeds = await encode(name);
    const tokens = wanted.slice(0, 1);
    let past = emptyPast(model, 1);
    while (tokens.length < wanted.length) {
      const position = tokens.length - 1;
      const result = await step(model, imageEmbeds, past, { ids: tokens.slice(-1), position, sourceRows: [0] });
      past = result.past;
      tokens.push(argmax(result.logits[0] ?? new Float32Array(1)));
    }
    assert.deepEqual(tokens, wanted);
  }
});

test('rows of several images and of several captions have the logits that they have alone', async () => {
  const rows = [
    [3000, 11, 12],
    [3000, 21, 22],
    [3000, 31, 32],
    [3000, 41, 42],
  ];
  const together = await feed(model, await encode('01-landscape', '06-alpha'), rows);
  for (const [index, row] of rows.entries()) {
    const [alone] = await feed(model, await encode(index < 2 ? '01-landscape' : '06-alpha'), [row]);
    assertClose(together[index], alone, 1e-3);
  }
});

test('a row continues the past of its source row', async () => {
  const imageEmbeds = await encode('02-portrait');
  const start = await step(model, imageEmbeds, emptyPast(model, 2), {
    ids: [3000, 500],
    position: 0,
    sourceRows: [0, 1],
  });
  const row = { ids: [7, 8, 9], position: 1, sourceRows: [1, 0, 1] };
  const { logits } = await step(model, imageEmbeds, start.past, row);
  for (const [index, tokens] of [
    [500, 7],
    [3000, 8],
    [500, 9],
  ].entries()) {
    const [alone] = await feed(model, imageEmbeds, [tokens]);
    assertClose(logits[index], alone, 1e-3);
  }
});

test('an untied head is used as it stands', async () => {
  const checkpoint = await mkdtemp(join(scratch, 'untied-'));
  const head = 'text_decoder.cls.predictions';
  await editCheckpoint(golden, checkpoint, (tensors) => {
    const doubled = (from: string, to: string): void => {
      const tensor = tensors.get(from);
      assert.ok(tensor);
      tensors.set(
        to,
        float32Tensor(
          float32Values(tensor).map((value) => 2 * value),
          ...tensor.shape,
        ),
      );
    };
    doubled('text_decoder.bert.embeddings.word_embeddings.weight', `${head}.decoder.weight`);
    doubled(`${head}.bias`, `${head}.decoder.bias`);
  });
  // transformers does not tie what differs, whatever the configuration says.
  for (const tied of [true, false]) {
    await editJson(join(checkpoint, 'config.json'), (json) => {
      json['tie_word_embeddings'] = tied;
      (json['text_config'] as Record<string, unknown>)['tie_word_embeddings'] = tied;
    });
    const untied = await open(checkpoint);
    const imageEmbeds = await encode('01-landscape');
    const [logits] = await feed(untied, imageEmbeds, [promptOf(0)]);
    const [reference] = await feed(model, imageEmbeds, [promptOf(0)]);
    assertClose(
      logits,
      reference?.map((value) => 2 * value),
      0,
    );
  }
});

import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  editCheckpoint,
  editJson,
  float32Tensor,
  float32Values,
  type StoredTensor,
  shardCheckpoint,
  type Tensors,
} from '../../../test/support/checkpoint-files.ts';
import { severalHeads } from '../../../test/support/several-heads.ts';
import { buildModel } from './build-model.ts';
import { readModelDirectory } from './model-directory.ts';

const golden = new URL('../../../test/fixtures/golden/captioner/', import.meta.url).pathname;
const words = 'text_decoder.bert.embeddings.word_embeddings.weight';
const head = 'text_decoder.cls.predictions';
const signal = AbortSignal.timeout(60_000);
let scratch: string;
let reference: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  reference = await built(golden);
});
after(() => rm(scratch, { recursive: true }));

/** Builds into a directory of its own and returns it. */
async function built(checkpoint: string): Promise<string> {
  const output = join(await mkdtemp(join(scratch, 'built-')), 'model');
  await buildModel({ checkpoint, output, id: 'test/captioner', revision: 'golden', signal });
  return output;
}

/** The golden checkpoint with its tensors, and then its files, changed. */
async function edited(
  edit: (tensors: Tensors) => void,
  editFiles: (directory: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'checkpoint-'));
  await editCheckpoint(golden, directory, edit);
  await editFiles(directory);
  return directory;
}

const untie = (directory: string): Promise<void> =>
  editJson(join(directory, 'config.json'), (json) => {
    json['tie_word_embeddings'] = false;
    (json['text_config'] as Record<string, unknown>)['tie_word_embeddings'] = false;
  });

function take(tensors: Tensors, name: string): StoredTensor {
  const tensor = tensors.get(name);
  assert.ok(tensor, `the golden checkpoint has ${name}`);
  return tensor;
}

/** By equals(): a failing deepEqual spends minutes on the difference of two long buffers. */
async function assertSameFile(file: string, first: string, second: string): Promise<void> {
  const [one, other] = await Promise.all([readFile(join(first, file)), readFile(join(second, file))]);
  assert.ok(one.equals(other), `${file} differs`);
}

const assertSameWeights = (first: string, second: string): Promise<void> =>
  assertSameFile('weights.bin', first, second);

const rejection = (code: string, message: RegExp) => ({ name: 'CaptionfleetError', code, message });

const build = (checkpoint: string, output = join(scratch, 'refused')) =>
  buildModel({ checkpoint, output, id: 'test/captioner', revision: 'golden', signal });

test('the same checkpoint gives the same bytes', async () => {
  const again = await built(golden);
  const files = await readdir(reference);
  assert.deepEqual(await readdir(again), files);
  for (const file of files) await assertSameFile(file, again, reference);
});

test('the manifest says what the model is and what a run needs', async () => {
  const { manifest } = await readModelDirectory(reference, { signal });
  assert.equal(manifest.id, 'test/captioner');
  assert.equal(manifest.licence, 'bsd-3-clause');
  assert.equal(manifest.card, undefined);
  assert.deepEqual(manifest.image.tokens, 65);
  assert.deepEqual(manifest.text, {
    ...{ vocabularySize: 3002, maxPositions: 64, layers: 2, heads: 2, headSize: 16 },
    ...{ bosTokenId: 3000, sepTokenId: 102, padTokenId: 0 },
  });
  assert.deepEqual(
    Object.keys(manifest.files),
    (await readdir(reference)).filter((file) => file !== 'manifest.json').sort(),
  );
});

test('the published model keeps the facts of its card', async () => {
  const output = join(scratch, 'published');
  const id = 'Salesforce/blip-image-captioning-base';
  const { card } = await buildModel({ checkpoint: golden, output, id, revision: '1', signal });
  assert.deepEqual(card?.minimumMachine, { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 });
});

test('a checkpoint in several files builds the same model', async () => {
  const sharded = await edited(
    () => undefined,
    (directory) => shardCheckpoint(directory, 3),
  );
  await assertSameWeights(await built(sharded), reference);
});

for (const dtype of ['F16', 'BF16'] as const) {
  test(`a ${dtype} checkpoint builds the model of the same values in F32`, async () => {
    const narrow = await edited((tensors) => {
      for (const [name, tensor] of tensors) tensors.set(name, narrowed(tensor, dtype));
    });
    const wide = await edited((tensors) => {
      for (const [name, tensor] of tensors) tensors.set(name, widened(narrowed(tensor, dtype)));
    });
    await assertSameWeights(await built(narrow), await built(wide));
  });
}

function narrowed(tensor: StoredTensor, dtype: 'F16' | 'BF16'): StoredTensor {
  const values = float32Values(tensor);
  const narrow =
    dtype === 'F16'
      ? Float16Array.from(values)
      : Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16);
  return { dtype, shape: tensor.shape, data: new Uint8Array(narrow.buffer) };
}

function widened({ dtype, shape, data }: StoredTensor): StoredTensor {
  if (dtype === 'F16') return float32Tensor(Float32Array.from(new Float16Array(data.buffer)), ...shape);
  const words = Uint32Array.from(new Uint16Array(data.buffer), (half) => half * 65536);
  return float32Tensor(new Float32Array(words.buffer), ...shape);
}

test('a head that repeats the word embeddings takes no room of its own', async () => {
  const repeated = await edited((tensors) => {
    tensors.set(`${head}.decoder.weight`, take(tensors, words));
    tensors.set(`${head}.decoder.bias`, take(tensors, `${head}.bias`));
  });
  await assertSameWeights(await built(repeated), reference);
});

test('a tied checkpoint may hold the words under the head alone', async () => {
  const swapped = await edited((tensors) => {
    tensors.set(`${head}.decoder.weight`, take(tensors, words));
    tensors.set(`${head}.decoder.bias`, take(tensors, `${head}.bias`));
    tensors.delete(words);
    tensors.delete(`${head}.bias`);
  });
  await assertSameWeights(await built(swapped), reference);
});

test('an untied checkpoint needs a head of its own', async () => {
  const headless = await edited(() => undefined, untie);
  await assert.rejects(
    build(headless),
    rejection('MODEL_UNSUPPORTED', /^model\.safetensors: no tensor .*decoder\.weight of shape \[3002, 32\]$/),
  );
});

test('a head without any bias is refused', async () => {
  const biasless = await edited((tensors) => tensors.delete(`${head}.bias`));
  await assert.rejects(
    build(biasless),
    rejection('MODEL_UNSUPPORTED', /no tensor .*predictions\.bias of shape \[3002\]/),
  );
});

test('position_ids of old checkpoints and tensors that no head needs are ignored', async () => {
  const older = await edited((tensors) => {
    const ids = new Uint8Array(BigInt64Array.from({ length: 64 }, (_, index) => BigInt(index)).buffer);
    tensors.set('text_decoder.bert.embeddings.position_ids', { dtype: 'I64', shape: [1, 64], data: ids });
    tensors.set('vision_proj.weight', float32Tensor(new Float32Array(1024), 32, 32));
  });
  await assertSameWeights(await built(older), reference);
});

test('a missing or misshapen tensor is refused by name and leaves nothing behind', async () => {
  const fc1 = 'vision_model.encoder.layers.1.mlp.fc1.weight';
  const parent = await mkdtemp(join(scratch, 'parent-'));
  const missing = await edited((tensors) => tensors.delete(fc1));
  const message =
    /^model\.safetensors: no tensor vision_model\.encoder\.layers\.1\.mlp\.fc1\.weight of shape \[128, 32\]$/;
  await assert.rejects(build(missing, join(parent, 'model')), rejection('MODEL_UNSUPPORTED', message));
  const misshapen = await edited((tensors) => {
    tensors.set(fc1, { ...take(tensors, fc1), shape: [32, 128] });
  });
  await assert.rejects(
    build(misshapen, join(parent, 'model')),
    rejection('MODEL_UNSUPPORTED', /fc1\.weight has shape \[32, 128\], expected \[128, 32\]/),
  );
  assert.deepEqual(await readdir(parent), []);
});

const goldenSets = new URL('../../../test/fixtures/golden/', import.meta.url);
const manifestOf = async (checkpoint: string) =>
  (await readModelDirectory(await built(checkpoint), { signal })).manifest;

test('a model has the heads that its checkpoint has, and the graphs of these alone', async () => {
  for (const [name, tasks, files] of [
    ['captioner', ['caption'], ['text-decoder.onnx', 'vision-encoder.onnx']],
    ['matcher', ['match'], ['text-encoder.onnx', 'vision-encoder.onnx']],
    ['vqa', ['answer'], ['answer-decoder.onnx', 'question-encoder.onnx', 'vision-encoder.onnx']],
  ] as const) {
    const manifest = await manifestOf(new URL(name, goldenSets).pathname);
    assert.deepEqual(manifest.tasks, tasks);
    assert.deepEqual(
      Object.keys(manifest.files).filter((file) => file.endsWith('.onnx')),
      files,
    );
    assert.equal(manifest.embeddingSize, name === 'matcher' ? 32 : undefined);
  }
});

test('one checkpoint may have several heads, and weights that two of them share take no room twice', async () => {
  const both = await severalHeads(await mkdtemp(join(scratch, 'checkpoint-')), ['BlipForConditionalGeneration']);
  const all = await severalHeads(await mkdtemp(join(scratch, 'checkpoint-')), [
    'BlipForConditionalGeneration',
    'BlipForQuestionAnswering',
  ]);
  const [two, three] = [await manifestOf(both), await manifestOf(all)];
  assert.deepEqual(two.tasks, ['caption', 'match']);
  assert.deepEqual(three.tasks, ['caption', 'match', 'answer']);
  assert.equal(three.files['weights.bin']?.bytes, two.files['weights.bin']?.bytes);
});

test('without a word on its architecture a checkpoint is what its tensors are', async () => {
  const nameless = async (name: string): Promise<string> => {
    const directory = await mkdtemp(join(scratch, 'checkpoint-'));
    await cp(new URL(name, goldenSets), directory, { recursive: true });
    await editJson(join(directory, 'config.json'), (json) => delete json['architectures']);
    return directory;
  };
  assert.deepEqual((await manifestOf(await nameless('captioner'))).tasks, ['caption']);
  assert.deepEqual((await manifestOf(await nameless('matcher'))).tasks, ['match']);
});

test('a head that misses a tensor is refused by its name', async () => {
  for (const [name, tensor, shape] of [
    ['matcher', 'itm_head.weight', '[2, 32]'],
    ['matcher', 'text_proj.bias', '[32]'],
    ['matcher', 'text_encoder.encoder.layer.0.crossattention.self.key.weight', '[32, 32]'],
    ['vqa', 'text_decoder.cls.predictions.transform.dense.bias', '[32]'],
    ['vqa', 'text_encoder.embeddings.LayerNorm.weight', '[32]'],
  ] as const) {
    const directory = await mkdtemp(join(scratch, 'checkpoint-'));
    await editCheckpoint(new URL(name, goldenSets).pathname, directory, (tensors) => tensors.delete(tensor));
    await assert.rejects(build(directory), {
      code: 'MODEL_UNSUPPORTED',
      message: `model.safetensors: no tensor ${tensor} of shape ${shape}`,
    });
  }
});

test('a checkpoint with vocab.txt and no tokenizer.json keeps vocab.txt; with neither it is refused', async () => {
  const older = await edited(
    () => undefined,
    async (directory) => {
      await rm(join(directory, 'tokenizer.json'));
      await writeFile(join(directory, 'vocab.txt'), '[PAD]\n');
    },
  );
  const { manifest } = await readModelDirectory(await built(older), { signal });
  assert.equal(manifest.tokenizer, 'vocab.txt');
  await rm(join(older, 'vocab.txt'));
  await assert.rejects(build(older), rejection('MODEL_NOT_FOUND', /neither tokenizer\.json nor vocab\.txt/));
});

test('an interrupted build leaves nothing', async () => {
  const parent = await mkdtemp(join(scratch, 'parent-'));
  const interruption = new AbortController();
  const interrupted = buildModel({
    ...{ checkpoint: golden, output: join(parent, 'model'), id: 'test/captioner', revision: '1' },
    onProgress: ({ done, total }) => {
      if (done > total / 2) interruption.abort(new Error('stopped by the test'));
    },
    signal: interruption.signal,
  });
  await assert.rejects(interrupted, /stopped by the test/);
  assert.deepEqual(await readdir(parent), []);
});

test('progress rises to the total', async () => {
  const seen: number[] = [];
  let announced = 0;
  const output = join(scratch, 'progress');
  await buildModel({
    ...{ checkpoint: golden, output, id: 'test/captioner', revision: '1', signal },
    onProgress: ({ done, total }) => {
      seen.push(done);
      announced = total;
    },
  });
  assert.deepEqual(
    seen,
    seen.toSorted((left, right) => left - right),
  );
  assert.equal(seen.at(-1), announced);
});

test('what exists at the output stays unless force is set, and then until the new model is whole', async () => {
  const output = join(await mkdtemp(join(scratch, 'parent-')), 'model');
  await cp(reference, output, { recursive: true });
  await writeFile(join(output, 'mine.txt'), 'kept');
  await assert.rejects(build(golden, output), rejection('CONFIG_INVALID', /model exists; choose another/));

  const force = true;
  const options = { output, id: 'test/captioner', revision: 'second', force };
  const broken = await edited((tensors) => {
    tensors.set(words, { ...take(tensors, words), data: new Uint8Array(3002 * 32 * 4).fill(0xff) });
  });
  await assert.rejects(
    buildModel({ ...options, checkpoint: broken, signal }),
    rejection('MODEL_CORRUPT', /not finite/),
  );
  assert.equal(await readFile(join(output, 'mine.txt'), 'utf8'), 'kept');

  await buildModel({ ...options, checkpoint: golden, signal });
  const { manifest } = await readModelDirectory(output, { signal });
  assert.equal(manifest.revision, 'second');
  assert.deepEqual((await readdir(output)).includes('mine.txt'), false);
  assert.deepEqual(await readdir(join(output, '..')), ['model']);
});

// Writes a BLIP captioner of any size with random weights, tensor by tensor: the real model's shape (0.9 GB) needs no
// more memory than a small one.
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RandomCheckpointOptions {
  readonly seed: number;
  /** @defaultValue 768, of both towers */
  readonly width?: number;
  /** @defaultValue 12, of both towers */
  readonly layers?: number;
  /** @defaultValue 12, of both towers */
  readonly heads?: number;
  /** Pixels. @defaultValue 384 */
  readonly imageSide?: number;
  /** Pixels. @defaultValue 16 */
  readonly patchSide?: number;
  /** Pieces of the tokenizer and, after them, [DEC] and [ENC]. At least 106. @defaultValue 30524 */
  readonly vocabularySize?: number;
  /** @defaultValue 512 */
  readonly maxPositions?: number;
}

type Shape = Required<Omit<RandomCheckpointOptions, 'seed'>>;

/** `spread` is the standard deviation of the values around `mean`. */
interface TensorPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly mean: number;
  readonly spread: number;
}

const specialTokens = { '[PAD]': 0, '[UNK]': 100, '[CLS]': 101, '[SEP]': 102, '[MASK]': 103 } as const;

/**
 * Writes config.json, preprocessor_config.json, tokenizer.json and model.safetensors into `directory`, which is made.
 * Names and shapes are those that transformers saves; tied tensors stand there once. The same options give the same
 * bytes. Without options: Salesforce/blip-image-captioning-base's shape.
 */
export async function writeRandomCheckpoint(directory: string, options: RandomCheckpointOptions): Promise<void> {
  const { seed, ...given } = options;
  const shape: Shape = {
    ...{ width: 768, layers: 12, heads: 12, imageSide: 384, patchSide: 16, vocabularySize: 30524, maxPositions: 512 },
    ...given,
  };
  await mkdir(directory, { recursive: true });
  const documents = {
    'config.json': modelConfig(shape),
    'preprocessor_config.json': preprocessorConfig(shape),
    'tokenizer.json': wordPieceTokenizer(shape.vocabularySize - 2),
    'tokenizer_config.json': { do_lower_case: true, tokenizer_class: 'BertTokenizer' },
  };
  for (const [file, document] of Object.entries(documents)) {
    await writeFile(join(directory, file), `${JSON.stringify(document, null, 2)}\n`);
  }
  await writeWeights(join(directory, 'model.safetensors'), [...visionTensors(shape), ...textTensors(shape)], seed);
}

/** Weights of a linear layer keep the variance of what passes through them. */
function* linear(name: string, outputs: number, inputs: number): Generator<TensorPlan> {
  yield { name: `${name}.weight`, shape: [outputs, inputs], mean: 0, spread: 1 / Math.sqrt(inputs) };
  yield { name: `${name}.bias`, shape: [outputs], mean: 0, spread: 0.02 };
}

function* layerNorm(name: string, width: number): Generator<TensorPlan> {
  yield { name: `${name}.weight`, shape: [width], mean: 1, spread: 0.02 };
  yield { name: `${name}.bias`, shape: [width], mean: 0, spread: 0.02 };
}

const embedding = (name: string, ...shape: number[]): TensorPlan => ({ name, shape, mean: 0, spread: 0.1 });

function* visionTensors({ width, layers, imageSide, patchSide }: Shape): Generator<TensorPlan> {
  const patches = (imageSide / patchSide) ** 2;
  const embeddings = 'vision_model.embeddings';
  yield embedding(`${embeddings}.class_embedding`, 1, 1, width);
  yield embedding(`${embeddings}.position_embedding`, 1, patches + 1, width);
  for (const tensor of linear(`${embeddings}.patch_embedding`, width, 3 * patchSide * patchSide)) {
    yield tensor.name.endsWith('.weight') ? { ...tensor, shape: [width, 3, patchSide, patchSide] } : tensor;
  }
  for (let index = 0; index < layers; index += 1) {
    const layer = `vision_model.encoder.layers.${index}`;
    yield* layerNorm(`${layer}.layer_norm1`, width);
    yield* linear(`${layer}.self_attn.qkv`, 3 * width, width);
    yield* linear(`${layer}.self_attn.projection`, width, width);
    yield* layerNorm(`${layer}.layer_norm2`, width);
    yield* linear(`${layer}.mlp.fc1`, 4 * width, width);
    yield* linear(`${layer}.mlp.fc2`, width, 4 * width);
  }
  yield* layerNorm('vision_model.post_layernorm', width);
}

function* textTensors({ width, layers, vocabularySize, maxPositions }: Shape): Generator<TensorPlan> {
  const embeddings = 'text_decoder.bert.embeddings';
  yield embedding(`${embeddings}.word_embeddings.weight`, vocabularySize, width);
  yield embedding(`${embeddings}.position_embeddings.weight`, maxPositions, width);
  yield* layerNorm(`${embeddings}.LayerNorm`, width);
  for (let index = 0; index < layers; index += 1) {
    const layer = `text_decoder.bert.encoder.layer.${index}`;
    for (const attention of ['attention', 'crossattention']) {
      for (const part of ['query', 'key', 'value']) yield* linear(`${layer}.${attention}.self.${part}`, width, width);
      yield* linear(`${layer}.${attention}.output.dense`, width, width);
      yield* layerNorm(`${layer}.${attention}.output.LayerNorm`, width);
    }
    yield* linear(`${layer}.intermediate.dense`, 4 * width, width);
    yield* linear(`${layer}.output.dense`, width, 4 * width);
    yield* layerNorm(`${layer}.output.LayerNorm`, width);
  }
  const head = 'text_decoder.cls.predictions';
  yield { name: `${head}.bias`, shape: [vocabularySize], mean: 0, spread: 0.02 };
  yield* linear(`${head}.transform.dense`, width, width);
  yield* layerNorm(`${head}.transform.LayerNorm`, width);
}

const elementsOf = ({ shape }: TensorPlan): number => shape.reduce((product, size) => product * size, 1);

async function writeWeights(path: string, tensors: readonly TensorPlan[], seed: number): Promise<void> {
  const entries: Record<string, object> = { __metadata__: { format: 'pt' } };
  let position = 0;
  for (const tensor of tensors) {
    const end = position + 4 * elementsOf(tensor);
    entries[tensor.name] = { dtype: 'F32', shape: tensor.shape, data_offsets: [position, end] };
    position = end;
  }
  const json = JSON.stringify(entries);
  // Spaces after the header align the values, as the reference writer does.
  const header = Buffer.from(json.padEnd(json.length + ((8 - (json.length % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await using file = await open(path, 'w');
  await file.write(length);
  await file.write(header);
  const random = randomValues(seed);
  for (const tensor of tensors) await writeTensor(file, tensor, random);
}

/** Elements made and written at a time: 4 MiB. */
const blockElements = 1024 * 1024;

async function writeTensor(file: FileHandle, tensor: TensorPlan, random: () => number): Promise<void> {
  let left = elementsOf(tensor);
  // A uniform distribution of this half width has standard deviation `spread`.
  const halfWidth = Math.sqrt(3) * tensor.spread;
  const block = new Float32Array(Math.min(left, blockElements));
  while (left > 0) {
    const count = Math.min(left, block.length);
    for (let index = 0; index < count; index += 1) block[index] = tensor.mean + halfWidth * random();
    await file.write(new Uint8Array(block.buffer, 0, 4 * count));
    left -= count;
  }
}

/** mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c), scaled to [-1, 1). */
function randomValues(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) | 0) / 2 ** 31;
  };
}

function modelConfig({ width, layers, heads, imageSide, patchSide, vocabularySize, maxPositions }: Shape): object {
  const tower = {
    ...{ hidden_size: width, intermediate_size: 4 * width, num_hidden_layers: layers, num_attention_heads: heads },
    hidden_act: 'gelu',
  };
  return {
    architectures: ['BlipForConditionalGeneration'],
    model_type: 'blip',
    tie_word_embeddings: true,
    text_config: {
      ...tower,
      model_type: 'blip_text_model',
      encoder_hidden_size: width,
      is_decoder: true,
      layer_norm_eps: 1e-12,
      max_position_embeddings: maxPositions,
      vocab_size: vocabularySize,
      bos_token_id: vocabularySize - 2,
      eos_token_id: 2,
      pad_token_id: specialTokens['[PAD]'],
      sep_token_id: specialTokens['[SEP]'],
      tie_word_embeddings: true,
    },
    vision_config: {
      ...tower,
      model_type: 'blip_vision_model',
      image_size: imageSide,
      patch_size: patchSide,
      layer_norm_eps: 1e-5,
    },
  };
}

const preprocessorConfig = ({ imageSide }: Shape): object => ({
  image_processor_type: 'BlipImageProcessor',
  ...{ do_convert_rgb: true, do_resize: true, do_rescale: true, do_normalize: true },
  resample: 3,
  size: { height: imageSide, width: imageSide },
  rescale_factor: 1 / 255,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
});

/** BERT's pipeline over invented pieces: piece n is `wn`, but for the special tokens, which have BERT's numbers. */
function wordPieceTokenizer(pieces: number): object {
  const vocab: Record<string, number> = {};
  const special = new Map<number, string>(Object.entries(specialTokens).map(([content, id]) => [id, content]));
  for (let id = 0; id < pieces; id += 1) vocab[special.get(id) ?? `w${id}`] = id;
  const ends = ['[CLS]', '[SEP]'] as const;
  const [start, end] = ends.map((id) => ({ SpecialToken: { id, type_id: 0 } }));
  const sequence = { Sequence: { id: 'A', type_id: 0 } };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...special].map(([id, content]) => ({
      ...{ id, content, special: true },
      ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
    })),
    normalizer: {
      type: 'BertNormalizer',
      ...{ clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [start, sequence, end],
      pair: [
        start,
        sequence,
        end,
        { Sequence: { id: 'B', type_id: 1 } },
        { SpecialToken: { id: '[SEP]', type_id: 1 } },
      ],
      special_tokens: Object.fromEntries(ends.map((id) => [id, { id, ids: [specialTokens[id]], tokens: [id] }])),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

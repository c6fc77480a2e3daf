import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { z } from 'zod';
import { parseModelJson, readModelJson } from './model-json.ts';
import { RangeFile } from './range-file.ts';
import { readSafetensors } from './safetensors.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { readTorchFile } from './torch-file.ts';
import { type Weight, weightOf } from './weights.ts';

interface CheckpointFormat {
  readonly single: string;
  /** Names the file of each tensor when they are in several. */
  readonly index: string;
  readonly shard: RegExp;
  readonly read: (file: RangeFile) => Promise<Map<string, StoredTensor>>;
}

/** In the order of preference. */
const formats: readonly CheckpointFormat[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    shard: /^\w[\w.-]*\.safetensors$/,
    read: readSafetensors,
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    shard: /^\w[\w.-]*\.bin$/,
    read: readTorchFile,
  },
];

/** One tensor is held in memory at a time; BLIP's largest has 94 MB. */
const tensorBytes = 1024 * 1024 * 1024;

interface PlacedTensor extends StoredTensor {
  readonly file: RangeFile;
}

/**
 * The tensors of a Hugging Face checkpoint, as safetensors or as PyTorch saved them, in one file or several with an
 * index. Where they are is read and checked when it is opened; it keeps its files open until it is disposed.
 */
export class Checkpoint implements AsyncDisposable {
  readonly #tensors = new Map<string, PlacedTensor>();
  readonly #files: RangeFile[] = [];
  /** Where the names are listed: what an error about a missing tensor names. */
  #listing = '';

  private constructor() {}

  /**
   * @throws MODEL_NOT_FOUND when a file is missing, MODEL_CORRUPT when a file contradicts itself or the index,
   * MODEL_UNSUPPORTED when a file of PyTorch holds more than tensors
   */
  static async open(directory: string): Promise<Checkpoint> {
    const checkpoint = new Checkpoint();
    try {
      await checkpoint.#openFiles(directory);
      return checkpoint;
    } catch (error) {
      await checkpoint[Symbol.asyncDispose]();
      throw error;
    }
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /**
   * A tensor as float32, whatever its stored type. Its values are read each time they are asked for.
   *
   * @throws MODEL_UNSUPPORTED naming file, tensor and shape when the tensor is missing, has another shape, or a type
   * other than F32, F16 and BF16
   */
  weight(name: string, shape: readonly number[]): Weight {
    const tensor = this.#tensors.get(name);
    const expected = `[${shape.join(', ')}]`;
    if (tensor === undefined) {
      throw new CaptionfleetError('MODEL_UNSUPPORTED', `${this.#listing}: no tensor ${name} of shape ${expected}`);
    }
    const { file } = tensor;
    const refuse = (reason: string): CaptionfleetError => file.unsupported(`tensor ${name} ${reason}`);
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      throw refuse(`has shape [${tensor.shape.join(', ')}], expected ${expected}`);
    }
    const decode = decoders[tensor.dtype];
    if (decode === undefined) throw refuse(`has type ${tensor.dtype}, expected F32, F16 or BF16`);
    const bytes = tensor.end - tensor.begin;
    if (bytes > tensorBytes) throw refuse(`has ${bytes} bytes, at most ${tensorBytes} are read`);
    return weightOf(name, shape, async () => finite(decode(await file.read(tensor.begin, tensor.end)), file, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#files.splice(0).map((file) => file[Symbol.asyncDispose]()));
  }

  async #openFiles(directory: string): Promise<void> {
    for (const format of formats) {
      this.#listing = format.single;
      if (await this.#addFile(directory, format.single, format)) return;
      this.#listing = format.index;
      if (await this.#addShards(directory, format)) return;
    }
    const names = formats.flatMap(({ single, index }) => [single, index]).join(', ');
    throw new CaptionfleetError('MODEL_NOT_FOUND', `${directory} has none of ${names}`);
  }

  /** False when there is no index. */
  async #addShards(directory: string, format: CheckpointFormat): Promise<boolean> {
    const { index, shard } = format;
    const json = await readModelJson(directory, index);
    if (json === undefined) return false;
    const schema = z.object({ weight_map: z.record(z.string(), z.string().regex(shard, 'must name a weight file')) });
    const { weight_map } = parseModelJson(schema, json, index, 'MODEL_CORRUPT');
    for (const file of new Set(Object.values(weight_map))) {
      if (!(await this.#addFile(directory, file, format))) {
        throw new CaptionfleetError('MODEL_NOT_FOUND', `${directory} has no ${file}, which ${index} names`);
      }
    }
    for (const [name, file] of Object.entries(weight_map)) {
      if (this.#tensors.get(name)?.file.name !== file) {
        throw new CaptionfleetError('MODEL_CORRUPT', `${file}: no tensor ${name}, though ${index} places it there`);
      }
    }
    return true;
  }

  /** False when the file does not exist. */
  async #addFile(directory: string, name: string, { read }: CheckpointFormat): Promise<boolean> {
    const file = await RangeFile.open(directory, name);
    if (file === undefined) return false;
    this.#files.push(file);
    for (const [tensorName, tensor] of await read(file)) {
      const other = this.#tensors.get(tensorName)?.file.name;
      if (other !== undefined) throw file.corrupt(`tensor ${tensorName} is also in ${other}`);
      this.#tensors.set(tensorName, { ...tensor, file });
    }
    return true;
  }
}

/** Stored bytes are little-endian, as is every machine that Node runs on but s390x. */
const decoders: Readonly<Record<string, (bytes: Buffer) => Float32Array>> = {
  F32: ({ buffer }) => new Float32Array(buffer),
  F16: ({ buffer }) => Float32Array.from(new Float16Array(buffer)),
  // bfloat16 is the upper half of a float32.
  BF16: ({ buffer }) => {
    const halves = new Uint16Array(buffer);
    const words = new Uint32Array(halves.length);
    for (let index = 0; index < halves.length; index += 1) words[index] = (halves[index] ?? 0) << 16;
    return new Float32Array(words.buffer);
  },
};

/** One value that is not a number makes every caption nonsense without a single error. */
function finite(values: Float32Array, file: RangeFile, name: string): Float32Array {
  if (!values.every(Number.isFinite)) throw file.corrupt(`tensor ${name} holds values that are not finite`);
  return values;
}

import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { z } from 'zod';
import { isMissing, parseModelJson, readModelJson } from './model-json.ts';
import { type HeaderEntry, parseSafetensorsHeader } from './safetensors-header.ts';
import { type Weight, weightOf } from './weights.ts';

const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';
/** The limit of the reference reader (huggingface/safetensors, MAX_HEADER_SIZE). */
const headerBytes = 100_000_000;
/** One tensor is held in memory at a time; BLIP's largest has 94 MB. */
const tensorBytes = 1024 * 1024 * 1024;

interface StoredTensor extends HeaderEntry {
  readonly file: string;
  readonly handle: FileHandle;
}

/**
 * The tensors of a Hugging Face checkpoint in safetensors form, one file or several with an index. Headers are read and
 * checked when it is opened; it keeps its files open until it is disposed.
 */
export class Checkpoint implements AsyncDisposable {
  readonly #tensors = new Map<string, StoredTensor>();
  readonly #handles: FileHandle[] = [];
  /** Where the names are listed: what an error about a missing tensor names. */
  #listing = singleFile;

  private constructor() {}

  /**
   * @throws MODEL_NOT_FOUND when a file is missing, MODEL_CORRUPT when a header contradicts its file or the index
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
    const refuse = (reason: string): CaptionfleetError =>
      new CaptionfleetError('MODEL_UNSUPPORTED', `${tensor.file}: tensor ${name} ${reason}`);
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      throw refuse(`has shape [${tensor.shape.join(', ')}], expected ${expected}`);
    }
    const decode = decoders[tensor.dtype];
    if (decode === undefined) throw refuse(`has type ${tensor.dtype}, expected F32, F16 or BF16`);
    const bytes = tensor.end - tensor.begin;
    if (bytes > tensorBytes) throw refuse(`has ${bytes} bytes, at most ${tensorBytes} are read`);
    return weightOf(name, shape, async () => finite(decode(await readRange(tensor)), tensor.file, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close()));
  }

  async #openFiles(directory: string): Promise<void> {
    if (await this.#addFile(directory, singleFile)) return;
    const json = await readModelJson(directory, indexFile);
    if (json === undefined) {
      throw new CaptionfleetError(
        'MODEL_NOT_FOUND',
        `${directory} has neither ${singleFile} nor ${indexFile}; a checkpoint saved as safetensors is needed`,
      );
    }
    this.#listing = indexFile;
    const { weight_map } = parseModelJson(IndexSchema, json, indexFile, 'MODEL_CORRUPT');
    for (const file of new Set(Object.values(weight_map))) {
      if (!(await this.#addFile(directory, file))) {
        throw new CaptionfleetError('MODEL_NOT_FOUND', `${directory} has no ${file}, which ${indexFile} names`);
      }
    }
    for (const [name, file] of Object.entries(weight_map)) {
      if (this.#tensors.get(name)?.file !== file) {
        throw new CaptionfleetError('MODEL_CORRUPT', `${file}: no tensor ${name}, though ${indexFile} places it there`);
      }
    }
  }

  /** False when the file does not exist. */
  async #addFile(directory: string, file: string): Promise<boolean> {
    let handle: FileHandle;
    try {
      handle = await open(join(directory, file));
    } catch (error) {
      if (isMissing(error)) return false;
      throw new CaptionfleetError('MODEL_CORRUPT', `${file}: cannot be read`, { cause: error });
    }
    this.#handles.push(handle);
    for (const [name, entry] of await readHeader(handle, file)) {
      if (this.#tensors.has(name)) throw corrupt(file, `tensor ${name} is also in ${this.#tensors.get(name)?.file}`);
      this.#tensors.set(name, { ...entry, file, handle });
    }
    return true;
  }
}

const IndexSchema = z.object({
  weight_map: z.record(z.string(), z.string().regex(/^[\w][\w.-]*\.safetensors$/, 'must name a safetensors file')),
});

const corrupt = (file: string, reason: string, options?: ErrorOptions): CaptionfleetError =>
  new CaptionfleetError('MODEL_CORRUPT', `${file}: ${reason}`, options);

/** A file is: the header's length as a little-endian uint64, the header in JSON, the values. */
async function readHeader(handle: FileHandle, file: string): Promise<Map<string, HeaderEntry>> {
  const { size } = await handle.stat();
  const prefix = 8;
  if (size < prefix) throw corrupt(file, `${size} bytes are too few for a safetensors file`);
  const length = Number((await readBytes(handle, file, 0, prefix)).readBigUInt64LE());
  if (length > headerBytes || prefix + length > size) {
    throw corrupt(
      file,
      `states a header of ${length} bytes in a file of ${size}; it is truncated or no safetensors file`,
    );
  }
  const header = (await readBytes(handle, file, prefix, length)).toString('utf8');
  return parseSafetensorsHeader(header, file, { begin: prefix + length, end: size });
}

const readRange = ({ handle, file, begin, end }: StoredTensor): Promise<Buffer> =>
  readBytes(handle, file, begin, end - begin);

async function readBytes(handle: FileHandle, file: string, position: number, length: number): Promise<Buffer> {
  // A buffer of its own starts at offset 0, so that typed arrays over it are aligned.
  const buffer = Buffer.from(new ArrayBuffer(length));
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle
      .read(buffer, filled, length - filled, position + filled)
      .catch((error: unknown) => {
        throw corrupt(file, 'cannot be read', { cause: error });
      });
    if (bytesRead === 0) throw corrupt(file, 'ended while it was read');
    filled += bytesRead;
  }
  return buffer;
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
function finite(values: Float32Array, file: string, name: string): Float32Array {
  if (!values.every(Number.isFinite)) throw corrupt(file, `tensor ${name} holds values that are not finite`);
  return values;
}

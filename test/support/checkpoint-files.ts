// Takes safetensors checkpoints apart and puts them together again, for tests that change one thing in a real one.
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}
export type Tensors = Map<string, StoredTensor>;

export async function readTensors(file: string): Promise<Tensors> {
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString('utf8', 8, start),
  );
  const tensors: Tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets;
    // A copy of its own, so that typed arrays over it are aligned.
    const data = Uint8Array.from(bytes.subarray(start + begin, start + end));
    tensors.set(name, { dtype: entry.dtype, shape: entry.shape, data });
  }
  return tensors;
}

export function encodeTensors(tensors: Tensors): Buffer {
  const header: Record<string, object> = {};
  let position = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [position, position + data.length] };
    position += data.length;
  }
  return encodeSafetensors(JSON.stringify(header), ...[...tensors.values()].map(({ data }) => data));
}

/** A file with whatever header a test wants. */
export function encodeSafetensors(header: string, ...data: Uint8Array[]): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), ...data]);
}

export const float32Tensor = (values: Float32Array, ...shape: number[]): StoredTensor => ({
  dtype: 'F32',
  shape,
  data: new Uint8Array(values.buffer),
});

export const float32Values = ({ data }: StoredTensor): Float32Array => new Float32Array(data.slice().buffer);

/** Copies a checkpoint directory, with its tensors changed by `edit`. */
export async function editCheckpoint(from: string, to: string, edit: (tensors: Tensors) => void): Promise<void> {
  await cp(from, to, { recursive: true });
  const file = join(to, 'model.safetensors');
  const tensors = await readTensors(file);
  edit(tensors);
  await writeFile(file, encodeTensors(tensors));
}

/** Spreads the tensors of a checkpoint over files with an index, as transformers saves large ones. */
export async function shardCheckpoint(directory: string, shards: number): Promise<void> {
  const file = join(directory, 'model.safetensors');
  const tensors = [...(await readTensors(file))];
  await rm(file);
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard += 1) {
    const number = (value: number) => String(value).padStart(5, '0');
    const shardFile = `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
    const part: Tensors = new Map(tensors.filter((_, index) => index % shards === shard));
    for (const name of part.keys()) weightMap[name] = shardFile;
    await writeFile(join(directory, shardFile), encodeTensors(part));
  }
  await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
}

/** Changes members of a JSON file; `undefined` takes one away. */
export async function editJson(file: string, edit: (json: Record<string, unknown>) => void): Promise<void> {
  const json: Record<string, unknown> = JSON.parse(await readFile(file, 'utf8'));
  edit(json);
  await writeFile(file, JSON.stringify(json, null, 2));
}

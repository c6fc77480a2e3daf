// Writes files as torch.save does, whole or with what a test wants wrong in them.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTensors, type Tensors } from './checkpoint-files.ts';

export interface ZipFileEntry {
  readonly name: string;
  readonly data: Uint8Array;
  /** @defaultValue 0, stored */
  readonly method?: number;
  /** Where the directory says that the entry begins, when that is not the truth. */
  readonly begin?: number;
  /** How many bytes the directory says it has. */
  readonly size?: number;
}

/** Sizes and places are in ZIP64 fields when `zip64` is set; the end is in ZIP64 form always, as torch has it. */
export function encodeZip(entries: readonly ZipFileEntry[], { zip64 = false, count = entries.length } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const { name, data, method = 0, begin = position, size = data.length } of entries) {
    const title = Buffer.from(name);
    const local = record(0x04034b50, 30, { u16: { 8: method, 26: title.length } });
    // Sizes are in the directory alone: torch writes entries as a stream.
    const extra = zip64
      ? Buffer.concat([u16(1), u16(24), u64(size), u64(size), u64(begin)])
      : Buffer.concat([u16(0x4246), u16(0)]);
    const narrow = (value: number): number => (zip64 ? 0xffffffff : value);
    const central = record(0x02014b50, 46, {
      u16: { 10: method, 28: title.length, 30: extra.length },
      u32: { 20: narrow(size), 24: narrow(size), 42: narrow(begin) },
    });
    parts.push(local, title, Buffer.from(data));
    directory.push(central, title, extra);
    position += local.length + title.length + data.length;
  }
  const listing = Buffer.concat(directory);
  const end64 = Buffer.concat([
    record(0x06064b50, 24, { u32: { 4: 44 } }),
    ...[count, count, listing.length, position].map(u64),
  ]);
  const locator = Buffer.concat([record(0x07064b50, 8, {}), u64(position + listing.length), Buffer.from([1, 0, 0, 0])]);
  const end = record(0x06054b50, 22, { u32: { 12: 0xffffffff, 16: 0xffffffff } });
  return Buffer.concat([...parts, listing, end64, locator, end]);
}

interface Fields {
  readonly u16?: Readonly<Record<number, number>>;
  readonly u32?: Readonly<Record<number, number>>;
}

function record(signature: number, length: number, { u16 = {}, u32 = {} }: Fields): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(signature);
  for (const [position, value] of Object.entries(u16)) bytes.writeUInt16LE(value, Number(position));
  for (const [position, value] of Object.entries(u32)) bytes.writeUInt32LE(value, Number(position));
  return bytes;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A file around any pickle; `storages` are by their keys. */
export const torchFile = (pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): ZipFileEntry[] => [
  { name: 'archive/data.pkl', data: pickle },
  ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
  { name: 'archive/version', data: Buffer.from('3\n') },
];

/** Parts of a pickle of protocol 2. */
export const pickle = {
  /** Puts the protocol before and STOP behind. */
  program: (...parts: readonly (Uint8Array | string)[]): Buffer =>
    Buffer.concat([Buffer.from([0x80, 2]), ...parts.map((part) => Buffer.from(part)), Buffer.from('.')]),
  text: (value: string): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from('X'), u64(bytes.length).subarray(0, 4), bytes]);
  },
  integer: (value: number): Buffer => {
    const bytes = Buffer.from('J0000');
    bytes.writeInt32LE(value, 1);
    return bytes;
  },
  name: (module: string, member: string): string => `c${module}\n${member}\n`,
};

export interface PickledTensorOptions {
  readonly key?: string;
  readonly type?: string;
  readonly elements?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
}

/** A call that rebuilds a tensor. */
export function pickledTensor(options: PickledTensorOptions): Buffer {
  const { key = '0', type = 'FloatStorage', elements = 6, offset = 0, shape = [2, 3] } = options;
  const { strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1)) } =
    options;
  const { integer, name, text } = pickle;
  const tuple = (numbers: readonly number[]) => ['(', ...numbers.map(integer), 't'];
  const parts = [
    ...[name('torch._utils', '_rebuild_tensor_v2'), '('],
    ...['(', text('storage'), name('torch', type), text(key), text('cpu'), integer(elements), 't', 'Q'],
    ...[integer(offset), ...tuple(shape), ...tuple(strides)],
    ...[Buffer.from([0x89]), name('collections', 'OrderedDict'), ')R', 't', 'R'],
  ];
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

const storageTypes: Readonly<Record<string, string>> = { F32: 'Float', F16: 'Half', BF16: 'BFloat16', I64: 'Long' };

export function encodeTorchTensors(tensors: Tensors): Buffer {
  const items: (Uint8Array | string)[] = [];
  const storages: Record<string, Uint8Array> = {};
  for (const [name, { dtype, shape, data }] of tensors) {
    const key = String(Object.keys(storages).length);
    storages[key] = data;
    const elements = shape.reduce((product, size) => product * size, 1);
    items.push(pickle.text(name), pickledTensor({ key, type: `${storageTypes[dtype]}Storage`, elements, shape }));
  }
  return encodeZip(torchFile(pickle.program('}(', ...items, 'u'), storages));
}

/** Turns the model.safetensors of a directory into a pytorch_model.bin. */
export async function saveAsTorchFile(directory: string): Promise<void> {
  const file = join(directory, 'model.safetensors');
  await writeFile(join(directory, 'pytorch_model.bin'), encodeTorchTensors(await readTensors(file)));
  await rm(file);
}

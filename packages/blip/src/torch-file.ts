import type { RangeFile } from './range-file.ts';
import { bytesPerElement, elementsOf, type StoredTensor } from './stored-tensor.ts';
import { type PickledTensor, readStateDict } from './torch-pickle.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

/** BLIP's has 100 kB. */
const pickleBytes = 8 * 1024 * 1024;
/** How a file begins that torch.save wrote before 1.6: its magic number 0x1950a86a20f9469cfc6c, pickled. */
const oldMagic = Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex');
const zipMagic = Buffer.from('PK\x03\x04', 'latin1');

/**
 * Reads where the tensors of a state dict are that torch.save (1.6 and later) wrote: a ZIP file with a pickle of names,
 * shapes and storages (`data.pkl`), and the bytes of each storage (`data/0`, `data/1` ...).
 *
 * @throws MODEL_UNSUPPORTED for the format before 1.6, big-endian or strided data, and whatever `readStateDict` refuses;
 * MODEL_CORRUPT for a file that contradicts itself
 */
export async function readTorchFile(file: RangeFile): Promise<Map<string, StoredTensor>> {
  const beginning = await file.read(0, Math.min(oldMagic.length, file.size));
  if (beginning.equals(oldMagic)) {
    throw file.unsupported('has the format of PyTorch before 1.6; save it again, best as safetensors');
  }
  if (!beginning.subarray(0, zipMagic.length).equals(zipMagic)) throw file.corrupt('is no file of PyTorch');

  const entries = await readZipDirectory(file);
  const [pickle, another] = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined || another !== undefined) throw file.corrupt('must have exactly one data.pkl');
  const folder = pickle.slice(0, pickle.indexOf('/'));
  const readEntry = async (name: string, maxBytes: number): Promise<Buffer | undefined> => {
    const entry = entries.get(`${folder}/${name}`);
    if (entry === undefined) return undefined;
    const bytes = entry.end - entry.begin;
    if (bytes > maxBytes) throw file.unsupported(`${name} has ${bytes} bytes; at most ${maxBytes} are read`);
    return await file.read(entry.begin, entry.end);
  };
  if (!entries.has(`${folder}/version`)) throw file.corrupt('has no version');
  const byteOrder = (await readEntry('byteorder', 16))?.toString('latin1') ?? 'little';
  if (byteOrder !== 'little') throw file.unsupported(`byteorder is ${JSON.stringify(byteOrder)}, must be "little"`);

  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of readStateDict((await readEntry('data.pkl', pickleBytes)) ?? Buffer.alloc(0), file)) {
    tensors.set(name, placeTensor(name, tensor, entries.get(`${folder}/data/${tensor.storage.key}`), file));
  }
  return tensors;
}

function placeTensor(
  name: string,
  { storage, offset, shape, strides }: PickledTensor,
  entry: ZipEntry | undefined,
  file: RangeFile,
): StoredTensor {
  const { dtype, key, elements } = storage;
  const elementBytes = bytesPerElement[dtype] ?? Number.NaN;
  if (entry === undefined) throw file.corrupt(`tensor ${name} is in data/${key}, which is missing`);
  const bytes = entry.end - entry.begin;
  if (bytes !== elements * elementBytes) {
    throw file.corrupt(`tensor ${name}: data/${key} has ${bytes} bytes, ${elements} of ${dtype} are stated`);
  }
  const size = elementsOf(shape);
  if (!(offset + size <= elements)) {
    throw file.corrupt(
      `tensor ${name} has elements ${offset} to ${offset + size} of data/${key}, which has ${elements}`,
    );
  }
  if (!isContiguous(shape, strides)) {
    throw file.unsupported(`tensor ${name} of shape [${shape.join(', ')}] has strides [${strides.join(', ')}]`);
  }
  const begin = entry.begin + offset * elementBytes;
  return { dtype, shape, begin, end: begin + size * elementBytes };
}

/** As torch has it: the stride along an axis of one element means nothing, nor does any of an empty tensor. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (elementsOf(shape) === 0) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    if (size === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

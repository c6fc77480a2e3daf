import type { CaptionfleetError } from '@captionfleet/protocol/errors';
import { z } from 'zod';
import type { RangeFile } from './range-file.ts';
import { bytesPerElement, elementsOf, type StoredTensor } from './stored-tensor.ts';

const count = z.int().min(0);
const TensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(count).max(8),
  data_offsets: z.tuple([count, count]),
});

/** The limit of the reference reader (huggingface/safetensors, MAX_HEADER_SIZE). */
const headerBytes = 100_000_000;

/** Reads where the tensors are. A file is: the header's length as a little-endian uint64, the header in JSON, the values. */
export async function readSafetensors(file: RangeFile): Promise<Map<string, StoredTensor>> {
  const prefix = 8;
  if (file.size < prefix) throw file.corrupt(`${file.size} bytes are too few for a safetensors file`);
  const length = Number((await file.read(0, prefix)).readBigUInt64LE());
  if (length > headerBytes || prefix + length > file.size) {
    throw file.corrupt(
      `states a header of ${length} bytes in a file of ${file.size}; it is truncated or no safetensors file`,
    );
  }
  const header = (await file.read(prefix, prefix + length)).toString('utf8');
  return parseHeader(header, file, { begin: prefix + length, end: file.size });
}

/**
 * Parses the header of a safetensors file (https://github.com/huggingface/safetensors#format) and checks it as the
 * reference reader does: names occur once, and the tensors fill the data exactly, without gap or overlap.
 *
 * @param data - where the values lie in the file
 * @throws MODEL_CORRUPT naming file and tensor
 */
function parseHeader(
  header: string,
  file: RangeFile,
  data: { readonly begin: number; readonly end: number },
): Map<string, StoredTensor> {
  const corrupt = (reason: string, cause?: unknown): CaptionfleetError => file.corrupt(reason, { cause });
  const entries = new Map<string, StoredTensor>();
  for (const [name, value] of Object.entries(parseObject(header, corrupt))) {
    if (name === '__metadata__') continue;
    const parsed = TensorSchema.safeParse(value);
    if (!parsed.success) throw corrupt(`the header's entry of tensor ${name} is malformed`, parsed.error);
    const { dtype, shape, data_offsets } = parsed.data;
    const [begin, end] = data_offsets;
    const elementBytes = bytesPerElement[dtype];
    const elements = elementsOf(shape);
    if (elementBytes !== undefined && end - begin !== elements * elementBytes) {
      throw corrupt(`tensor ${name} of ${dtype}[${shape.join(', ')}] occupies ${end - begin} bytes`);
    }
    entries.set(name, { dtype, shape, begin: data.begin + begin, end: data.begin + end });
  }
  checkLayout(entries, data, corrupt);
  return entries;
}

function parseObject(header: string, corrupt: (reason: string, cause?: unknown) => CaptionfleetError): object {
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch (error) {
    throw corrupt('the header is not JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt('the header is no JSON object');
  const repeated = findRepeatedKey(header);
  if (repeated !== undefined) throw corrupt(`the header names ${repeated} twice`);
  return value;
}

/** JSON.parse keeps the last of two equal keys in silence. Expects a text that JSON.parse accepts. */
function findRepeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (key !== undefined && depth === 1) {
      const name: string = JSON.parse(key);
      if (seen.has(name)) return name;
      seen.add(name);
    }
  }
  return undefined;
}

function checkLayout(
  entries: ReadonlyMap<string, StoredTensor>,
  data: { readonly begin: number; readonly end: number },
  corrupt: (reason: string) => CaptionfleetError,
): void {
  let position = data.begin;
  const inOrder = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, { begin, end }] of inOrder) {
    if (end > data.end) throw corrupt(`tensor ${name} ends ${end - data.end} bytes after the file; it is truncated`);
    if (end < begin || begin < position) throw corrupt(`tensor ${name} overlaps another`);
    if (begin > position) throw corrupt(`${begin - position} bytes before tensor ${name} belong to no tensor`);
    position = end;
  }
  if (position < data.end) throw corrupt(`${data.end - position} bytes at the end belong to no tensor`);
}

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { z } from 'zod';

/** Where a tensor lies: positions in bytes from the start of the file. */
export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const count = z.int().min(0);
const TensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(count).max(8),
  data_offsets: z.tuple([count, count]),
});

const bytesPerElement: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 },
};

/**
 * Parses the header of a safetensors file (https://github.com/huggingface/safetensors#format) and checks it as the
 * reference reader does: names occur once, and the tensors fill the data exactly, without gap or overlap.
 *
 * @param data - where the values lie in the file
 * @throws MODEL_CORRUPT naming file and tensor
 */
export function parseSafetensorsHeader(
  header: string,
  file: string,
  data: { readonly begin: number; readonly end: number },
): Map<string, HeaderEntry> {
  const corrupt = (reason: string, cause?: unknown): CaptionfleetError =>
    new CaptionfleetError('MODEL_CORRUPT', `${file}: ${reason}`, { cause });
  const entries = new Map<string, HeaderEntry>();
  for (const [name, value] of Object.entries(parseObject(header, corrupt))) {
    if (name === '__metadata__') continue;
    const parsed = TensorSchema.safeParse(value);
    if (!parsed.success) throw corrupt(`the header's entry of tensor ${name} is malformed`, parsed.error);
    const { dtype, shape, data_offsets } = parsed.data;
    const [begin, end] = data_offsets;
    const elementBytes = bytesPerElement[dtype];
    const elements = shape.reduce((product, size) => product * size, 1);
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
  entries: ReadonlyMap<string, HeaderEntry>,
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

import type { RangeFile } from './range-file.ts';

/** Where the bytes of an entry lie in the file. */
export interface ZipEntry {
  readonly begin: number;
  readonly end: number;
}

/** A checkpoint has an entry for each tensor: BLIP's some 480. */
const maxEntries = 20_000;
const directoryBytes = 8 * 1024 * 1024;
const headerBytes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 } as const;
const signatures = {
  ...{ local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 },
} as const;
/** What a 32-bit field holds when its value is in the ZIP64 part instead. */
const elsewhere = 0xffffffff;

/** What the central directory says of an entry. `begin` is where its local header starts. */
interface ListedEntry {
  readonly name: string;
  readonly begin: number;
  readonly size: number;
}

/**
 * Reads the directory of a ZIP file (APPNOTE.TXT 6.3.10, ZIP64 included) whose entries are stored as they are and that
 * ends without a comment: what torch.save writes. Entries lie within the file and do not overlap.
 *
 * Checksums are not compared: torch.load does not either, and torch can be told to write none.
 *
 * @throws MODEL_CORRUPT for a directory that contradicts its file, MODEL_UNSUPPORTED for compressed or encrypted entries
 */
export async function readZipDirectory(file: RangeFile): Promise<Map<string, ZipEntry>> {
  const { count, begin, end } = await findDirectory(file);
  if (count > maxEntries || end - begin > directoryBytes) {
    throw file.unsupported(`has ${count} entries; at most ${maxEntries} are read`);
  }
  const listed = parseDirectory(await file.read(begin, end), count, file);
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (const { name, begin: start, size } of listed.sort((left, right) => left.begin - right.begin)) {
    if (start < position) throw file.corrupt(`entry ${name} overlaps another`);
    const data = await findData(file, name, start);
    position = data + size;
    if (position > begin) throw file.corrupt(`entry ${name} ends outside the part of the file that has entries`);
    if (entries.has(name)) throw file.corrupt(`has two entries ${name}`);
    entries.set(name, { begin: data, end: position });
  }
  return entries;
}

async function findDirectory(file: RangeFile): Promise<{ count: number; begin: number; end: number }> {
  const endAt = file.size - headerBytes.end;
  const notZip = () => file.corrupt('does not end as a ZIP file does; it is truncated or no file of PyTorch');
  if (endAt < 0) throw notZip();
  const end = await file.read(endAt, file.size);
  if (end.readUInt32LE() !== signatures.end) throw notZip();
  const locatorAt = endAt - headerBytes.locator64;
  const locator = locatorAt < 0 ? undefined : await file.read(locatorAt, endAt);
  let count = end.readUInt16LE(10);
  let length = end.readUInt32LE(12);
  let begin = end.readUInt32LE(16);
  let limit = endAt;
  if (locator?.readUInt32LE() === signatures.locator64) {
    limit = readUInt64(locator, 8, file);
    if (limit > locatorAt) throw file.corrupt('its ZIP64 directory lies outside the file');
    const end64 = await file.read(limit, limit + headerBytes.end64);
    if (end64.readUInt32LE() !== signatures.end64) throw file.corrupt('its ZIP64 directory has no end record');
    count = readUInt64(end64, 32, file);
    length = readUInt64(end64, 40, file);
    begin = readUInt64(end64, 48, file);
  }
  if (begin + length > limit) throw file.corrupt('its ZIP directory lies outside the file');
  return { count, begin, end: begin + length };
}

function parseDirectory(directory: Buffer, count: number, file: RangeFile): ListedEntry[] {
  const entries: ListedEntry[] = [];
  let position = 0;
  for (let index = 0; index < count; index += 1) {
    const fixedEnd = position + headerBytes.central;
    if (fixedEnd > directory.length || directory.readUInt32LE(position) !== signatures.central) {
      throw file.corrupt(`its ZIP directory is damaged at entry ${index}`);
    }
    const nameEnd = fixedEnd + directory.readUInt16LE(position + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(position + 30);
    const next = extraEnd + directory.readUInt16LE(position + 32);
    if (next > directory.length) throw file.corrupt(`its ZIP directory is damaged at entry ${index}`);
    const name = directory.toString('utf8', fixedEnd, nameEnd);
    const header = directory.subarray(position, fixedEnd);
    entries.push(parseEntry(name, header, directory.subarray(nameEnd, extraEnd), file));
    position = next;
  }
  return entries;
}

function parseEntry(name: string, header: Buffer, extra: Buffer, file: RangeFile): ListedEntry {
  const isEncrypted = (header.readUInt16LE(8) & 1) !== 0;
  const method = header.readUInt16LE(10);
  if (isEncrypted || method !== 0) {
    const how = isEncrypted ? 'encrypted' : `compressed (method ${method})`;
    throw file.unsupported(`entry ${name} is ${how}; torch.save stores entries as they are`);
  }
  // ZIP64 holds only those that are elsewhere, in this order.
  const wide = findZip64(extra);
  let position = 0;
  const [size, storedSize, begin] = [24, 20, 42].map((field) => {
    const value = header.readUInt32LE(field);
    if (value !== elsewhere) return value;
    if (position + 8 > wide.length) throw file.corrupt(`entry ${name} lacks its ZIP64 sizes`);
    position += 8;
    return readUInt64(wide, position - 8, file);
  }) as [number, number, number];
  if (size !== storedSize) throw file.corrupt(`entry ${name} has ${size} bytes, of which ${storedSize} are stored`);
  return { name, size, begin };
}

function findZip64(extra: Buffer): Buffer {
  let position = 0;
  while (position + 4 <= extra.length) {
    const end = position + 4 + extra.readUInt16LE(position + 2);
    if (extra.readUInt16LE(position) === 1) return extra.subarray(position + 4, end);
    position = end;
  }
  return extra.subarray(extra.length);
}

/** The local header repeats the name; its extra field has another length than the directory's, to align the data. */
async function findData(file: RangeFile, name: string, begin: number): Promise<number> {
  const header = await file.read(begin, begin + headerBytes.local);
  const nameBegin = begin + headerBytes.local;
  const nameEnd = nameBegin + header.readUInt16LE(26);
  const isThere = header.readUInt32LE() === signatures.local;
  if (!isThere || (await file.read(nameBegin, nameEnd)).toString('utf8') !== name) {
    throw file.corrupt(`entry ${name} is not where the directory places it`);
  }
  return nameEnd + header.readUInt16LE(28);
}

function readUInt64(buffer: Buffer, position: number, file: RangeFile): number {
  const value = buffer.readBigUInt64LE(position);
  if (value > Number.MAX_SAFE_INTEGER) throw file.corrupt(`its ZIP directory states ${value} bytes`);
  return Number(value);
}

import { batchLimits, type StoredFile } from '@captionfleet/protocol/batch';
import type { FilePlace } from '@captionfleet/storage/batch-store';
import type { FileStore } from '@captionfleet/storage/file-store';

/** A line that is not blank. */
export interface FileLine {
  /** Position among these lines, from 0. */
  readonly index: number;
  /** Number of the line in the file, from 1, counted from where the reading began. */
  readonly number: number;
  /** Without its end; undefined when it has more bytes than a line may have. */
  readonly text: string | undefined;
  /** The byte after its end. */
  readonly end: number;
}

/** Bytes that are read at a time: no connection stays open while the reader waits. */
const rangeBytes = 4 * 1024 * 1024;

/**
 * The lines of a file from a place on. At most one range and one line are in memory.
 *
 * @throws STORAGE_UNAVAILABLE, or the signal's reason
 */
export async function* fileLines(
  files: Pick<FileStore, 'read'>,
  file: Pick<StoredFile, 'id' | 'bytes'>,
  { index: firstIndex, offset: firstOffset }: FilePlace,
  signal: AbortSignal,
): AsyncGenerator<FileLine> {
  let index = firstIndex;
  let number = 0;
  let offset = firstOffset;
  let parts: Buffer[] = [];
  let bytes = 0;
  const keep = (part: Buffer): void => {
    bytes += part.byteLength;
    if (bytes > batchLimits.lineBytes) parts = [];
    else parts.push(part);
  };
  const finish = (end: number): FileLine[] => {
    const isTooLong = bytes > batchLimits.lineBytes;
    const text = isTooLong ? undefined : textOf(Buffer.concat(parts, bytes), number === 0 && firstOffset === 0);
    parts = [];
    bytes = 0;
    number += 1;
    if (text?.trim() === '') return [];
    index += 1;
    return [{ index: index - 1, number, text, end }];
  };
  while (offset < file.bytes) {
    const range = await files.read(file, { offset, length: rangeBytes, signal });
    let start = 0;
    for (let at = range.indexOf(10); at >= 0; at = range.indexOf(10, start)) {
      keep(range.subarray(start, at));
      start = at + 1;
      yield* finish(offset + start);
    }
    keep(range.subarray(start));
    offset += range.byteLength;
  }
  if (bytes > 0) yield* finish(offset);
}

/** Some editors begin a file with a byte order mark. */
function textOf(bytes: Buffer, isFirst: boolean): string {
  const text = bytes.toString('utf8');
  return isFirst && text.startsWith('\uFEFF') ? text.slice(1) : text;
}

import { setTimeout as delay } from 'node:timers/promises';
import { bulkLimits } from '@captionfleet/protocol/bulk-request';
import { CustomIdSchema } from '@captionfleet/protocol/custom-id';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { BulkItemSchema } from './bulk-item.ts';
import type { ArrivedItem } from './bulk-upload.ts';

/** A line without its end, or one that was too long to be kept. */
type Line = string | 'too long'[];

/** Bytes after which a chunk is closed, however few items it has: inline images are large. */
const chunkBytes = 8 * 1024 * 1024;
/** Milliseconds after which the items that have come are stored although no more follow. */
const chunkIdleMs = 100;

/** @throws what reading the source throws */
export async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<readonly Line[]> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const end = (): Line => {
    const line: Line = bytes > bulkLimits.lineBytes ? ['too long'] : Buffer.concat(parts, bytes).toString('utf8');
    parts = [];
    bytes = 0;
    return line;
  };
  const keep = (part: Buffer): void => {
    bytes += part.length;
    if (bytes > bulkLimits.lineBytes) parts = [];
    else parts.push(part);
  };
  for await (const chunk of source) {
    const lines: Line[] = [];
    let start = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
      keep(chunk.subarray(start, at));
      lines.push(end());
      start = at + 1;
    }
    keep(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (bytes > 0) yield [end()];
}

const isBlank = (line: Line): boolean => typeof line === 'string' && line.trim() === '';

/** An item of a document or of a line; one that has not the form is refused by itself. */
export function readItem(value: unknown): ArrivedItem {
  const parsed = BulkItemSchema.safeParse(value);
  if (parsed.success)
    return { customId: parsed.data.custom_id ?? parsed.data.image.customId, image: parsed.data.image };
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.');
  const message = `${path === '' || path === undefined ? 'the item' : path}: ${issue?.message}`;
  const name = CustomIdSchema.safeParse(Object(value).custom_id);
  return { customId: name.data, refused: reportError(new CaptionfleetError('REQUEST_INVALID', message)) };
}

function readLine(line: Line): ArrivedItem {
  if (typeof line !== 'string') {
    const message = `the line has more than ${bulkLimits.lineBytes} bytes`;
    return { refused: reportError(new CaptionfleetError('REQUEST_TOO_LARGE', message)) };
  }
  try {
    return readItem(JSON.parse(line));
  } catch {
    return { refused: reportError(new CaptionfleetError('REQUEST_INVALID', 'the line is not JSON')) };
  }
}

/** Groups items into chunks that are worth storing together, none older than a moment. */
export async function* chunksOf(lines: AsyncIterable<readonly Line[]>): AsyncGenerator<readonly ArrivedItem[]> {
  let items: ArrivedItem[] = [];
  let bytes = 0;
  for await (const some of orIdle(lines, () => items.length > 0)) {
    for (const line of some ?? []) {
      if (isBlank(line)) continue;
      items.push(readLine(line));
      bytes += line.length;
      if (items.length < bulkLimits.chunkItems && bytes < chunkBytes) continue;
      yield items;
      items = [];
      bytes = 0;
    }
    if (some !== undefined || items.length === 0) continue;
    yield items;
    items = [];
    bytes = 0;
  }
  if (items.length > 0) yield items;
}

/** What comes, and `undefined` when nothing has for a moment although `isWaiting`. */
async function* orIdle<T>(source: AsyncIterable<T>, isWaiting: () => boolean): AsyncGenerator<T | undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      if (isWaiting()) {
        const stop = new AbortController();
        const idle = delay(chunkIdleMs, 'idle' as const, { signal: stop.signal }).catch(() => 'idle' as const);
        const first = await Promise.race([next, idle]).finally(() => stop.abort());
        if (first === 'idle') {
          yield undefined;
          continue;
        }
      }
      const result = await next;
      if (result.done === true) return;
      next = iterator.next();
      // It is awaited later, and must not count as unhandled until then.
      next.catch(() => undefined);
      yield result.value;
    }
  } finally {
    next.catch(() => undefined);
    void iterator.return?.().catch(() => undefined);
  }
}

/** Splits items that are all here into chunks. */
export async function* chunksOfAll(items: readonly unknown[]): AsyncGenerator<readonly ArrivedItem[]> {
  for (let start = 0; start < items.length; start += bulkLimits.chunkItems) {
    yield items.slice(start, start + bulkLimits.chunkItems).map(readItem);
  }
}

/**
 * The first line, when it says what is asked of the images instead of naming one, and all lines after it.
 *
 * @throws REQUEST_INVALID for a first line that is not JSON
 */
export async function splitFirstLine(
  lines: AsyncGenerator<readonly Line[]>,
): Promise<{ asked: unknown; rest: AsyncGenerator<readonly Line[]> }> {
  for (let { value, done } = await lines.next(); done !== true; { value, done } = await lines.next()) {
    const start = value.findIndex((line: Line) => !isBlank(line));
    if (start < 0) continue;
    const asked = askedIn(value[start]);
    return { asked, rest: prepend(value.slice(asked === undefined ? start : start + 1), lines) };
  }
  return { asked: undefined, rest: lines };
}

function askedIn(line: Line | undefined): unknown {
  if (typeof line !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(line);
    const isAsked = typeof value === 'object' && value !== null && !('image' in value) && !('custom_id' in value);
    return isAsked ? value : undefined;
  } catch {
    return undefined;
  }
}

async function* prepend<T>(first: readonly T[], rest: AsyncGenerator<readonly T[]>): AsyncGenerator<readonly T[]> {
  yield first;
  yield* rest;
}

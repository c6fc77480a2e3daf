import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchLimits } from '@captionfleet/protocol/batch';
import type { FilePlace } from '@captionfleet/storage/batch-store';
import { type FileLine, fileLines } from './file-lines.ts';

/** Reads bytes as a store gives them, and at most `most` of them at a time. */
async function linesOf(
  bytes: Buffer,
  place: FilePlace = { index: 0, offset: 0 },
  most = 1_000_000,
): Promise<FileLine[]> {
  const files = {
    read: async (_: object, { offset, length }: { offset: number; length: number }) =>
      bytes.subarray(offset, offset + Math.min(length, most)),
  };
  const file = { id: `file-${'0'.repeat(26)}`, bytes: bytes.byteLength };
  return await Array.fromAsync(fileLines(files, file, place, AbortSignal.timeout(60_000)));
}

test('lines are the same however their bytes are cut into ranges', async () => {
  const text = ['a', '', 'zwölf', ' \r', 'b\r', '', '日本語', 'last'].join('\n');
  const expected = ['a', 'zwölf', 'b\r', '日本語', 'last'];
  for (let most = 1; most <= 40; most += 1) {
    const lines = await linesOf(Buffer.from(text), undefined, most);
    assert.deepEqual(
      lines.map((line) => line.text),
      expected,
      `${most} bytes at a time`,
    );
    assert.deepEqual(
      lines.map((line) => [line.index, line.number]),
      [
        [0, 1],
        [1, 3],
        [2, 5],
        [3, 7],
        [4, 8],
      ],
    );
  }
});

test('a reader goes on at the end of any line as if it had never stopped', async () => {
  const bytes = Buffer.from(
    Array.from({ length: 100 }, (_, index) => `line ${index}\n${'\n'.repeat(index % 3)}`).join(''),
  );
  const all = await linesOf(bytes);
  for (const { index, end } of all) {
    const rest = await linesOf(bytes, { index: index + 1, offset: end });
    assert.deepEqual(
      rest.map((line) => [line.index, line.text, line.end]),
      all.slice(index + 1).map((line) => [line.index, line.text, line.end]),
    );
  }
});

test('a byte order mark is no part of the first line, and a line over the limit has no text', async () => {
  const long = Buffer.alloc(batchLimits.lineBytes + 1, 'x');
  const bytes = Buffer.concat([Buffer.from('\uFEFF{}\n'), long, Buffer.from('\nafter')]);
  assert.deepEqual(
    (await linesOf(bytes)).map(({ text }) => text),
    ['{}', undefined, 'after'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seldom } from './seldom.ts';

test('the first error is written at once, the others once a minute, with their number', () => {
  let time = 0;
  const written: (readonly [string, number])[] = [];
  const tell = seldom(
    ({ message }, count) => written.push([message, count]),
    () => time,
  );
  for (const [second, message] of [
    [0, 'a'],
    [1, 'b'],
    [59, 'c'],
    [61, 'd'],
    [62, 'e'],
    [200, 'f'],
  ] as const) {
    time = second * 1000;
    tell(new Error(message));
  }
  assert.deepEqual(written, [
    ['a', 1],
    ['d', 3],
    ['f', 2],
  ]);
});

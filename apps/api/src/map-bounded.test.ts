import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapBounded } from './map-bounded.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('results keep their order, and no more than the limit run at a time', async () => {
  let running = 0;
  let most = 0;
  const items = Array.from({ length: 50 }, (_, index) => index);
  const doubled = await mapBounded(items, 4, async (item) => {
    running += 1;
    most = Math.max(most, running);
    for (let turns = 0; turns < item % 3; turns += 1) await turn();
    running -= 1;
    return item * 2;
  });
  assert.deepEqual(
    doubled,
    items.map((item) => item * 2),
  );
  assert.equal(most, 4);
  assert.deepEqual(await mapBounded([], 4, async () => 1), []);
});

test('after an error nothing new starts, what runs is awaited, and the error is thrown', async () => {
  const started: number[] = [];
  const ended: number[] = [];
  const failure = mapBounded([0, 1, 2, 3, 4], 2, async (item) => {
    started.push(item);
    if (item === 0) throw new Error('no');
    await turn();
    ended.push(item);
  });
  await assert.rejects(failure, /no/);
  assert.deepEqual([started, ended], [[0, 1], [1]]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { drainSeconds, type PoolLook, type QueueLook } from './pool-look.ts';
import { queueLook as queue, workerPresence as worker } from './test-looks.ts';

const look = (queues: QueueLook[], workers: WorkerPresence[]): PoolLook => ({
  pool: 'cpu',
  atSeconds: 1,
  queues,
  workers,
});
const bulk = { name: 'bulk-cpu', lane: 'bulk' } as const;

test('a lane is drained at the rate of its workers, bulk after what is interactive', () => {
  const work = [queue({ waiting: 20, active: 8, overdue: 2 }), queue({ ...bulk, waiting: 70 })];
  const pool = look(work, [worker({ imagesPerSecond: 2 }), worker({ imagesPerSecond: 3 })]);
  assert.equal(drainSeconds(pool, 'interactive'), 6);
  assert.equal(drainSeconds(pool, 'bulk'), 20);
});

test('a worker that has measured nothing counts like the others, and none gives no number', () => {
  const work = [queue({ waiting: 12 })];
  assert.equal(drainSeconds(look(work, [worker({ imagesPerSecond: 3 }), worker({})]), 'interactive'), 2);
  assert.equal(drainSeconds(look(work, [worker({})]), 'interactive'), undefined);
});

test('nothing to do takes no time, and work that nobody does takes for ever', () => {
  const busy = queue({ waiting: 1 });
  assert.equal(drainSeconds(look([queue({})], []), 'interactive'), 0);
  assert.equal(drainSeconds(look([busy], []), 'interactive'), Number.POSITIVE_INFINITY);
  assert.equal(drainSeconds(look([busy], []), 'bulk'), 0);
  const other = [worker({ lanes: ['bulk'] }), worker({ tasks: ['match'] })];
  assert.equal(drainSeconds(look([busy], other), 'interactive'), Number.POSITIVE_INFINITY);
  const paused = queue({ waiting: 1, paused: true });
  assert.equal(drainSeconds(look([paused], [worker({})]), 'interactive'), Number.POSITIVE_INFINITY);
});

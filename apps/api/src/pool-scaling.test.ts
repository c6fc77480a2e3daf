import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ModelTask } from '@captionfleet/protocol/task';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { openScalingMemory } from '@captionfleet/queue/scaling-memory';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import type { PoolLook, QueueLook } from './pool-look.ts';
import { type PoolScalingConfig, scalePool } from './pool-scaling.ts';
import { queueLook, workerPresence as worker } from './test-looks.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis[Symbol.asyncDispose]());

const settings = {
  minReplicas: 0,
  maxReplicas: 10,
  sloSeconds: { interactive: 30, bulk: 3_600 },
  coldStartSeconds: undefined,
  assumedImagesPerSecond: 1,
  scaleDownAfterSeconds: 120,
};
const queue = (head: ModelTask, part: Partial<QueueLook>): QueueLook =>
  queueLook({ name: `interactive-cpu-${head}`, head, ...part });
const look = (atSeconds: number, queues: QueueLook[], workers: WorkerPresence[] = []): PoolLook => ({
  pool: 'cpu',
  atSeconds,
  queues,
  workers,
});

async function openScaling(prefix: string) {
  const memory = await openScalingMemory(redis.url, prefix);
  const config: PoolScalingConfig = { settings: { cpu: settings, gpu: settings }, memory, tasks: ['caption', 'match'] };
  return { config, memory, [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose]() };
}

test('work that no worker of the pool has the head for asks for no more of them, and is named', async () => {
  await using scaling = await openScaling('{heads}');
  const queues = [queue('caption', { waiting: 0 }), queue('match', { waiting: 400 })];
  const seen = await scalePool(look(1_000, queues, [worker()]), scaling.config);
  assert.equal(seen.desiredReplicas, 0);
  assert.deepEqual(seen.unserved, [{ queue: 'interactive-cpu-match', jobs: 400 }]);
  // Also when its workers are gone, but not for ever: the next ones may have another model.
  assert.equal((await scalePool(look(1_300, queues), scaling.config)).desiredReplicas, 0);
  assert.ok((await scalePool(look(1_601, queues), scaling.config)).desiredReplicas > 0);
});

test('an empty pool is wanted back with what its workers were seen to do and to take', async () => {
  await using scaling = await openScaling('{seen}');
  const before = await scalePool(look(1_000, [queue('caption', { waiting: 80 })]), scaling.config);
  assert.equal(before.settings.coldStartSeconds, 60);
  assert.equal(before.observation.imagesPerSecondPerReplica, undefined);
  await scalePool(look(1_001, [], [worker({ imagesPerSecond: 4, startSeconds: 10 })]), scaling.config);
  const after = await scalePool(look(2_000, [queue('caption', { waiting: 80 })]), scaling.config);
  assert.equal(after.settings.coldStartSeconds, 10);
  assert.equal(after.observation.imagesPerSecondPerReplica, 4);
  // 80 in 0.8 * 30 - 10 s, of which one does 4 a second.
  assert.equal(after.desiredReplicas, 2);
});

test('of a lane whose queues are paused in part only the rest counts, and what runs', async () => {
  await using scaling = await openScaling('{paused}');
  const queues = [
    queue('caption', { waiting: 900, active: 2, paused: true, oldestWaitingSeconds: 700 }),
    queue('match', { waiting: 3, overdue: 1, oldestWaitingSeconds: 5 }),
  ];
  const { observation } = await scalePool(look(1_000, queues), scaling.config);
  assert.deepEqual(observation.lanes[0], {
    lane: 'interactive',
    waiting: 3,
    active: 2,
    overdue: 1,
    oldestSeconds: 5,
    paused: false,
    arrivalsPerSecond: 0,
  });
  const idle = [queue('caption', { waiting: 900, paused: true }), queue('match', {})];
  assert.equal((await scalePool(look(2_000, idle), scaling.config)).desiredReplicas, 0);
});

test('API processes that decide by turns, or at once, remember the same', async () => {
  await using one = await openScaling('{shared}');
  await using other = await openScaling('{shared}');
  const busy = [queue('caption', { waiting: 80 })];
  const peak = await scalePool(look(1_000, busy), one.config);
  assert.ok(peak.desiredReplicas > 1);
  assert.equal(
    (await scalePool(look(1_060, [queue('caption', {})]), other.config)).desiredReplicas,
    peak.desiredReplicas,
  );
  const both = await Promise.all([one, other].map(({ config }) => scalePool(look(1_119, busy), config)));
  assert.equal(both[0]?.desiredReplicas, both[1]?.desiredReplicas);
  assert.equal((await scalePool(look(1_240, []), one.config)).desiredReplicas, 0);
});

test('a memory that another has written since is not overwritten, and one that nobody can read is none', async () => {
  await using scaling = await openScaling('{race}');
  const { memory } = scaling;
  assert.equal(await memory.replace('cpu', undefined, 'first'), true);
  assert.equal(await memory.replace('cpu', undefined, 'second'), false);
  assert.equal(await memory.read('cpu'), 'first');
  assert.equal((await scalePool(look(1_000, [queue('caption', { waiting: 1 })]), scaling.config)).desiredReplicas, 1);
});

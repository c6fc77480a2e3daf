import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { openBacklogReader, type QueueBacklog } from './backlog.ts';
import { endless, openQueue, prefix, waitFor } from './test-queue.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis[Symbol.asyncDispose]());

const nothing: QueueBacklog = {
  waiting: 0,
  active: 0,
  delayed: 0,
  failed: 0,
  overdue: 0,
  oldestWaitingSeconds: 0,
  oldestSeconds: 0,
  paused: false,
  arrivalsPerSecond: 0,
};

async function openReader(queue: string, redisUrl = redis.url) {
  const reader = await openBacklogReader({ redisUrl, prefix, queues: [queue, randomUUID()] });
  return {
    reader,
    read: async (): Promise<QueueBacklog> => (await reader.read()).queues.get(queue) ?? nothing,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

test('an empty queue has nothing, and the clock is that of Redis', async () => {
  await using backlog = await openReader(randomUUID());
  assert.deepEqual(await backlog.read(), nothing);
  const { atSeconds, memory, queues } = await backlog.reader.read();
  assert.ok(Math.abs(atSeconds - Date.now() / 1_000) < 5, String(atSeconds));
  assert.ok(memory.used > 0);
  assert.equal(queues.size, 2);
});

for (const fair of [false, true]) {
  test(`jobs that wait are counted${fair ? ', also where tenants take turns' : ''}, with the age of the oldest`, async () => {
    await using queue = await openQueue(redis.url, 40, { fair });
    await using backlog = await openReader(queue.queue);
    await waitFor(
      'the oldest to be a second old',
      10_000,
      async () => (await backlog.read()).oldestWaitingSeconds >= 1,
    );
    const { signal } = new AbortController();
    await queue.producer.enqueue(queue.jobs.slice(0, 1), { signal });
    const { waiting, active, oldestWaitingSeconds: oldestSeconds } = await backlog.read();
    assert.deepEqual({ waiting, active }, { waiting: 40, active: 0 });
    assert.ok(oldestSeconds >= 1 && oldestSeconds < 60, String(oldestSeconds));
  });
}

test('a delayed job counts from the moment that it is due, and so does its age', async () => {
  await using queue = await openQueue(redis.url, 0);
  const bull = new Queue(queue.queue, { connection: { url: redis.url }, prefix });
  await using backlog = await openReader(queue.queue);
  const added = Date.now();
  await bull.add('later', {}, { delay: 600 });
  await bull.add('much later', {}, { delay: 600_000 });
  assert.equal((await backlog.read()).overdue, 0);
  await waitFor('one of the two to be due', 10_000, async () => (await backlog.read()).overdue === 1);
  assert.ok(Date.now() - added >= 600);
  const { waiting, delayed, oldestWaitingSeconds } = await backlog.read();
  // Nobody moves it: no worker is there.
  assert.deepEqual({ waiting, delayed }, { waiting: 0, delayed: 2 });
  assert.ok(oldestWaitingSeconds >= 0.6, String(oldestWaitingSeconds));
  await bull.close();
});

test('jobs that a worker has taken are active, and a paused queue keeps its jobs in line', async () => {
  await using queue = await openQueue(redis.url, 5);
  await using backlog = await openReader(queue.queue);
  const { handle, started } = endless({ heeds: false });
  await queue.consume(handle, { concurrency: 2 });
  await started(2);
  const { waiting, active, oldestSeconds } = await backlog.read();
  assert.deepEqual({ waiting, active }, { waiting: 3, active: 2 });
  assert.ok(oldestSeconds > 0);
  const bull = new Queue(queue.queue, { connection: { url: redis.url }, prefix });
  await bull.pause();
  assert.deepEqual(
    { waiting: (await backlog.read()).waiting, paused: (await backlog.read()).paused },
    { waiting: 3, paused: true },
  );
  await bull.resume();
  assert.equal((await backlog.read()).paused, false);
  await bull.close();
});

test('every reader has the same rate of arrivals', async () => {
  await using queue = await openQueue(redis.url, 0);
  await using one = await openReader(queue.queue);
  await using other = await openReader(queue.queue);
  assert.equal((await one.read()).arrivalsPerSecond, 0);
  const { signal } = new AbortController();
  await using more = await openQueue(redis.url, 30);
  await queue.producer.enqueue(more.jobs, { signal });
  // A look right after a burst does not take its second for a minute.
  const [first, second] = [await one.read(), await other.read()];
  assert.deepEqual([first.arrivalsPerSecond, second.arrivalsPerSecond], [1, 1]);
});

test('a full Redis is still read, and one that is away is QUEUE_UNAVAILABLE', async () => {
  await using own = await startRedis();
  await using queue = await openQueue(own.url, 3);
  await using backlog = await openReader(queue.queue, own.url);
  const raw = new Redis(own.url);
  await raw.config('SET', 'maxmemory', '1');
  await assert.rejects(raw.set('anything', 'x'), /OOM/);
  assert.equal((await backlog.read()).waiting, 3);
  assert.equal((await backlog.reader.read()).memory.limit, 1);
  raw.disconnect();
  await own[Symbol.asyncDispose]();
  await assert.rejects(backlog.read(), { code: 'QUEUE_UNAVAILABLE' });
});

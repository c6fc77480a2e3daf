import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { jobId } from '@captionfleet/protocol/image-job';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { type JobProducer, openProducer } from './producer.ts';
import { startTestProxy } from './test-proxy.ts';
import { makeJobs, openQueue, waitFor } from './test-queue.ts';

let redis: TestRedis;
let raw: Redis;
before(async () => {
  redis = await startRedis();
  raw = new Redis(redis.url);
});
after(async () => {
  raw.disconnect();
  await redis[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const open = (options: { maxWaiting?: number; redisUrl?: string; queue?: string } = {}): Promise<JobProducer> =>
  openProducer({ redisUrl: redis.url, queue: randomUUID(), prefix: '{test}', maxWaiting: 10_000, ...options });

/** Matches an error of the fleet in assert.rejects. */
const withCode = (code: string) => (error: unknown) => error instanceof CaptionfleetError && error.code === code;
const isUnavailable = (outcome: PromiseSettledResult<unknown>): boolean =>
  outcome.status === 'rejected' && withCode('QUEUE_UNAVAILABLE')(outcome.reason);

test('jobs that are enqueued are queued; others are unknown', async () => {
  await using producer = await open();
  const jobs = makeJobs(3);
  await producer.enqueue(jobs, { signal });
  const ids = jobs.map(jobId);
  assert.deepEqual(await producer.states([...ids, 'unknown']), new Map(ids.map((id) => [id, 'queued'])));
  assert.deepEqual(await producer.counts(), { waiting: 3, active: 0, delayed: 0, failed: 0 });
  assert.equal(await producer.depth(), 3);
});

test('enqueueing twice is enqueueing once, also in two processes at the same time', async () => {
  const queue = randomUUID();
  await using one = await open({ queue });
  await using other = await open({ queue });
  const jobs = makeJobs(64);
  await Promise.all([one.enqueue(jobs, { signal }), other.enqueue(jobs, { signal })]);
  await one.enqueue(jobs, { signal });
  assert.equal(await one.depth(), 64);
});

test('more jobs than one chunk holds are all added', async () => {
  await using producer = await open();
  await producer.enqueue(makeJobs(1_201), { signal });
  assert.equal(await producer.depth(), 1_201);
});

test('jobs that are withdrawn are unknown, but one that runs goes on', async () => {
  await using queue = await openQueue(redis.url, 3);
  const [first = '', second = '', third = ''] = queue.ids;
  await queue.producer.withdraw([second, 'unknown']);
  assert.deepEqual([...(await queue.producer.states(queue.ids)).keys()].sort(), [first, third].sort());
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  await queue.consume(
    async () => {
      started.resolve();
      await finish.promise;
    },
    { concurrency: 2 },
  );
  await started.promise;
  await queue.producer.withdraw([first]);
  finish.resolve();
  await waitFor('both to be finished', 10_000, async () => {
    const states = await queue.producer.states([first, third]);
    return [first, third].every((id) => states.get(id) === 'finished');
  });
  assert.equal(await queue.producer.depth(), 0);
});

test('a queue without room for all jobs refuses them all', async () => {
  await using producer = await open({ maxWaiting: 100 });
  await producer.enqueue(makeJobs(60), { signal });
  await assert.rejects(producer.enqueue(makeJobs(41), { signal }), withCode('QUEUE_FULL'));
  assert.equal(await producer.depth(), 60);
  await producer.enqueue(makeJobs(40), { signal });
});

test('what other producers added counts', async () => {
  const queue = randomUUID();
  await using one = await open({ queue, maxWaiting: 100 });
  await using other = await open({ queue, maxWaiting: 100 });
  await one.enqueue(makeJobs(100), { signal });
  await assert.rejects(other.enqueue(makeJobs(1), { signal }), withCode('QUEUE_FULL'));
});

test('requests that come at once do not get in together where only one fits', async () => {
  await using producer = await open({ maxWaiting: 100 });
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => producer.enqueue(makeJobs(60), { signal })));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal(await producer.depth(), 60);
});

test('a Redis with little memory left refuses before it is full, and takes work again when there is room', async () => {
  await using producer = await open();
  await raw.config('SET', 'maxmemory', '1mb');
  try {
    await assert.rejects(producer.enqueue(makeJobs(1), { signal }), withCode('QUEUE_FULL'));
    assert.equal(await producer.depth(), 0);
  } finally {
    await raw.config('SET', 'maxmemory', '0');
  }
  await waitFor('room', 2_000, async () => {
    await producer.enqueue(makeJobs(1), { signal }).catch(() => undefined);
    return (await producer.depth()) > 0;
  });
});

test('a Redis that is out of memory is unavailable', async () => {
  await using producer = await open();
  // The look that this leaves behind lasts longer than the rest of the test.
  await producer.enqueue(makeJobs(1), { signal });
  await raw.config('SET', 'maxmemory', '1mb');
  try {
    await assert.rejects(producer.enqueue(makeJobs(1), { signal }), withCode('QUEUE_UNAVAILABLE'));
  } finally {
    await raw.config('SET', 'maxmemory', '0');
  }
});

test('an aborted signal ends enqueueing with its reason before anything is added', async () => {
  await using producer = await open();
  const reason = new Error('the caller went away');
  await assert.rejects(producer.enqueue(makeJobs(1), { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(await producer.depth(), 0);
});

test('without Redis every call fails fast, and works once Redis is back', async () => {
  await using proxy = await startTestProxy(redis.url);
  await using producer = await open({ redisUrl: proxy.url });
  await producer.enqueue(makeJobs(1), { signal });
  using _ = producer.onFinished(() => undefined);
  await proxy.cut();
  const started = performance.now();
  const outcomes = await Promise.allSettled([
    producer.enqueue(makeJobs(1), { signal }),
    producer.states(['any']),
    producer.depth(),
    producer.ping({ signal }),
  ]);
  assert.ok(outcomes.every(isUnavailable));
  assert.ok(performance.now() - started < 1_500, `${performance.now() - started} ms`);
  await proxy.heal();
  await waitFor('Redis to be back', 60_000, () =>
    producer.ping().then(
      () => true,
      () => false,
    ),
  );
  await producer.enqueue(makeJobs(1), { signal });
  assert.equal(await producer.depth(), 2);
});

test('a connection that breaks and comes back at once is not noticed', async () => {
  await using proxy = await startTestProxy(redis.url);
  await using producer = await open({ redisUrl: proxy.url });
  for (const expected of [300, 600]) {
    await proxy.cut();
    await proxy.heal();
    await producer.enqueue(makeJobs(300), { signal });
    assert.equal(await producer.depth(), expected);
  }
});

test('a producer opened without Redis works once Redis is there', async () => {
  await using proxy = await startTestProxy(redis.url);
  await proxy.cut();
  await using producer = await open({ redisUrl: proxy.url });
  await assert.rejects(producer.enqueue(makeJobs(1), { signal }), withCode('QUEUE_UNAVAILABLE'));
  await proxy.heal();
  await waitFor('Redis to be there', 60_000, () =>
    producer.ping().then(
      () => true,
      () => false,
    ),
  );
  await producer.enqueue(makeJobs(1), { signal });
  assert.equal(await producer.depth(), 1);
});

test('a Redis that keeps its connections and is silent is unavailable after a bounded time', async () => {
  await using proxy = await startTestProxy(redis.url);
  await using producer = await open({ redisUrl: proxy.url });
  proxy.freeze();
  const started = performance.now();
  const outcomes = await Promise.allSettled([
    producer.enqueue(makeJobs(1), { signal }),
    producer.depth(),
    producer.ping({ signal: AbortSignal.timeout(100) }),
  ]);
  assert.ok(outcomes.every(isUnavailable));
  assert.ok(performance.now() - started < 6_000, `${performance.now() - started} ms`);
});

test('disposing of a producer ends while Redis is away', async () => {
  await using proxy = await startTestProxy(redis.url);
  const producer = await open({ redisUrl: proxy.url });
  producer.onFinished(() => undefined);
  await proxy.cut();
  const started = performance.now();
  await producer[Symbol.asyncDispose]();
  assert.ok(performance.now() - started < 1_000);
});

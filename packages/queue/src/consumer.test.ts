import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { HandBack, Postpone } from './consumer.ts';
import { endless, first, openQueue, recorder, waitFor } from './test-queue.ts';

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

test('a delivery carries the job as it was enqueued, and returning finishes it', async () => {
  await using queue = await openQueue(redis.url, 25);
  const seen: ImageJob[] = [];
  await queue.consume(async ({ job, jobId: id }) => {
    assert.equal(id, jobId(job));
    seen.push(job);
  });
  await queue.reaches('finished');
  assert.deepEqual(
    seen.sort((a, b) => a.index - b.index),
    queue.jobs,
  );
});

test('a failure that may pass is tried again with growing waits, and the last attempt knows that it is', async () => {
  await using queue = await openQueue(redis.url, 1);
  const { handle, attempts, flags } = recorder(() => new CaptionfleetError('SOURCE_UNAVAILABLE', 'timed out'));
  await queue.consume(handle, { attempts: 3, backoffMs: 200 });
  await queue.reaches('failed');
  assert.deepEqual(flags(), [first, { ...first, attempt: 2 }, { ...first, attempt: 3, lastAttempt: true }]);
  const [one = 0, two = 0, three = 0] = attempts.map(({ at }) => at);
  assert.ok(two - one >= 99 && three - two >= 199, `${two - one} ms, ${three - two} ms`);
});

test('a failure that will not pass is not tried again', async () => {
  await using queue = await openQueue(redis.url, 1);
  const { handle, flags } = recorder(() => new CaptionfleetError('IMAGE_CORRUPT', 'cut off'));
  await queue.consume(handle);
  await queue.reaches('failed');
  assert.deepEqual(flags(), [first]);
});

test('a defect counts as a failure that may pass and leaves no word of its inside in Redis', async () => {
  await using queue = await openQueue(redis.url, 1);
  const { handle, flags } = recorder(({ attempt }) => (attempt === 1 ? new TypeError('an inner secret') : undefined));
  await queue.consume(handle);
  await queue.reaches('finished');
  assert.equal(flags().length, 2);
  const fields = await raw.hgetall(queue.key(queue.ids[0] ?? ''));
  assert.equal(fields['failedReason'], 'INTERNAL: internal error');
  assert.ok(!JSON.stringify(fields).includes('secret'));
});

test('handing a job back costs no attempt, however often', async () => {
  await using queue = await openQueue(redis.url, 1);
  const { handle, attempts, flags } = recorder(() => (attempts.length <= 10 ? new HandBack() : undefined));
  await queue.consume(handle, { attempts: 2 });
  await queue.reaches('finished');
  assert.deepEqual(
    flags(),
    Array.from({ length: 11 }, () => first),
  );
});

test('postponing a job costs no attempt, and others are done meanwhile', async () => {
  await using queue = await openQueue(redis.url, 2);
  const { handle, attempts, flags } = recorder(() => (attempts.length === 1 ? new Postpone() : undefined));
  await queue.consume(handle, { attempts: 1, postponeMs: 100 });
  await queue.reaches('finished');
  assert.deepEqual(
    flags().map(({ attempt }) => attempt),
    [1, 1, 1],
  );
});

test('a payload that cannot be read fails its job without an attempt and holds up nothing', async () => {
  await using queue = await openQueue(redis.url, 2);
  const [unreadable = '', good = ''] = queue.ids;
  await raw.hset(queue.key(unreadable), 'data', JSON.stringify({ version: 2 }));
  const errors: Error[] = [];
  const { handle, attempts } = recorder();
  await queue.consume(handle, { onError: (error) => errors.push(error) });
  await waitFor('both to end', 60_000, async () => {
    const states = await queue.producer.states(queue.ids);
    return states.get(unreadable) === 'failed' && states.get(good) === 'finished';
  });
  assert.equal(attempts.length, 1);
  assert.ok(errors.some((error) => error instanceof CaptionfleetError && error.code === 'REQUEST_INVALID'));
});

test('listeners hear of jobs that end, with success or without', async () => {
  await using queue = await openQueue(redis.url, 4);
  const heard = new Set<string>();
  using _ = queue.producer.onFinished((id) => heard.add(id));
  await waitFor('the subscription', 60_000, async () => String(await raw.client('LIST')).includes('cmd=xread'));
  await queue.consume(async ({ job }) => {
    if (job.index % 2 === 0) throw new CaptionfleetError('IMAGE_CORRUPT', 'cut off');
  });
  await waitFor('all events', 60_000, async () => queue.ids.every((id) => heard.has(id)));
});

test('a delivery may take longer than its lock', async () => {
  await using queue = await openQueue(redis.url, 1);
  let deliveries = 0;
  await queue.consume(async () => {
    deliveries += 1;
    await delay(1_700);
  });
  await queue.reaches('finished');
  assert.equal(deliveries, 1);
});

test('draining lets running deliveries end and takes no other job', async () => {
  await using queue = await openQueue(redis.url, 5);
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  let running = 0;
  const consumer = await queue.consume(
    async () => {
      running += 1;
      await gate;
    },
    { concurrency: 2 },
  );
  await waitFor('two deliveries', 60_000, async () => running === 2);
  const drained = consumer.drain({ deadlineMs: 10_000 });
  openGate();
  await drained;
  assert.equal(running, 2);
  assert.deepEqual(await queue.producer.counts(), { waiting: 3, active: 0, delayed: 0, failed: 0 });
});

for (const heeds of [true, false]) {
  test(`at its deadline, draining hands back deliveries whose handlers ${heeds ? 'heed' : 'ignore'} the signal`, async () => {
    await using queue = await openQueue(redis.url, 3);
    const { handle, reasons, started } = endless({ heeds });
    const consumer = await queue.consume(handle);
    await started(3);
    await consumer.drain({ deadlineMs: 50 });
    assert.deepEqual(await queue.producer.counts(), { waiting: 3, active: 0, delayed: 0, failed: 0 });
    assert.ok(reasons.length === 3 && reasons.every((reason) => reason instanceof HandBack));

    const { handle: next, flags } = recorder();
    await queue.consume(next);
    await queue.reaches('finished');
    assert.deepEqual(flags(), [first, first, first]);
  });
}

test('an idle consumer drains at once, and twice is once', async () => {
  await using queue = await openQueue(redis.url, 0);
  const consumer = await queue.consume(async () => undefined);
  await consumer.ping();
  const started = performance.now();
  await Promise.all([consumer.drain({ deadlineMs: 10_000 }), consumer.drain({ deadlineMs: 10_000 })]);
  assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});

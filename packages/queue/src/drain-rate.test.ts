import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { DrainRate } from './drain-rate.ts';
import { openProducer } from './producer.ts';
import { makeJobs, openQueue, prefix, waitFor } from './test-queue.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis[Symbol.asyncDispose]());

/** A rate whose clock goes by hand. */
function measuredByHand() {
  let now = 0;
  const rate = new DrainRate(() => now);
  const run = (jobsPerSecond: number, seconds: number): void => {
    for (let job = 0; job < jobsPerSecond * seconds; job += 1) {
      now += 1_000 / jobsPerSecond;
      rate.count();
    }
  };
  const wait = (seconds: number): void => {
    now += seconds * 1_000;
  };
  return { rate, run, wait };
}

test('nothing is known before a job has ended, and a refused caller is told of one job a second, within bounds', () => {
  const { rate } = measuredByHand();
  assert.equal(rate.perSecond(), undefined);
  assert.equal(rate.secondsFor(5), undefined);
  assert.deepEqual([rate.retryAfter(0), rate.retryAfter(7), rate.retryAfter(1e9)], [1, 7, 3_600]);
});

test('a steady queue has its rate, for fast and for slow models', () => {
  for (const jobsPerSecond of [0.2, 3, 250]) {
    const { rate, run } = measuredByHand();
    run(jobsPerSecond, 120);
    const measured = rate.perSecond() ?? 0;
    assert.ok(Math.abs(measured / jobsPerSecond - 1) < 0.1, `${jobsPerSecond} is measured as ${measured}`);
    assert.equal(rate.retryAfter(100), Math.min(3_600, Math.ceil(100 / measured)));
  }
});

test('a change of pace is known within a minute, an idle time does not count, and a queue that stands still gets slower', () => {
  const { rate, run, wait } = measuredByHand();
  run(100, 60);
  run(10, 61);
  assert.ok(Math.abs((rate.perSecond() ?? 0) - 10) < 1);
  wait(300);
  assert.equal(rate.perSecond(), undefined);
  run(10, 5);
  assert.ok(Math.abs((rate.perSecond() ?? 0) - 10) < 2.5, `${rate.perSecond()}`);
  const before = rate.perSecond() ?? 0;
  wait(8);
  assert.ok((rate.perSecond() ?? 0) < before / 2);
  wait(8);
  assert.equal(rate.perSecond(), undefined);
});

test('a full queue says when its excess will have drained, at the rate that it measured itself', async () => {
  await using queue = await openQueue(redis.url, 0);
  const { signal } = new AbortController();
  await using small = await openProducer({ redisUrl: redis.url, queue: queue.queue, prefix, maxWaiting: 100 });
  const paceMs = 50;
  const consumer = await queue.consume(async () => await delay(paceMs), { concurrency: 1 });
  await queue.producer.enqueue(makeJobs(60), { signal });
  await waitFor('all jobs to end', 60_000, async () => (await small.counts()).waiting === 0);
  const rate = 1 / (small.drainSeconds(1) ?? Number.NaN);
  assert.ok(rate > 5 && rate <= 1_000 / paceMs, `${rate} jobs/s`);
  await consumer.drain({ deadlineMs: 10_000 });

  await queue.producer.enqueue(makeJobs(300), { signal });
  await waitFor('a refusal', 10_000, async () => {
    const refused = await small.enqueue(makeJobs(100), { signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(refused instanceof CaptionfleetError)) return false;
    assert.equal(refused.code, 'QUEUE_FULL');
    const seconds = refused.retryAfterSeconds ?? Number.NaN;
    // 300 wait where 100 may, and 100 more are asked for; the rate falls while nothing ends.
    assert.ok(
      seconds >= Math.floor(300 / 20) && seconds <= Math.ceil(400 / (rate / 3)),
      `${seconds} s at ${rate} jobs/s`,
    );
    return true;
  });
});

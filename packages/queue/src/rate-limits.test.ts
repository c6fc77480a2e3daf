import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { openRateLimits } from './rate-limits.ts';
import { startTestProxy } from './test-proxy.ts';
import { waitFor } from './test-queue.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(async () => await redis[Symbol.asyncDispose]());

const images = { unit: 'images', limit: 100, seconds: 60 } as const;
const isLimited = (error: unknown): boolean =>
  error instanceof CaptionfleetError &&
  error.code === 'RATE_LIMITED' &&
  Number(error.retryAfterSeconds) >= 1 &&
  Number(error.retryAfterSeconds) <= 60;

test('two processes count together, callers apart, and what is refused takes nothing', async () => {
  const prefix = `{${randomUUID()}}`;
  await using one = await openRateLimits(redis.url, prefix);
  await using other = await openRateLimits(redis.url, prefix);
  const { resetSeconds, ...budget } = await one.limiter(images).spend('a', 64);
  assert.deepEqual(budget, { ...images, remaining: 36 });
  assert.ok(resetSeconds >= 1 && resetSeconds <= 60);
  await assert.rejects(other.limiter(images).spend('a', 64), isLimited);
  assert.equal((await other.limiter(images).spend('a', 36)).remaining, 0);
  await assert.rejects(one.limiter(images).spend('a'), isLimited);
  assert.equal((await one.limiter(images).spend('b')).remaining, 99);
  assert.equal((await one.limiter({ ...images, unit: 'requests' }).spend('a')).remaining, 99);
});

test('a window ends, and of many at once exactly as many pass as it has', async () => {
  await using limits = await openRateLimits(redis.url, `{${randomUUID()}}`);
  const limiter = limits.limiter({ unit: 'requests', limit: 20, seconds: 1 });
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => limiter.spend('a')));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 20);
  await waitFor('the next window', 10_000, () =>
    limiter.spend('a').then(
      () => true,
      () => false,
    ),
  );
});

test('while Redis is away, or was never there, each process keeps the limit for itself', async () => {
  await using proxy = await startTestProxy(redis.url);
  await using limits = await openRateLimits(proxy.url, `{${randomUUID()}}`);
  const limiter = limits.limiter(images);
  await limiter.spend('a', 90);
  await proxy.cut();
  assert.equal((await limiter.spend('a', 90)).remaining, 10);
  await assert.rejects(limiter.spend('a', 90), isLimited);
  await proxy.heal();
  await waitFor('the count of Redis', 30_000, () =>
    limiter.spend('a', 10).then(
      ({ remaining }) => remaining === 0,
      () => false,
    ),
  );
});

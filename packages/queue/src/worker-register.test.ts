import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { announceWorker, openWorkerRegister } from './worker-register.ts';

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

const presence = (id: string): WorkerPresence => ({
  id,
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  card: { licence: 'bsd-3-clause' },
  tasks: ['caption'],
  lanes: ['interactive'],
  pool: 'cpu',
  machine: { platform: 'linux', architecture: 'x64', processor: 'test', cores: 2 },
  processes: 2,
  readySince: '2026-11-25T00:00:00.000Z',
});

test('a worker is listed while it lives, and no longer when it stopped, died or says something unreadable', async () => {
  const options = { redisUrl: redis.url, prefix: `{${randomUUID()}}` };
  await using register = await openWorkerRegister(options);
  assert.deepEqual(await register.list(), []);
  await using _one = await announceWorker(options, () => presence('one'));
  await using _two = await announceWorker(options, () => presence('two'));
  const stopped = await announceWorker(options, () => presence('stopped'));
  assert.deepEqual(await register.list(), [presence('one'), presence('stopped'), presence('two')]);
  const seconds = await raw.ttl(`${options.prefix}:workers:one`);
  assert.ok(seconds > 0 && seconds <= 15, `${seconds} s`);

  await stopped[Symbol.asyncDispose]();
  // What Redis does when the time of a dead worker is over.
  await raw.del(`${options.prefix}:workers:two`);
  await raw.set(`${options.prefix}:workers:later`, '{"id":"later"}');
  await raw.sadd(`${options.prefix}:workers`, 'later');
  assert.deepEqual(await register.list(), [presence('one')]);
  assert.deepEqual((await raw.smembers(`${options.prefix}:workers`)).sort(), ['later', 'one']);
});

test('without Redis the list is QUEUE_UNAVAILABLE', async () => {
  await using lost = await startRedis();
  await using register = await openWorkerRegister({ redisUrl: lost.url, prefix: '{test}' });
  await lost[Symbol.asyncDispose]();
  await assert.rejects(register.list(), { code: 'QUEUE_UNAVAILABLE' });
});

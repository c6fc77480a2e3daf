import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import { type Pool, pools, queueName } from '@captionfleet/protocol/queue-names';
import { defaultTenant } from '@captionfleet/protocol/tenant';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { openBacklogReader } from '@captionfleet/queue/backlog';
import { openProducer } from '@captionfleet/queue/producer';
import { announceWorker, openWorkerRegister } from '@captionfleet/queue/worker-register';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { readConfig } from './config.ts';
import { openPoolChoice } from './pool-choice.ts';
import { everyQueueName, lookAtFleet } from './pool-look.ts';
import { openTaskQueues } from './task-queues.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis[Symbol.asyncDispose]());

const { signal } = new AbortController();
const settings = readConfig({ AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true' }).scaling;

function makeJobs(count: number, options: GenerationOptions = {}): ImageJob[] {
  const requestId = `0${randomBytes(15).toString('hex').slice(0, 25)}`;
  return Array.from({ length: count }, (_, index) => ({
    tenant: defaultTenant,
    requestId,
    index,
    source: { url: 'https://images.example.org/a.jpg' },
    task: { type: 'caption', options },
    enqueuedAt: Date.now(),
  }));
}

const presence = (pool: Pool, imagesPerSecond: number): WorkerPresence => ({
  id: `${pool}-worker`,
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  card: { licence: 'bsd-3-clause' },
  tasks: ['caption'],
  lanes: ['interactive', 'bulk'],
  pool,
  machine: { platform: 'linux', architecture: 'x64', processor: 'test', cores: 2 },
  processes: 1,
  imagesPerSecond,
  readySince: '2026-11-25T00:00:00.000Z',
});

/** The interactive captions of an API with both pools, each with a worker that is only announced. */
async function openRouted(rates: Readonly<Record<Pool, number>>, maxWaiting = 1_000) {
  const prefix = `{${randomUUID()}}`;
  const redisUrl = redis.url;
  const parts = new AsyncDisposableStack();
  for (const pool of pools) {
    parts.use(await announceWorker({ redisUrl, prefix }, () => presence(pool, rates[pool])));
  }
  const workers = parts.use(await openWorkerRegister({ redisUrl, prefix }));
  const backlog = parts.use(await openBacklogReader({ redisUrl, prefix, queues: everyQueueName }));
  const choose = openPoolChoice({ pools, look: () => lookAtFleet({ backlog, workers }), settings });
  const config = { redisUrl, queuePrefix: prefix, pool: 'cpu', maxWaiting, routing: { pools, choose } } as const;
  const { producer } = (await openTaskQueues(config, parts)).interactive.caption;
  const alone = async (pool: Pool) =>
    parts.use(await openProducer({ redisUrl, prefix, queue: queueName('interactive', pool, 'caption'), maxWaiting }));
  const [cpu, gpu] = [await alone('cpu'), await alone('gpu')];
  return {
    producer,
    depths: async () => ({ cpu: await cpu.depth(), gpu: await gpu.depth() }),
    async reserveAndEnqueue(jobs: readonly ImageJob[], deadline?: number) {
      using places = await producer.reserve(jobs.length, jobs.length, {
        tasks: jobs.map(({ task }) => task),
        deadline,
      });
      await producer.enqueue(jobs, { signal, places });
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

test('jobs go to the first pool that is in time, those that it cannot finish in time to the other', async () => {
  await using fleet = await openRouted({ cpu: 1, gpu: 50 });
  await fleet.reserveAndEnqueue(makeJobs(5));
  assert.deepEqual(await fleet.depths(), { cpu: 5, gpu: 0 });
  await fleet.reserveAndEnqueue(makeJobs(60));
  assert.deepEqual(await fleet.depths(), { cpu: 5, gpu: 60 });
  await fleet.reserveAndEnqueue(makeJobs(5), Date.now() + 4_000);
  assert.deepEqual(await fleet.depths(), { cpu: 5, gpu: 65 });
});

test('beams never go to a GPU, however late they are', async () => {
  await using fleet = await openRouted({ cpu: 0.1, gpu: 50 });
  await fleet.reserveAndEnqueue(makeJobs(20, { num_beams: 4 }));
  await fleet.producer.enqueue(makeJobs(3, { do_sample: true }), { signal });
  assert.deepEqual(await fleet.depths(), { cpu: 23, gpu: 0 });
});

test('enqueueing again is enqueueing once, also when the other pool has become the better one', async () => {
  await using fleet = await openRouted({ cpu: 2, gpu: 50 });
  const jobs = makeJobs(40);
  await fleet.reserveAndEnqueue(jobs.slice(0, 30));
  assert.deepEqual(await fleet.depths(), { cpu: 30, gpu: 0 });
  // Now the CPU pool is too slow for 40 more; the ten that it does not know go to the other.
  await fleet.reserveAndEnqueue(jobs);
  await fleet.producer.enqueue(jobs, { signal });
  assert.deepEqual(await fleet.depths(), { cpu: 30, gpu: 10 });
  const states = await fleet.producer.states(jobs.map(jobId));
  assert.equal(states.size, 40);
});

test('a full pool gives way to the other, and two full ones are QUEUE_FULL', async () => {
  await using fleet = await openRouted({ cpu: 50, gpu: 50 }, 10);
  for (let request = 0; request < 2; request += 1) await fleet.reserveAndEnqueue(makeJobs(8));
  assert.deepEqual(await fleet.depths(), { cpu: 8, gpu: 8 });
  await assert.rejects(fleet.producer.reserve(8), { code: 'QUEUE_FULL' });
});

test('jobs of both pools are taken back, counted and known', async () => {
  await using fleet = await openRouted({ cpu: 1, gpu: 50 });
  const [few, many] = [makeJobs(4), makeJobs(60)];
  await fleet.reserveAndEnqueue(few);
  await fleet.reserveAndEnqueue(many);
  assert.equal(await fleet.producer.depth(), 64);
  assert.equal((await fleet.producer.counts()).waiting, 64);
  const ids = [...few, ...many].map(jobId);
  assert.equal((await fleet.producer.abandon('any', ids.slice(0, 30))).size, 0);
  await fleet.producer.withdraw(ids.slice(30, 60));
  assert.deepEqual(await fleet.depths(), { cpu: 0, gpu: 4 });
});

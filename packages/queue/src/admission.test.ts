// What is admitted is never lost, and what is refused leaves nothing behind, whatever the room, the memory and the breaks.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { jobId } from '@captionfleet/protocol/image-job';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { type JobProducer, openProducer, type Places } from './producer.ts';
import { startTestProxy, type TestProxy } from './test-proxy.ts';
import { makeJobs, waitFor } from './test-queue.ts';

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
const codeOf = (error: unknown): string => (error instanceof CaptionfleetError ? error.code : String(error));

interface EnqueueStep {
  readonly type: 'enqueue';
  readonly jobs: number;
  readonly reserved: boolean;
  readonly least: number;
}
type Step =
  | EnqueueStep
  | { readonly type: 'give up'; readonly jobs: number }
  | { readonly type: 'memory'; readonly isShort: boolean }
  | { readonly type: 'cut' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('enqueue' as const),
        jobs: fc.integer({ min: 1, max: 40 }),
        reserved: fc.boolean(),
        least: fc.integer({ min: 1, max: 40 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('give up' as const), jobs: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('memory' as const), isShort: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('cut' as const) }) },
  ),
  { minLength: 1, maxLength: 15 },
);

interface Fates {
  readonly admitted: string[];
  readonly refused: string[];
  /** Of a queue that did not answer nobody knows. */
  readonly unknown: string[];
}

async function enqueue(producer: JobProducer, step: Omit<EnqueueStep, 'type'>, fates: Fates): Promise<void> {
  let jobs = makeJobs(step.jobs);
  try {
    using places = step.reserved ? await producer.reserve(step.jobs, Math.min(step.least, step.jobs)) : undefined;
    const count = places?.count ?? step.jobs;
    fates.refused.push(...jobs.slice(count).map(jobId));
    jobs = jobs.slice(0, count);
    await producer.enqueue(jobs, { signal, places });
    fates.admitted.push(...jobs.map(jobId));
  } catch (error) {
    assert.ok(['QUEUE_FULL', 'QUEUE_UNAVAILABLE'].includes(codeOf(error)), codeOf(error));
    fates[codeOf(error) === 'QUEUE_FULL' ? 'refused' : 'unknown'].push(...jobs.map(jobId));
  }
}

/** What each step does. */
function moves(producer: JobProducer, proxy: TestProxy, fates: Fates) {
  return {
    enqueue: (step: EnqueueStep) => enqueue(producer, step, fates),
    'give up': async ({ jobs }: { jobs: number }) => {
      const places = await producer.reserve(jobs).catch((): Places | undefined => undefined);
      places?.[Symbol.dispose]();
    },
    memory: async ({ isShort }: { isShort: boolean }) => {
      await raw.config('SET', 'maxmemory', isShort ? '1mb' : '0');
    },
    cut: async () => {
      const running = enqueue(producer, { jobs: 5, reserved: true, least: 5 }, fates);
      await proxy.cut();
      await running;
      await proxy.heal();
    },
  };
}

const answers = (producer: JobProducer): Promise<boolean> =>
  producer.ping().then(
    () => true,
    () => false,
  );

test('admitted jobs are all in the queue, refused ones are not, and it never holds more than it may', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 120 }), steps, async (maxWaiting, script) => {
      await using proxy = await startTestProxy(redis.url);
      const options = { redisUrl: proxy.url, queue: randomUUID(), prefix: '{test}', maxWaiting };
      await using producer = await openProducer(options);
      const fates: Fates = { admitted: [], refused: [], unknown: [] };
      const move = moves(producer, proxy, fates);
      try {
        for (const step of script) await move[step.type](step as never);
      } finally {
        await raw.config('SET', 'maxmemory', '0');
      }
      await waitFor('Redis to answer', 20_000, () => answers(producer));
      const { admitted, refused } = fates;
      const states = await producer.states([...admitted, ...refused]);
      const missing = admitted.filter((id) => !states.has(id));
      const leftBehind = refused.filter((id) => states.has(id));
      assert.deepEqual({ missing, leftBehind }, { missing: [], leftBehind: [] });
      assert.ok((await producer.depth()) <= maxWaiting, `${await producer.depth()} wait, ${maxWaiting} may`);
    }),
    { numRuns: 40 },
  );
});

test('places that are given back are free at once', async () => {
  await using producer = await openProducer({
    redisUrl: redis.url,
    queue: randomUUID(),
    prefix: '{test}',
    maxWaiting: 10,
  });
  const places = await producer.reserve(10);
  await assert.rejects(producer.reserve(1), { code: 'QUEUE_FULL' });
  places[Symbol.dispose]();
  using some = await producer.reserve(20, 5);
  assert.equal(some.count, 10);
});

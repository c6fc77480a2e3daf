import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { HandBack, type Handler, Postpone } from './consumer.ts';
import { untagged } from './fair-tags.ts';
import { openProducer } from './producer.ts';
import { makeJobs, openQueue, prefix, waitFor } from './test-queue.ts';

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
/** Longer than a busy machine keeps a consumer from renewing it, so that no job is delivered twice. */
const lockMs = 60_000;
const openFair = () => openQueue(redis.url, 0, { fair: true });
type FairQueue = Awaited<ReturnType<typeof openFair>>;

/** Resolves promises when a count reaches theirs, and fails those that take more than half a minute. */
function countdown() {
  const waiters = new Set<{ count: number; resolve(): void }>();
  let current = 0;
  return {
    increase(): void {
      current += 1;
      for (const { count, resolve } of waiters) if (current >= count) resolve();
    },
    async reaches(count: number): Promise<void> {
      if (current >= count) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = setTimeout(() => reject(new Error(`waited 30 s for delivery ${count}`)), 30_000);
      const waiter = { count, resolve };
      waiters.add(waiter);
      await promise.finally(() => clearTimeout(late));
      waiters.delete(waiter);
    },
  };
}

/** A consumer that has one delivery at a time and ends it when it is told to. */
async function openTurnstile(
  queue: FairQueue,
  decide: (job: ImageJob) => Error | undefined = () => undefined,
  onDelivery: (job: ImageJob) => void = () => undefined,
) {
  const delivered: ImageJob[] = [];
  const { increase, reaches } = countdown();
  let end = (): void => undefined;
  const handle: Handler = async ({ job }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    end = resolve;
    onDelivery(job);
    delivered.push(job);
    increase();
    await promise;
    const error = decide(job);
    if (error !== undefined) throw error;
  };
  const consumer = await queue.consume(handle, { concurrency: 1, postponeMs: 20, lockMs });
  return {
    consumer,
    delivered,
    tenants: () => delivered.map(({ tenant }) => tenant).join(''),
    reaches,
    end: () => end(),
    /** Ends deliveries until there have been `count`. */
    async serve(count: number): Promise<void> {
      await reaches(1);
      while (delivered.length < count) {
        const next = delivered.length + 1;
        end();
        await reaches(next);
      }
    },
  };
}

const enqueue = async (queue: FairQueue, tenant: string, count: number): Promise<ImageJob[]> => {
  const jobs = makeJobs(count, tenant);
  await queue.producer.enqueue(jobs, { signal });
  return jobs;
};

/** A worker process that has taken jobs and never ends them. */
async function startWorkerProcess(queue: FairQueue): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./test-consumer-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, redis.url, queue.queue], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // It never ends by itself, and must not outlive a test that failed.
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  child.stdout.on('data', (data) => (printed += data));
  await waitFor('the worker to take jobs', 30_000, async () => printed !== '');
  return child;
}

const times = (text: string, letter: string): number => text.split(letter).length - 1;

/** The most by which the jobs served of two tenants differ in a window in which both always have jobs waiting. */
function unfairness(served: readonly { tenant: string; waiting: ReadonlySet<string> }[], one: string, other: string) {
  let [lead, lowest, highest, worst] = [0, 0, 0, 0];
  for (const { tenant, waiting } of served) {
    if (!waiting.has(one) || !waiting.has(other)) {
      [lead, lowest, highest] = [0, 0, 0];
      continue;
    }
    if (tenant === one) lead += 1;
    if (tenant === other) lead -= 1;
    [lowest, highest] = [Math.min(lowest, lead), Math.max(highest, lead)];
    worst = Math.max(worst, highest - lowest);
  }
  return worst;
}

describe('tenants in one queue', { concurrency: true }, () => {
  test('take turns job by job however their jobs arrive, and each one’s are served in order', async () => {
    const tenants = ['a', 'b', 'c', 'd'];
    const arrival = fc.record({ tenant: fc.constantFrom(...tenants), count: fc.integer({ min: 1, max: 40 }) });
    const step = fc.record({
      // Two producers at once.
      arrivals: fc.uniqueArray(arrival, { maxLength: 3, selector: ({ tenant }) => tenant }),
      serve: fc.integer({ min: 0, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        await using queue = await openFair();
        await using second = await openProducer({
          redisUrl: redis.url,
          queue: queue.queue,
          prefix,
          maxWaiting: 10_000,
          fair: true,
        });
        const waiting = new Map<string, string[]>(tenants.map((tenant) => [tenant, []]));
        const served: { tenant: string; waiting: ReadonlySet<string> }[] = [];
        const left = () => [...waiting.values()].reduce((sum, ids) => sum + ids.length, 0);
        const wrong: string[] = [];
        const turnstile = await openTurnstile(queue, undefined, (job) => {
          served.push({ tenant: job.tenant, waiting: new Set(tenants.filter((name) => waiting.get(name)?.length)) });
          if (waiting.get(job.tenant)?.shift() !== jobId(job)) wrong.push(jobId(job));
        });
        for (const { arrivals, serve: count } of [...steps, { arrivals: [], serve: Number.MAX_SAFE_INTEGER }]) {
          await Promise.all(
            arrivals.map(async ({ tenant, count: jobCount }, position) => {
              const jobs = makeJobs(jobCount, tenant);
              waiting.get(tenant)?.push(...jobs.map(jobId));
              await (position % 2 === 0 ? queue.producer : second).enqueue(jobs, { signal });
            }),
          );
          for (let turn = 0; turn < count && left() > 0; turn += 1) {
            const next = served.length + 1;
            turnstile.end();
            await turnstile.reaches(next);
          }
        }
        turnstile.end();
        assert.deepEqual(wrong, [], 'delivered before an earlier job of the tenant');
        for (const one of tenants) {
          for (const other of tenants) {
            const worst = unfairness(served, one, other);
            assert.ok(worst <= 2, `${one}, ${other}: ${worst} in ${served.map(({ tenant }) => tenant).join('')}`);
          }
        }
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });

  test('a backlog in many small parts does not keep ten jobs of another waiting', async () => {
    await using queue = await openFair();
    for (let part = 0; part < 20; part += 1) await enqueue(queue, 'a', 256);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(300);
    await enqueue(queue, 'b', 10);
    for (let part = 0; part < 4; part += 1) await enqueue(queue, 'a', 256);
    await turnstile.serve(322);
    assert.equal(times(turnstile.tenants().slice(300), 'b'), 10);
  });

  test('one that was idle has saved up nothing', async () => {
    await using queue = await openFair();
    await enqueue(queue, 'b', 1);
    await enqueue(queue, 'a', 300);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(200);
    await enqueue(queue, 'b', 50);
    await turnstile.serve(240);
    const since = times(turnstile.tenants().slice(200), 'b');
    assert.ok(since >= 19 && since <= 21, `${since} of 40`);
  });

  test('jobs that were withdrawn are not charged to their tenant', async () => {
    await using queue = await openFair();
    await enqueue(queue, 'a', 1);
    const backlog = await enqueue(queue, 'a', 1_000);
    await enqueue(queue, 'b', 100);
    await queue.producer.abandon('a.request', backlog.slice(0, 500).map(jobId));
    await queue.producer.withdraw(backlog.slice(500).map(jobId));
    await enqueue(queue, 'a', 10);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(24);
    assert.equal(times(turnstile.tenants(), 'a'), 11);
    assert.equal(await queue.producer.depth(), 111 - 24);
  });

  test('jobs that are enqueued twice are charged once', async () => {
    await using queue = await openFair();
    const jobs = await enqueue(queue, 'a', 300);
    await queue.producer.enqueue(jobs, { signal });
    assert.equal(await queue.producer.depth(), 300);
    assert.equal(await raw.get(queue.key('fair:highest')), '300');
  });

  test('jobs that a stopping worker hands back are the next ones, in their order', async () => {
    await using queue = await openFair();
    await enqueue(queue, 'a', 100);
    await enqueue(queue, 'b', 10);
    const first: string[] = [];
    const stopping = await queue.consume(
      async ({ jobId: id }, stop) => {
        first.push(id);
        await new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
      },
      { concurrency: 6, lockMs },
    );
    await waitFor('six deliveries', 30_000, async () => first.length === 6);
    await stopping.drain({ deadlineMs: 0 });
    await enqueue(queue, 'c', 10);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(6);
    assert.deepEqual(turnstile.delivered.map(jobId).sort(), first.sort());
  });

  test('a postponed job comes back ahead of what has waited less, and gives a newcomer no head start', async () => {
    await using queue = await openFair();
    const [late] = await enqueue(queue, 'b', 1);
    await enqueue(queue, 'a', 400);
    let postponed = false;
    const turnstile = await openTurnstile(queue, ({ tenant }) => {
      if (tenant !== 'b' || postponed) return;
      postponed = true;
      return new Postpone();
    });
    await turnstile.reaches(1);
    assert.equal(turnstile.tenants(), 'b');
    await turnstile.serve(2);
    await raw.zadd(queue.key('delayed'), Date.now() * 0x1000 + 1_000_000_000, jobId(late as ImageJob));
    await turnstile.serve(200);
    await raw.zadd(queue.key('delayed'), 0, jobId(late as ImageJob));
    // Promotes it: a delivery looks for delayed jobs first, when it asks for one.
    const other = await openTurnstile(queue, () => new HandBack());
    await other.reaches(1);
    assert.equal(other.tenants(), 'b');
    await other.consumer.drain({ deadlineMs: 0 });
    await enqueue(queue, 'c', 100);
    await turnstile.serve(240);
    const since = turnstile.tenants().slice(200);
    assert.equal(times(since, 'b'), 1);
    assert.ok(Math.abs(times(since, 'a') - times(since, 'c')) <= 2, since);
  });

  test('whatever happens to their workers, all jobs are done', async () => {
    await using queue = await openFair();
    const tenants = ['a', 'b', 'c'];
    const jobs: ImageJob[] = [];
    const producing = (async () => {
      for (let part = 0; part < 30; part += 1) jobs.push(...(await enqueue(queue, tenants[part % 3] as string, 20)));
    })();
    let calls = 0;
    const handle: Handler = async (_delivery, stop) => {
      calls += 1;
      const turn = calls % 10;
      if (turn === 3) throw new Postpone();
      if (turn === 5) throw new Error('once more');
      // Only a stop of its worker ends this one.
      if (turn === 7) await new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
    };
    for (let worker = 0; worker < 5; worker += 1) {
      const before = calls;
      const consumer = await queue.consume(handle, { concurrency: 4, postponeMs: 10, attempts: 1_000 });
      await waitFor('some deliveries', 10_000, async () => calls > before + 30 || (await queue.producer.depth()) === 0);
      // Some locks are lost as if the worker had died.
      const active = await raw.lrange(queue.key('active'), 0, 1);
      if (worker % 2 === 0) await Promise.all(active.map((id) => raw.del(queue.key(`${id}:lock`))));
      await consumer.drain({ deadlineMs: 0 });
    }
    await producing;
    jobs.push(...(await enqueue(queue, 'a', 20)));
    const child = await startWorkerProcess(queue);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await queue.consume(async () => undefined);
    await waitFor('all jobs to be finished', 30_000, async () => {
      const states = await queue.producer.states(jobs.map(jobId));
      return jobs.every((job) => states.get(jobId(job)) === 'finished');
    });
    assert.equal(jobs.length, 620);
    assert.deepEqual(await queue.producer.counts(), { waiting: 0, active: 0, delayed: 0, failed: 0 });
  });

  test('when the tags come to their end they are given anew, and the order stays', async () => {
    await using queue = await openFair();
    await raw.set(queue.key('fair:highest'), untagged - 350);
    const jobs = await enqueue(queue, 'a', 200);
    await enqueue(queue, 'b', 100);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(50);
    jobs.push(...(await enqueue(queue, 'a', 200)));
    await enqueue(queue, 'c', 20);
    assert.ok(Number(await raw.get(queue.key('fair:highest'))) < 1_000);
    // Of those that wait and of the one that runs, in case that it comes back.
    const waiting = await raw.zrange(queue.key('prioritized'), '0', '-1');
    const ids = [...waiting, ...(await raw.lrange(queue.key('active'), 0, -1))];
    const tags = await Promise.all(ids.map(async (id) => Number(await raw.hget(queue.key(id), 'priority'))));
    assert.equal(tags.length, 471);
    assert.ok(tags.every((tag) => tag >= 1 && tag < 1_000));
    await turnstile.serve(120);
    assert.ok(times(turnstile.tenants().slice(50), 'c') >= 19, turnstile.tenants());
    await turnstile.serve(520);
    const ofA = turnstile.delivered.filter(({ tenant }) => tenant === 'a');
    assert.deepEqual(ofA.map(jobId), jobs.map(jobId));
  });

  test('what a producer that died left without tags gets them with the next jobs', async () => {
    await using queue = await openFair();
    await enqueue(queue, 'a', 100);
    const [job] = await enqueue(queue, 'b', 1);
    const id = jobId(job as ImageJob);
    await raw.zadd(queue.key('prioritized'), untagged * 0x100000000 + 7, id);
    await enqueue(queue, 'c', 1);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(4);
    assert.equal(times(turnstile.tenants(), 'b'), 1, turnstile.tenants());
  });

  test('a job that was taken before it had a tag has one when it comes back', async () => {
    await using queue = await openFair();
    const turnstile = await openTurnstile(queue);
    const jobs = await enqueue(queue, 'a', 1);
    await turnstile.reaches(1);
    const [id = ''] = jobs.map(jobId);
    // As it is when the worker was faster than the producer.
    await raw.hset(queue.key(id), 'priority', untagged);
    await queue.producer.enqueue(jobs, { signal });
    assert.ok(Number(await raw.hget(queue.key(id), 'priority')) <= 2);
    turnstile.end();
  });

  test('what Redis lost of the tags is made up from the jobs that wait', async () => {
    await using queue = await openFair();
    await enqueue(queue, 'a', 100);
    const lost = await raw.keys(`${prefix}:${queue.queue}:fair:*`);
    assert.equal(lost.length, 2);
    await raw.del(...lost);
    await enqueue(queue, 'b', 10);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(20);
    assert.ok(times(turnstile.tenants(), 'b') >= 9, turnstile.tenants());
  });

  test('jobs of a producer that knows no tenants are delivered first', async () => {
    await using queue = await openFair();
    await enqueue(queue, 'a', 3);
    const { queue: name } = queue;
    await using plain = await openProducer({ redisUrl: redis.url, queue: name, prefix, maxWaiting: 10_000 });
    await plain.enqueue(makeJobs(2, 'b'), { signal });
    assert.equal(await plain.depth(), 5);
    const turnstile = await openTurnstile(queue);
    await turnstile.serve(5);
    assert.equal(turnstile.tenants(), 'bbaaa');
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CaptionJob, jobId } from '@captionfleet/protocol/caption-job';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { Redis } from 'ioredis';
import { waitFor } from '../../../test/support/http.ts';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import {
  type Consumer,
  type ConsumerOptions,
  type Delivery,
  HandBack,
  type Handler,
  openConsumer,
} from './consumer.ts';
import { type JobProducer, openProducer } from './producer.ts';
import { makeJobs } from './test-jobs.ts';
import { startTestProxy } from './test-proxy.ts';

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
const prefix = '{test}';

/** A queue of its own with jobs in it, and consumers that look for lost jobs ten times a second. */
async function openQueue(jobCount: number) {
  const queue = randomUUID();
  const parts = new AsyncDisposableStack();
  const producer: JobProducer = parts.use(
    await openProducer({ redisUrl: redis.url, queue, prefix, maxWaiting: 10_000 }),
  );
  const jobs = makeJobs(jobCount);
  await producer.enqueue(jobs, { signal });
  const ids = jobs.map(jobId);
  const consume = async (handle: Handler, options: Partial<ConsumerOptions> = {}): Promise<Consumer> => {
    const fast = { concurrency: 10, backoffMs: 20, lockMs: 400, stalledCheckMs: 100 };
    return parts.use(await openConsumer({ redisUrl: redis.url, queue, prefix, ...fast, ...options }, handle));
  };
  const reaches = (state: string): Promise<void> =>
    waitFor(`all jobs to be ${state}`, 5_000, async () => {
      const states = await producer.states(ids);
      return ids.every((id) => states.get(id) === state);
    });
  return {
    queue,
    producer,
    jobs,
    ids,
    consume,
    reaches,
    key: (part: string) => `${prefix}:${queue}:${part}`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A handler that never ends by itself, and what it saw. */
function endless(options: { heeds: boolean }) {
  const deliveries: Delivery[] = [];
  const reasons: unknown[] = [];
  const handle: Handler = async (delivery, stop) => {
    deliveries.push(delivery);
    await new Promise((_, reject) => {
      stop.addEventListener('abort', () => {
        reasons.push(stop.reason);
        if (options.heeds) reject(stop.reason);
      });
    });
  };
  const started = (count: number): Promise<void> =>
    waitFor(`${count} deliveries`, 5_000, async () => deliveries.length >= count);
  return { handle, deliveries, reasons, started };
}

/** Collects the attempts at jobs that `fail` decides about. */
function recorder(fail: (delivery: Delivery) => Error | undefined = () => undefined) {
  const attempts: (Pick<Delivery, 'attempt' | 'lastAttempt' | 'suspect'> & { at: number })[] = [];
  const handle: Handler = async (delivery) => {
    const { attempt, lastAttempt, suspect } = delivery;
    attempts.push({ attempt, lastAttempt, suspect, at: performance.now() });
    const error = fail(delivery);
    if (error !== undefined) throw error;
  };
  const flags = () => attempts.map(({ attempt, lastAttempt, suspect }) => ({ attempt, lastAttempt, suspect }));
  return { handle, attempts, flags };
}

const first = { attempt: 1, lastAttempt: false, suspect: false };

test('a delivery carries the job as it was enqueued, and returning finishes it', async () => {
  await using queue = await openQueue(25);
  const seen: CaptionJob[] = [];
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
  await using queue = await openQueue(1);
  const { handle, attempts, flags } = recorder(() => new CaptionfleetError('SOURCE_UNAVAILABLE', 'timed out'));
  await queue.consume(handle, { attempts: 3, backoffMs: 200 });
  await queue.reaches('failed');
  assert.deepEqual(flags(), [first, { ...first, attempt: 2 }, { ...first, attempt: 3, lastAttempt: true }]);
  const [one = 0, two = 0, three = 0] = attempts.map(({ at }) => at);
  assert.ok(two - one >= 99 && three - two >= 199, `${two - one} ms, ${three - two} ms`);
});

test('a failure that will not pass is not tried again', async () => {
  await using queue = await openQueue(1);
  const { handle, flags } = recorder(() => new CaptionfleetError('IMAGE_CORRUPT', 'cut off'));
  await queue.consume(handle);
  await queue.reaches('failed');
  assert.deepEqual(flags(), [first]);
});

test('a defect counts as a failure that may pass and leaves no word of its inside in Redis', async () => {
  await using queue = await openQueue(1);
  const { handle, flags } = recorder(({ attempt }) => (attempt === 1 ? new TypeError('an inner secret') : undefined));
  await queue.consume(handle);
  await queue.reaches('finished');
  assert.equal(flags().length, 2);
  const fields = await raw.hgetall(queue.key(queue.ids[0] ?? ''));
  assert.equal(fields['failedReason'], 'INTERNAL: internal error');
  assert.ok(!JSON.stringify(fields).includes('secret'));
});

test('handing a job back costs no attempt, however often', async () => {
  await using queue = await openQueue(1);
  const { handle, attempts, flags } = recorder(() => (attempts.length <= 10 ? new HandBack() : undefined));
  await queue.consume(handle, { attempts: 2 });
  await queue.reaches('finished');
  assert.deepEqual(
    flags(),
    Array.from({ length: 11 }, () => first),
  );
});

test('a payload that cannot be read fails its job without an attempt and holds up nothing', async () => {
  await using queue = await openQueue(2);
  const [unreadable = '', good = ''] = queue.ids;
  await raw.hset(queue.key(unreadable), 'data', JSON.stringify({ version: 2 }));
  const errors: Error[] = [];
  const { handle, attempts } = recorder();
  await queue.consume(handle, { onError: (error) => errors.push(error) });
  await waitFor('both to end', 5_000, async () => {
    const states = await queue.producer.states(queue.ids);
    return states.get(unreadable) === 'failed' && states.get(good) === 'finished';
  });
  assert.equal(attempts.length, 1);
  assert.ok(errors.some((error) => error instanceof CaptionfleetError && error.code === 'REQUEST_INVALID'));
});

test('listeners hear of jobs that end, with success or without', async () => {
  await using queue = await openQueue(4);
  const heard = new Set<string>();
  using _ = queue.producer.onFinished((id) => heard.add(id));
  await waitFor('the subscription', 5_000, async () => String(await raw.client('LIST')).includes('cmd=xread'));
  await queue.consume(async ({ job }) => {
    if (job.index % 2 === 0) throw new CaptionfleetError('IMAGE_CORRUPT', 'cut off');
  });
  await waitFor('all events', 5_000, async () => queue.ids.every((id) => heard.has(id)));
});

test('draining lets running deliveries end and takes no other job', async () => {
  await using queue = await openQueue(5);
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  let running = 0;
  const consumer = await queue.consume(
    async () => {
      running += 1;
      await gate;
    },
    { concurrency: 2 },
  );
  await waitFor('two deliveries', 5_000, async () => running === 2);
  const drained = consumer.drain({ deadlineMs: 10_000 });
  openGate();
  await drained;
  assert.equal(running, 2);
  assert.deepEqual(await queue.producer.counts(), { waiting: 3, active: 0, delayed: 0, failed: 0 });
});

for (const heeds of [true, false]) {
  test(`at its deadline, draining hands back deliveries whose handlers ${heeds ? 'heed' : 'ignore'} the signal`, async () => {
    await using queue = await openQueue(3);
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
  await using queue = await openQueue(0);
  const consumer = await queue.consume(async () => undefined);
  await consumer.ping();
  const started = performance.now();
  await Promise.all([consumer.drain({ deadlineMs: 10_000 }), consumer.drain({ deadlineMs: 10_000 })]);
  assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});

test('jobs of a killed worker go to another one as suspects, without the loss of an attempt', async () => {
  await using queue = await openQueue(5);
  const script = fileURLToPath(new URL('./test-consumer-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, redis.url, queue.queue], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (data) => (printed += data));
  await waitFor('the worker to take all jobs', 10_000, async () => printed.split('\n').length > 5);
  await queue.reaches('running');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { handle, flags } = recorder();
  await queue.consume(handle);
  await queue.reaches('finished');
  assert.deepEqual(
    flags(),
    Array.from({ length: 5 }, () => ({ ...first, suspect: true })),
  );
});

test('a job whose workers were lost too often is announced with its reason and is failed, without an attempt', async () => {
  await using queue = await openQueue(1);
  const [id = ''] = queue.ids;
  // What the sixth worker that died with this job leaves behind.
  await raw.hset(queue.key(id), 'stc', 5);
  await raw.lmove(queue.key('wait'), queue.key('active'), 'RIGHT', 'LEFT');
  const announced: [CaptionJob, string][] = [];
  const { handle, attempts } = recorder();
  const consumer = await queue.consume(handle);
  consumer.onAbandoned(async (job, reason) => void announced.push([job, reason]));
  await queue.reaches('failed');
  await waitFor('the announcement', 5_000, async () => announced.length > 0);
  assert.deepEqual(announced, [[queue.jobs[0], 'job stalled more than allowable limit']]);
  assert.deepEqual(attempts, []);
});

test('a lost lock aborts the delivery, and the job is delivered again', async () => {
  await using queue = await openQueue(1);
  const { handle, deliveries, reasons, started } = endless({ heeds: true });
  await queue.consume(handle);
  await started(1);
  await raw.del(queue.key(`${queue.ids[0]}:lock`));
  await started(2);
  assert.match(String(reasons[0]), /lock of the job was lost/);
  assert.deepEqual(
    deliveries.map(({ attempt, suspect }) => ({ attempt, suspect })),
    [
      { attempt: 1, suspect: false },
      { attempt: 1, suspect: true },
    ],
  );
});

test('a job that comes back while its lost delivery still runs here is not run twice at a time', async () => {
  await using queue = await openQueue(1);
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  let [running, most, ended] = [0, 0, 0];
  await queue.consume(async () => {
    running += 1;
    most = Math.max(most, running);
    await gate;
    running -= 1;
    ended += 1;
  });
  await waitFor('the first delivery', 5_000, async () => running === 1);
  await raw.del(queue.key(`${queue.ids[0]}:lock`));
  await waitFor('its return', 5_000, async () => (await queue.producer.counts()).delayed === 1);
  openGate();
  await queue.reaches('finished');
  assert.deepEqual({ running, most, ended }, { running: 0, most: 1, ended: 2 });
});

test('a consumer outlives a Redis that goes away and comes back, and so do its deliveries and listeners', async () => {
  await using queue = await openQueue(1);
  await using proxy = await startTestProxy(redis.url);
  await using watcher = await openProducer({ redisUrl: proxy.url, queue: queue.queue, prefix, maxWaiting: 100 });
  const heard = new Set<string>();
  using _ = watcher.onFinished((id) => heard.add(id));
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  const { attempts, handle } = recorder();
  const consumer = await queue.consume(
    async (delivery, stop) => {
      await handle(delivery, stop);
      if (attempts.length === 1) await gate;
    },
    { redisUrl: proxy.url },
  );
  await waitFor('the first delivery', 5_000, async () => attempts.length === 1);
  await proxy.cut();
  await assert.rejects(consumer.ping(), { code: 'QUEUE_UNAVAILABLE' });
  openGate();
  await proxy.heal();
  await queue.reaches('finished');
  await waitFor('an answer', 5_000, () =>
    consumer.ping().then(
      () => true,
      () => false,
    ),
  );
  const later: string[] = [];
  await waitFor('the event of a later job', 10_000, async () => {
    const jobs = makeJobs(1);
    later.push(...jobs.map(jobId));
    await queue.producer.enqueue(jobs, { signal });
    return later.some((id) => heard.has(id));
  });
});

test('a consumer opened without Redis starts when it is there', async () => {
  await using queue = await openQueue(2);
  await using proxy = await startTestProxy(redis.url);
  await proxy.cut();
  const { handle } = recorder();
  await queue.consume(handle, { redisUrl: proxy.url });
  await proxy.heal();
  await queue.reaches('finished');
});

test('draining ends in bounded time while Redis is away or silent, and the jobs go to others', async () => {
  for (const fault of ['cut', 'freeze'] as const) {
    await using queue = await openQueue(2);
    await using proxy = await startTestProxy(redis.url);
    const { handle, started } = endless({ heeds: true });
    const consumer = await queue.consume(handle, { redisUrl: proxy.url });
    await started(2);
    await proxy[fault]();
    const since = performance.now();
    await consumer.drain({ deadlineMs: 50 });
    assert.ok(performance.now() - since < 4_000, `${fault}: ${performance.now() - since} ms`);
    await queue.consume(recorder().handle);
    await queue.reaches('finished');
  }
});

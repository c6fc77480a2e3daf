// Workers that die, locks that are lost, a Redis that goes away.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { openProducer } from './producer.ts';
import { startTestProxy } from './test-proxy.ts';
import { endless, first, makeJobs, openQueue, prefix, recorder, waitFor } from './test-queue.ts';

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

// They mostly wait, each on a queue of its own.
describe('a consumer', { concurrency: true }, () => {
  /** A worker process that has taken all five jobs of the queue and never ends them. */
  const startWorker = async (queue: Awaited<ReturnType<typeof openQueue>>): Promise<ChildProcess> => {
    const script = fileURLToPath(new URL('./test-consumer-process.ts', import.meta.url));
    const child = spawn(process.execPath, [script, redis.url, queue.queue], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (data) => (printed += data));
    await waitFor('the worker to take all jobs', 60_000, async () => printed.split('\n').length > 5);
    await queue.reaches('running');
    return child;
  };

  test('jobs of a killed worker go to another one as suspects, without the loss of an attempt', async () => {
    await using queue = await openQueue(redis.url, 5);
    const child = await startWorker(queue);
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

  test('a frozen worker, which Redis still tells of new jobs, does not keep them from others', async () => {
    await using queue = await openQueue(redis.url, 5);
    const child = await startWorker(queue);
    try {
      child.kill('SIGSTOP');
      const { handle, attempts } = recorder();
      await queue.consume(handle);
      const since = performance.now();
      await queue.reaches('finished');
      assert.equal(attempts.length, 5);
      assert.ok(performance.now() - since < 4_000, `${performance.now() - since} ms`);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('a job whose workers were lost too often is announced with its reason and is failed, without an attempt', async () => {
    await using queue = await openQueue(redis.url, 1);
    const [id = ''] = queue.ids;
    // What the sixth worker that died with this job leaves behind.
    await raw.hset(queue.key(id), 'stc', 5);
    await raw.lmove(queue.key('wait'), queue.key('active'), 'RIGHT', 'LEFT');
    const announced: [ImageJob, string][] = [];
    const { handle, attempts } = recorder();
    const consumer = await queue.consume(handle);
    consumer.onAbandoned(async (job, reason) => void announced.push([job, reason]));
    await queue.reaches('failed');
    await waitFor('the announcement', 60_000, async () => announced.length > 0);
    assert.deepEqual(announced, [[queue.jobs[0], 'job stalled more than allowable limit']]);
    assert.deepEqual(attempts, []);
  });

  test('a lost lock aborts the delivery, and the job is delivered again', async () => {
    await using queue = await openQueue(redis.url, 1);
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
    await using queue = await openQueue(redis.url, 1);
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    let [running, most, ended] = [0, 0, 0];
    await queue.consume(async () => {
      running += 1;
      most = Math.max(most, running);
      await gate;
      running -= 1;
      ended += 1;
    });
    await waitFor('the first delivery', 60_000, async () => running === 1);
    await raw.del(queue.key(`${queue.ids[0]}:lock`));
    await waitFor('its return', 60_000, async () => (await queue.producer.counts()).delayed === 1);
    openGate();
    await queue.reaches('finished');
    assert.deepEqual({ running, most, ended }, { running: 0, most: 1, ended: 2 });
  });

  test('a consumer outlives a Redis that goes away and comes back, and so do its deliveries and listeners', async () => {
    await using proxy = await startTestProxy(redis.url);
    await using queue = await openQueue(redis.url, 1);
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
    await waitFor('the first delivery', 60_000, async () => attempts.length === 1);
    await proxy.cut();
    await assert.rejects(consumer.ping(), { code: 'QUEUE_UNAVAILABLE' });
    openGate();
    await proxy.heal();
    await queue.reaches('finished');
    await waitFor('an answer', 60_000, () =>
      consumer.ping().then(
        () => true,
        () => false,
      ),
    );
    const later: string[] = [];
    await waitFor('the event of a later job', 60_000, async () => {
      const jobs = makeJobs(1);
      later.push(...jobs.map(jobId));
      await queue.producer.enqueue(jobs, { signal });
      return later.some((id) => heard.has(id));
    });
  });

  test('a consumer opened without Redis starts when it is there', async () => {
    await using proxy = await startTestProxy(redis.url);
    await using queue = await openQueue(redis.url, 2);
    await proxy.cut();
    const { handle } = recorder();
    await queue.consume(handle, { redisUrl: proxy.url });
    await proxy.heal();
    await queue.reaches('finished');
  });

  test('draining does not wait for a Redis that is away when nothing runs, or nothing any more', async () => {
    await using proxy = await startTestProxy(redis.url);
    await using queue = await openQueue(redis.url, 1);
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const { attempts, handle } = recorder();
    const consumer = await queue.consume(
      async (delivery, stop) => {
        await handle(delivery, stop);
        await gate;
      },
      { redisUrl: proxy.url },
    );
    await waitFor('the delivery', 60_000, async () => attempts.length === 1);
    await proxy.cut();
    const since = performance.now();
    const drained = consumer.drain({ deadlineMs: 30_000 });
    openGate();
    await drained;
    assert.ok(performance.now() - since < 5_000, `${performance.now() - since} ms`);
  });

  test('draining ends in bounded time while Redis is away or silent, and the jobs go to others', async () => {
    const drainWith = async (fault: 'cut' | 'freeze'): Promise<void> => {
      await using proxy = await startTestProxy(redis.url);
      await using queue = await openQueue(redis.url, 2);
      const { handle, started } = endless({ heeds: true });
      const consumer = await queue.consume(handle, { redisUrl: proxy.url });
      await started(2);
      await proxy[fault]();
      const since = performance.now();
      await consumer.drain({ deadlineMs: 50 });
      assert.ok(performance.now() - since < 4_000, `${fault}: ${performance.now() - since} ms`);
      await queue.consume(recorder().handle);
      await queue.reaches('finished');
    };
    await Promise.all([drainWith('cut'), drainWith('freeze')]);
  });
});

// For tests only: the server on a real queue and a real Blob storage, and workers that do their work in no time.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ImageJob } from '@captionfleet/protocol/image-job';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { type Lane, queueName } from '@captionfleet/protocol/queue-names';
import { type Consumer, type ConsumerOptions, openConsumer } from '@captionfleet/queue/consumer';
import { openDeliveryQueue } from '@captionfleet/queue/delivery-queue';
import type { JobProducer } from '@captionfleet/queue/producer';
import { openWorkerRegister } from '@captionfleet/queue/worker-register';
import { openBatchStore } from '@captionfleet/storage/batch-store';
import { type BlobStore, openBlobStore } from '@captionfleet/storage/blob-store';
import { openBulkStore } from '@captionfleet/storage/bulk-store';
import { openFileStore } from '@captionfleet/storage/file-store';
import { openRequestStore, type RequestStore } from '@captionfleet/storage/request-store';
import { openWebhookSender } from '@captionfleet/storage/webhook-sender';
import { openWebhookStore } from '@captionfleet/storage/webhook-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import type { FastifyInstance } from 'fastify';
import { startAzurite } from '../../../test/support/azurite.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { openToAnyone } from './access.ts';
import { BatchDriver } from './batch-driver.ts';
import { anyone } from './principal.ts';
import { buildServer, type ServerConfig } from './server.ts';
import { openTaskQueues, type TaskQueues } from './task-queues.ts';
import { openWebhooks } from './webhooks.ts';

export interface TestBackends extends AsyncDisposable {
  readonly redisUrl: string;
  readonly connectionString: string;
  readonly blobs: BlobStore;
  readonly requests: RequestStore;
}

export async function startBackends(): Promise<TestBackends> {
  const parts = new AsyncDisposableStack();
  const { url: redisUrl } = parts.use(await startRedis());
  const { connectionString } = parts.use(await startAzurite());
  const blobs = await openBlobStore({ connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  const requests = openRequestStore(blobs);
  return { redisUrl, connectionString, blobs, requests, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

interface TestApiOptions {
  readonly maxWaiting?: number;
  readonly maxStreams?: number;
  /** Receivers of webhooks. */
  readonly allowPrivateHosts?: readonly string[];
  readonly redisUrl?: string;
  /** Shared by servers of one fleet. */
  readonly queuePrefix?: string;
  readonly corsOrigins?: readonly string[];
  /** Milliseconds in which a batch must end. */
  readonly batchWindowMs?: number;
}

export interface TestApi extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly queues: TaskQueues;
  /** Of the interactive captions. */
  readonly producer: JobProducer;
  readonly queuePrefix: string;
  /** Whose requests come in from here on. */
  tenant: string;
  /** Takes the jobs of a lane and writes an outcome for each, as a worker does; `work` may come in between, or throw. */
  startWorker(
    lane: Lane,
    work?: (job: ImageJob) => Promise<void>,
    options?: Partial<ConsumerOptions>,
  ): Promise<Consumer>;
}

/** What a server needs for batches that nobody drives. */
export const batchParts = (blobs: BlobStore): Pick<ServerConfig, 'batches' | 'files' | 'nudgeBatches'> => ({
  batches: openBatchStore(blobs),
  files: (tenant) => openFileStore(blobs, tenant),
  nudgeBatches: () => undefined,
});

export async function startTestApi(backends: TestBackends, options: TestApiOptions = {}): Promise<TestApi> {
  const {
    maxWaiting = 1_000,
    maxStreams = 10,
    redisUrl = backends.redisUrl,
    queuePrefix = `{${randomUUID()}}`,
    allowPrivateHosts = [],
  } = options;
  const { blobs, requests } = backends;
  const parts = new AsyncDisposableStack();
  const queues = await openTaskQueues({ redisUrl, queuePrefix, pool: 'cpu', maxWaiting }, parts);
  const workers = parts.use(await openWorkerRegister({ redisUrl, prefix: queuePrefix }));
  const logger = createLogger({ name: 'api', level: 'silent' });
  const metrics = createApiMetrics();
  const deliveries = parts.use(await openDeliveryQueue({ redisUrl, prefix: queuePrefix }));
  const sender = parts.use(openWebhookSender({ allowPrivateHosts, deadlineMs: 2_000 }));
  const store = openWebhookStore(blobs);
  const webhooks = parts.use(
    openWebhooks({ store, requests, queues, deliveries, sender, metrics, logger, sweepMs: 300 }),
  );
  const tasks = ['caption', 'match'] as const;
  const driver = parts.use(new BatchDriver({ ...batchParts(blobs), requests, queues, tasks }, logger));
  const app = await buildServer({
    ...batchParts(blobs),
    nudgeBatches: () => driver.nudge(),
    ...(options.batchWindowMs === undefined ? {} : { batchWindowMs: options.batchWindowMs }),
    access: { ...openToAnyone, authenticate: async () => ({ ...anyone, tenant: api.tenant }) },
    requests,
    bulk: (tenant) => openBulkStore(blobs, tenant),
    webhooks,
    queues,
    tasks,
    maxWaiters: 10,
    maxStreams,
    workers,
    maxWaiting,
    publicUrl: undefined,
    corsOrigins: options.corsOrigins ?? [],
    checks: { blob: (call) => blobs.ping(call) },
    metrics,
    logger,
  });
  parts.defer(() => app.close());
  const api: TestApi = {
    app,
    queues,
    producer: queues.interactive.caption.producer,
    queuePrefix,
    tenant: 'default',
    startWorker: (lane, work = async () => undefined, worker = {}) =>
      openConsumer(
        {
          redisUrl: backends.redisUrl,
          queue: queueName(lane, 'cpu', 'caption'),
          prefix: queuePrefix,
          concurrency: 16,
          attempts: 1,
          ...worker,
        },
        async ({ job }) => {
          await work(job);
          await requests.of(job.tenant).writeOutcome(job.requestId, job.index, captionOf(job));
        },
      ),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
  return api;
}

export const captionOf = ({ index }: Pick<ImageJob, 'index'>): ImageOutcome => ({
  status: 'succeeded',
  captions: [{ text: `image ${index}`, tokens: [1, 2], confidence: 0.5, meanLogProbability: Math.log(0.5) }],
  image: { width: 384, height: 384, format: 'png', sha256: 'ab'.repeat(32) },
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  timings: { fetchMs: 1, preprocessMs: 2, inferenceMs: 3 },
});

/** Asks `check` again and again until it says yes; fails after a minute and says what it waited for. */
export async function waitFor(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited a minute for ${what}`);
    await delay(20);
  }
}

/** Asks `check` again and again until it gives something; fails after a minute and says what it waited for. */
export async function eventually<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
  let found: T | undefined | false;
  await waitFor(what, async () => {
    found = await check();
    return found !== undefined && found !== false;
  });
  return found as T;
}

export const inlineImage = (text: string) => ({ base64: Buffer.from(text).toString('base64') });

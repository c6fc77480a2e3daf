import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { queueName } from '@captionfleet/protocol/queue-names';
import { type Consumer, openConsumer } from '@captionfleet/queue/consumer';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { createLogger, type Logger } from '@captionfleet/telemetry/logger';
import { createMetrics, type Metrics } from '@captionfleet/telemetry/metrics';
import { Batcher } from './batcher.ts';
import { captionJob, type Stages, writeAbandoned } from './caption-job.ts';
import { readConfig, type WorkerConfig } from './config.ts';
import { planAffinity } from './cpu-affinity.ts';
import { openHealthServer } from './health-server.ts';
import { InferencePool, type PoolEvents } from './inference-pool.ts';
import { firstStopSignal } from './stop-signal.ts';

/** Returns when a signal has stopped the worker and what ran is finished or handed back. */
async function main(config: WorkerConfig, logger: Logger): Promise<void> {
  const stopped = firstStopSignal();
  const metrics = createMetrics();
  const affinity = planAffinity(config);

  await using parts = new AsyncDisposableStack();
  const blobs = await openBlobStore({ ...config.blobAccount, container: config.container });
  await blobs.ensureContainer();
  const pool = parts.use(
    new InferencePool({
      settings: {
        modelDirectory: config.modelDirectory,
        threads: config.threadsPerProcess,
        blobs: { ...config.blobAccount, container: config.container },
        imageContainers: config.imageContainers,
        allowPrivateHosts: config.allowPrivateHosts,
      },
      processes: config.inferenceProcesses,
      affinity,
      batchMs: config.inferenceTimeoutMs,
      events: watchPool(logger, metrics),
    }),
  );
  const failed = pool.failed.then((error) => Promise.reject(error));
  failed.catch(() => undefined);

  let consumer: Consumer | undefined;
  const health = parts.use(
    await openHealthServer({
      host: config.healthHost,
      port: config.healthPort,
      checks: {
        model: async () => assertReady(pool),
        redis: async () => await (consumer ?? notOpen()).ping(),
        blob: (options) => blobs.ping(options),
      },
      metrics: {
        contentType: metrics.registry.contentType,
        metrics() {
          for (const [state, count] of Object.entries(pool.processes)) metrics.inferenceProcesses.set({ state }, count);
          return metrics.registry.metrics();
        },
      },
    }),
  );

  const model = await Promise.race([pool.ready, failed, stopped.then(() => undefined)]);
  if (model === undefined) return;
  metrics.modelInfo.set({ ...model }, 1);

  // As many as run, and as many again that are fetched and prepared meanwhile.
  const concurrency = config.batchMaxImages * config.inferenceProcesses * 2;
  let deliveries = 0;
  const batcher = new Batcher(
    {
      maxImages: config.batchMaxImages,
      maxWaitMs: config.batchMaxWaitMs,
      maxWaiting: concurrency,
      moreMayCome: () => deliveries < concurrency,
    },
    pool,
  );
  pool.onRoom(() => batcher.dispatch());
  const stages: Stages = { batcher, requests: openRequestStore(blobs), metrics, logger };
  consumer = parts.use(
    await openConsumer(
      {
        redisUrl: config.redisUrl,
        queue: queueName(config.lane, config.pool),
        prefix: config.queuePrefix,
        concurrency,
      },
      async (delivery, signal) => {
        deliveries += 1;
        await captionJob(delivery, stages, signal).finally(() => {
          deliveries -= 1;
        });
      },
    ),
  );
  consumer.onAbandoned((job) => writeAbandoned(job, stages));
  logger.info(
    { health: health.url, model, processes: config.inferenceProcesses, concurrency },
    `captioning with ${model.id}@${model.revision} (${model.variant}); health on ${health.url}`,
  );

  const signal = await Promise.race([stopped, pool.failed]);
  logger.info({ reason: signal }, 'stopping');
  batcher.close(new CaptionfleetError('SHUTTING_DOWN', 'the worker is stopping before this image was captioned'));
  pool.close();
  await consumer.drain({ deadlineMs: config.drainMs });
  if (signal instanceof Error) throw signal;
}

function assertReady(pool: InferencePool): void {
  const { ready, busy } = pool.processes;
  if (ready + busy === 0) throw new CaptionfleetError('INFERENCE_FAILED', 'no inference process is ready');
}

function notOpen(): never {
  throw new CaptionfleetError('QUEUE_UNAVAILABLE', 'the queue is opened once the model is loaded');
}

function watchPool(logger: Logger, metrics: Metrics): PoolEvents {
  return {
    processReady: ({ pid }) => logger.info({ pid }, 'inference process ready'),
    processEnded({ pid, end, exit, images }) {
      if (end === 'stopped') return;
      metrics.inferenceProcessRestarts.inc({ reason: end });
      logger.error({ pid, end, exit, images }, 'inference process ended; its images are run again one by one');
    },
    // Not the source: a URL may hold a signature.
    imageQuarantined: ({ sha256 }) =>
      logger.error({ sha256 }, 'image quarantined: it ended an inference process twice'),
    batchStarted: ({ images }) => metrics.batchImages.observe(images),
  };
}

/** A defect: the state is unknown from here on, and the queue gives this worker's jobs to others. */
function dieOf(logger: Logger, err: unknown): never {
  logger.fatal({ err }, 'ended by a defect');
  process.exit(1);
}

const config = readConfigOrExit();
const logger = createLogger({ name: 'worker', level: config.logLevel });
process.on('uncaughtException', (error) => dieOf(logger, error));
process.on('unhandledRejection', (error) => dieOf(logger, error));
try {
  await main(config, logger);
  process.exit(0);
} catch (error) {
  const { code, message } = reportError(error);
  if (code === 'INTERNAL') dieOf(logger, error);
  logger.fatal({ code }, `${code}: ${message}`);
  process.exit(1);
}

function readConfigOrExit(): WorkerConfig {
  try {
    return readConfig(process.env);
  } catch (error) {
    const { code, message } = reportError(error);
    process.stderr.write(`${code}: ${message}\n`);
    process.exit(1);
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { type Lane, queueName } from '@captionfleet/protocol/queue-names';
import { type Consumer, type Handler, openConsumer } from '@captionfleet/queue/consumer';
import { DrainRate } from '@captionfleet/queue/drain-rate';
import { openWithdrawals } from '@captionfleet/queue/withdrawals';
import { announceWorker } from '@captionfleet/queue/worker-register';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { createLogger, type Logger } from '@captionfleet/telemetry/logger';
import { createWorkerMetrics, type WorkerMetrics } from '@captionfleet/telemetry/metrics';
import { type Scrape, scrape } from '@captionfleet/telemetry/openmetrics';
import { openTracing } from '@captionfleet/telemetry/tracing';
import { Batcher } from './batcher.ts';
import { readConfig, type WorkerConfig } from './config.ts';
import { planAffinity } from './cpu-affinity.ts';
import { DeliveryTraces } from './delivery-trace.ts';
import { watchDrift } from './drift-watch.ts';
import { openHealthServer } from './health-server.ts';
import { imageJob, writeAbandoned } from './image-job.ts';
import { InferencePool, type PoolEvents } from './inference-pool.ts';
import { askInstance } from './instance-metadata.ts';
import { assertPinned, checkMachine } from './machine-check.ts';
import { hourlyPrice, machineFrom } from './machine-config.ts';
import { openMetadataClient } from './metadata-client.ts';
import { type PreparedModel, prepareModel } from './prepare-model.ts';
import { seldom } from './seldom.ts';
import { firstStopSignal } from './stop-signal.ts';
import { describeWorker } from './worker-presence.ts';

/** Milliseconds that `/metrics` stays of a worker whose model drifted: two scrapes at common intervals. */
const lastScrapeMs = 35_000;

/** Returns when a signal has stopped the worker and what ran is finished or handed back. */
async function main(config: WorkerConfig, logger: Logger): Promise<void> {
  const stopped = firstStopSignal();
  const metrics = createWorkerMetrics();

  await using parts = new AsyncDisposableStack();
  const tracing = parts.use(await openTracing(config.tracing, { name: 'worker', logger }));
  const traces = parts.use(new DeliveryTraces(tracing));
  const blobs = await openBlobStore({ ...config.blobAccount, container: config.container });
  await blobs.ensureContainer();
  let started: InferencePool | undefined;
  const consumers: Consumer[] = [];
  const checks = {
    model: async () => assertWorking(started),
    redis: async (options: { readonly signal: AbortSignal }) => await (consumers[0] ?? notOpen()).ping(options),
    blob: (options: { readonly signal: AbortSignal }) => blobs.ping(options),
  };
  // Before the model is loaded, so that probes have an answer meanwhile.
  const health = parts.use(
    await openHealthServer({
      host: config.healthHost,
      port: config.healthPort,
      allowedHosts: config.healthNames,
      checks,
      scrape: (accept) => scrapeNow(metrics, () => started, accept),
    }),
  );
  const asked = askMachine(config, stopped, logger)?.early;
  const isPinned = config.pool === 'gpu' || config.machine.allowedSizes.length > 0;
  if (isPinned) assertPinned(machineFrom(config.machine, await asked), config.pool);
  const [found, instance] = await Promise.all([prepare(config, stopped, logger), asked]);
  if (found === undefined) return;
  const { choice: prepared, card, id } = found;
  const machine = machineFrom(config.machine, instance);
  const objections = checkMachine(machine, { id, minimum: card.minimumMachine }, config.cacheDirectory);
  if (objections !== undefined) logger.warn(`MACHINE_UNSUITABLE: ${objections}`);
  const usdPerHour = hourlyPrice(machine);
  const { size = 'unknown', priority = 'regular' } = machine;
  if (usdPerHour !== undefined) metrics.machineUsdPerHour.set({ size, priority }, usdPerHour);
  const pool = parts.use(startPool(config, prepared, watchPool(logger, metrics)));
  started = pool;
  const first = await Promise.race([pool.ready, pool.failed, stopped]);
  if (first instanceof Error) throw first;
  if (typeof first === 'string') return;

  const { identity, tasks } = first;
  // As many as run, and as many again that are fetched and prepared meanwhile: of each lane's and each head's jobs.
  const concurrency = config.batchMaxImages * config.inferenceProcesses * 2;
  const mostDeliveries = concurrency * tasks.length;
  const deliveries: Record<Lane, number> = { interactive: 0, bulk: 0 };
  const batcher = new Batcher(
    {
      maxImages: config.batchMaxImages,
      maxWaitMs: config.batchMaxWaitMs,
      maxWaiting: mostDeliveries * config.lanes.length,
      moreMayCome: (lane) => deliveries[lane] < mostDeliveries,
    },
    pool,
  );
  pool.onRoom(() => batcher.dispatch());
  const withdrawals = parts.use(openWithdrawals(config.redisUrl, config.queuePrefix));
  const usdPerSecond = usdPerHour === undefined ? undefined : usdPerHour / 3_600 / config.inferenceProcesses;
  const stages = { batcher, requests: openRequestStore(blobs), withdrawals, metrics, traces, logger, usdPerSecond };
  const rate = new DrainRate();
  const handlerOf =
    (lane: Lane, queue: string): Handler =>
    async (delivery, signal) => {
      deliveries[lane] += 1;
      try {
        await imageJob(delivery, { ...stages, lane, queue }, signal);
        rate.count();
      } finally {
        deliveries[lane] -= 1;
      }
    };
  const onError = seldom((error, errors) => {
    const reason = error.message || String(Object(error).code);
    logger.warn(
      { reason, errors },
      'the queue had to overcome errors; the next line on them comes in a minute at the earliest',
    );
  });
  const served = config.lanes.flatMap((lane) => tasks.map((head) => ({ lane, head })));
  for (const { lane, head } of served) {
    const queue = queueName(lane, config.pool, head);
    const { redisUrl, queuePrefix: prefix } = config;
    const consumer = parts.use(
      await openConsumer({ redisUrl, queue, prefix, concurrency, onError }, handlerOf(lane, queue)),
    );
    consumer.onAbandoned((job) => writeAbandoned(job, stages));
    consumers.push(consumer);
  }
  metrics.modelInfo.set({ ...identity }, 1);
  const presence = describeWorker({ config, machine, model: first, card, rate });
  parts.use(await announceWorker({ redisUrl: config.redisUrl, prefix: config.queuePrefix }, presence));
  logger.info(
    {
      health: health.url,
      model: identity,
      tasks,
      lanes: config.lanes,
      processes: config.inferenceProcesses,
      concurrency,
    },
    `${identity.id}@${identity.revision} (${identity.variant}) is ready to ${tasks.join(', ')}; health on ${health.url}`,
  );

  const drifted = watchPreparedModel(config, prepared, { logger, metrics, stopped });
  const reason = await Promise.race([stopped, pool.failed, drifted]);
  logger.info({ reason: reason instanceof Error ? reason.code : reason }, 'stopping');
  batcher.close(new CaptionfleetError('SHUTTING_DOWN', 'the worker is stopping before this image was worked on'));
  pool.close();
  await Promise.all(consumers.map((consumer) => consumer.drain({ deadlineMs: config.drainMs })));
  if (!(reason instanceof Error)) return;
  // What this process counted last is why it ends: Prometheus gets the time to read it.
  if (reportError(reason).code.startsWith('MODEL_')) await Promise.race([stopped, pause(lastScrapeMs)]);
  throw reason;
}

/** Undefined where nobody is asked. */
function askMachine({ azureMetadata }: WorkerConfig, stopped: Promise<NodeJS.Signals>, logger: Logger) {
  if (azureMetadata === undefined) return undefined;
  const stopping = new AbortController();
  void stopped.then(() => stopping.abort());
  return askInstance(openMetadataClient(azureMetadata), azureMetadata, { logger, signal: stopping.signal });
}

/** Undefined when the worker was told to stop meanwhile. */
async function prepare(
  { modelDirectory, variant, cacheDirectory }: WorkerConfig,
  stopped: Promise<NodeJS.Signals>,
  logger: Logger,
): Promise<PreparedModel | undefined> {
  const stopping = new AbortController();
  void stopped.then(() => stopping.abort());
  try {
    const request = { modelDirectory, variant, cache: cacheDirectory };
    const prepared = await prepareModel(request, stopping.signal);
    const { choice, timings } = prepared;
    logger.info({ ...choice, ...timings }, `variant ${choice.variant}: ${choice.reason}`);
    return prepared;
  } catch (error) {
    if (stopping.signal.aborted) return undefined;
    throw error;
  }
}

/** Resolves with what is wrong when the model no longer answers as it did; the worker ends, and another start decides anew. */
async function watchPreparedModel(
  { modelDirectory, cacheDirectory, driftCheckHours }: WorkerConfig,
  { variant }: PreparedModel['choice'],
  { logger, metrics, stopped }: { logger: Logger; metrics: WorkerMetrics; stopped: Promise<NodeJS.Signals> },
): Promise<CaptionfleetError> {
  const stopping = new AbortController();
  const never = stopped.then(() => {
    stopping.abort();
    return new Promise<never>(() => undefined);
  });
  if (driftCheckHours === 0) return await never;
  const watch = watchDrift({
    request: { modelDirectory, variant, cache: cacheDirectory },
    everyMs: driftCheckHours * 60 * 60 * 1000,
    onCheck(outcome, detail) {
      metrics.driftChecks.inc({ outcome });
      if (outcome === 'passed') logger.info(`drift check: ${detail}`);
      else logger.error({ outcome }, `drift check: ${detail}`);
    },
    signal: stopping.signal,
  });
  return await watch.catch(() => never);
}

function startPool(config: WorkerConfig, choice: PreparedModel['choice'], events: PoolEvents): InferencePool {
  return new InferencePool({
    settings: {
      modelDirectory: config.modelDirectory,
      prepared: 'directory' in choice ? choice : undefined,
      threads: config.threadsPerProcess,
      blobs: { ...config.blobAccount, container: config.container },
      imageContainers: config.imageContainers,
      allowPrivateHosts: config.allowPrivateHosts,
    },
    processes: config.inferenceProcesses,
    affinity: planAffinity(config),
    batchMs: config.inferenceTimeoutMs,
    events,
  });
}

function assertWorking(pool: InferencePool | undefined): void {
  if (pool === undefined) throw new CaptionfleetError('INFERENCE_FAILED', 'the model is being prepared');
  const { ready, busy } = pool.processes;
  if (pool.isClosed) throw new CaptionfleetError('SHUTTING_DOWN', 'the worker is stopping');
  if (ready + busy === 0) throw new CaptionfleetError('INFERENCE_FAILED', 'no inference process is ready');
}

function notOpen(): never {
  throw new CaptionfleetError('QUEUE_UNAVAILABLE', 'the queue is opened once the model is loaded');
}

/** The gauge of processes is set when somebody looks at it. */
function scrapeNow(
  { registry, inferenceProcesses }: WorkerMetrics,
  pool: () => InferencePool | undefined,
  accept: string | undefined,
): Promise<Scrape> {
  for (const [state, count] of Object.entries(pool()?.processes ?? {})) inferenceProcesses.set({ state }, count);
  return scrape(registry, accept);
}

function watchPool(logger: Logger, metrics: WorkerMetrics): PoolEvents {
  return {
    // `pid` is the worker's own in every line.
    processReady: ({ pid }) => logger.info({ inferencePid: pid }, 'inference process ready'),
    processEnded({ pid, end, exit, images }) {
      if (end === 'stopped') return;
      metrics.inferenceProcessRestarts.inc({ reason: end });
      logger.error(
        { inferencePid: pid, end, exit, images },
        'inference process ended; its images are run again one by one',
      );
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

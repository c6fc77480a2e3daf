import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { redisAddress } from '@captionfleet/protocol/settings';
import type { Tenant } from '@captionfleet/protocol/tenant';
import { openBacklogReader } from '@captionfleet/queue/backlog';
import { openDeliveryQueue } from '@captionfleet/queue/delivery-queue';
import { openRateLimits } from '@captionfleet/queue/rate-limits';
import { openScalingMemory } from '@captionfleet/queue/scaling-memory';
import { openWorkerRegister } from '@captionfleet/queue/worker-register';
import { openBatchStore } from '@captionfleet/storage/batch-store';
import { openBlobFiles } from '@captionfleet/storage/blob-files';
import { type BlobStore, openBlobStore } from '@captionfleet/storage/blob-store';
import { openBulkStore } from '@captionfleet/storage/bulk-store';
import { openFileStore } from '@captionfleet/storage/file-store';
import { openKeyStore } from '@captionfleet/storage/key-store';
import { openOpenScoring } from '@captionfleet/storage/open-scoring';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { openScoringStore } from '@captionfleet/storage/scoring-store';
import { openWebhookSender } from '@captionfleet/storage/webhook-sender';
import { openWebhookStore } from '@captionfleet/storage/webhook-store';
import { createLogger, type Logger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import { openTracing } from '@captionfleet/telemetry/tracing';
import type { FastifyInstance } from 'fastify';
import { type Access, openAccess, openToAnyone } from './access.ts';
import { buildAdminServer } from './admin-server.ts';
import { ApiKeys } from './api-keys.ts';
import { type BatchStorage, startAzureml } from './azureml-start.ts';
import { BatchDriver } from './batch-driver.ts';
import { type ApiConfig, readConfig } from './config.ts';
import { EntraTokens } from './entra-tokens.ts';
import { openPoolChoice } from './pool-choice.ts';
import { everyQueueName, lookAtFleet } from './pool-look.ts';
import { buildServer } from './server.ts';
import { openTaskQueues } from './task-queues.ts';
import { openWebhooks } from './webhooks.ts';

/** Milliseconds for the requests in flight when a signal says stop; what is left then is cut off. */
const drainMs = 10_000;
/** Callers that may wait for results at a time; each looks at Blob storage about once a second. */
const maxWaiters = 256;

async function main(config: ApiConfig): Promise<void> {
  const logger = createLogger({ name: 'api', level: config.logLevel });
  const stopped = firstSignal();

  await using parts = new AsyncDisposableStack();
  const tracing = parts.use(await openTracing(config.tracing, { name: 'api', logger }));
  const blobs = await openBlobStore({ ...config.blobAccount, container: config.container });
  await blobs.ensureContainer();
  const { redisUrl, queuePrefix: prefix, pools } = config;
  const workers = parts.use(await openWorkerRegister({ redisUrl, prefix }));
  const eyes = { backlog: parts.use(await openBacklogReader({ redisUrl, prefix, queues: everyQueueName })), workers };
  const choose = openPoolChoice({ pools, look: () => lookAtFleet(eyes), settings: config.scaling });
  const [pool = config.pool] = pools;
  const routing = pools.length > 1 ? { pools, choose } : undefined;
  const queues = await openTaskQueues({ ...config, pool, routing, fair: tellsCallersApart(config) }, parts);
  await queues.interactive.caption.producer.ping().catch(({ code, cause }: CaptionfleetError) => {
    const why = cause instanceof Error ? cause.message || String(Object(cause).code) : 'no answer';
    const redis = `Redis at ${redisAddress(config.redisUrl)} does not answer (${why})`;
    logger.warn({ code }, `${code}: ${redis}; requests are refused until it does`);
  });
  const access = await openConfiguredAccess(config, { blobs, logger }, parts);
  const metrics = createApiMetrics();
  const requests = openRequestStore(blobs);
  const deliveries = parts.use(await openDeliveryQueue({ redisUrl: config.redisUrl, prefix: config.queuePrefix }));
  const sender = parts.use(openWebhookSender({ allowPrivateHosts: config.webhookPrivateHosts }));
  const store = openWebhookStore(blobs);
  const webhooks = parts.use(openWebhooks({ store, requests, queues, deliveries, sender, metrics, logger, tracing }));
  const fleet = {
    spendImages: access.spendImages,
    bulk: (tenant: Tenant) => openBulkStore(blobs, tenant),
    requests,
    webhooks,
    batches: openBatchStore(blobs),
    files: (tenant: Tenant) => openFileStore(blobs, tenant),
    queues,
    tasks: config.tasks,
    metrics,
    logger,
    tracing,
  };
  const driver = parts.use(new BatchDriver(fleet, logger));
  const app = await buildServer({
    ...fleet,
    access,
    workers,
    maxWaiting: config.maxWaiting,
    nudgeBatches: () => driver.nudge(),
    maxWaiters,
    publicUrl: config.publicUrl,
    corsOrigins: config.corsOrigins,
    checks: {
      redis: (options) => queues.interactive.caption.producer.ping(options),
      blob: (options) => blobs.ping(options),
    },
  });
  parts.defer(() => close(app));
  if (config.azureml !== undefined) {
    parts.use(
      await startAzureml(config.azureml, {
        ...fleet,
        access: access === openToAnyone ? undefined : access,
        storage: config.azureml.batch && (await openBatchStorage(config, blobs)),
        maxWaiting: config.maxWaiting,
        host: config.host,
        drainMs,
      }),
    );
  }
  const { host, port, allowedHosts } = config.admin;
  const memory = parts.use(await openScalingMemory(redisUrl, prefix));
  const scaling = { settings: config.scaling, memory, tasks: config.tasks };
  const admin = buildAdminServer({ allowedHosts, metrics, eyes, scaling, logger });
  parts.defer(() => close(admin));
  const adminUrl = await listen(admin, { host, port }, ['CAPTIONFLEET_ADMIN_HOST', 'CAPTIONFLEET_ADMIN_PORT']);
  logger.info(`listening for operators on ${adminUrl}`);
  await listen(app, config, ['HOST', 'PORT']);
  logger.info({ signal: await stopped }, 'stopping');
}

/** A second signal is not caught and ends the process at once. */
const firstSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });

const tellsCallersApart = ({ auth }: Pick<ApiConfig, 'auth'>): boolean => auth.keys || auth.entra !== undefined;

async function openBatchStorage({ blobAccount }: ApiConfig, blobs: BlobStore): Promise<BatchStorage> {
  return {
    scoring: (tenant) => openScoringStore(blobs, tenant),
    open: openOpenScoring(blobs),
    files: await openBlobFiles(blobAccount),
  };
}

async function openConfiguredAccess(
  { auth, requestsPerSecond, imagesPerMinute, redisUrl, queuePrefix }: ApiConfig,
  { blobs, logger }: { readonly blobs: BlobStore; readonly logger: Logger },
  parts: AsyncDisposableStack,
): Promise<Access> {
  if (!tellsCallersApart({ auth })) {
    logger.warn('CAPTIONFLEET_AUTH is off: whoever reaches this API may use it, and sees the requests of everybody');
    return openToAnyone;
  }
  const limits = parts.use(await openRateLimits(redisUrl, queuePrefix));
  const limiter = (unit: string, limit: number, seconds: number) =>
    limit === 0 ? undefined : limits.limiter({ unit, limit, seconds });
  return openAccess({
    keys: auth.keys ? new ApiKeys(openKeyStore(blobs)) : undefined,
    entra: auth.entra && new EntraTokens(auth.entra),
    requests: limiter('requests', requestsPerSecond, 1),
    images: limiter('images', imagesPerMinute, 60),
  });
}

interface Listener {
  readonly host: string;
  readonly port: number;
}

/** Returns the URL. @throws CONFIG_INVALID with the variables of host and port */
async function listen(
  app: FastifyInstance,
  { host, port }: Listener,
  [hostVariable, portVariable]: readonly [string, string],
): Promise<string> {
  try {
    return await app.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` });
  } catch (cause) {
    const busy = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const why = busy ? 'is in use' : 'cannot be listened on';
    throw new CaptionfleetError('CONFIG_INVALID', `${hostVariable} ${host}, ${portVariable} ${port} ${why}`, { cause });
  }
}

/** Accepts nothing more, lets the requests in flight end, and cuts them off at the deadline. */
async function close(app: FastifyInstance): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), drainMs);
  await app.close();
  clearTimeout(cutOff);
}

try {
  await main(readConfig(process.env));
  process.exit(0);
} catch (error) {
  const { code, message } = reportError(error);
  process.stderr.write(`${code}: ${message}\n`);
  if (code === 'INTERNAL') console.error(error);
  process.exit(1);
}

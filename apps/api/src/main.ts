import type { AddressInfo } from 'node:net';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createMetrics } from '@captionfleet/telemetry/metrics';
import type { FastifyInstance } from 'fastify';
import { type ApiConfig, readConfig } from './config.ts';
import { buildServer } from './server.ts';
import { openTaskQueues } from './task-queues.ts';

/** Milliseconds for the requests in flight when a signal says stop; what is left then is cut off. */
const drainMs = 10_000;
/** Callers that may wait for results at a time; each looks at Blob storage about once a second. */
const maxWaiters = 256;

async function main(config: ApiConfig): Promise<void> {
  const logger = createLogger({ name: 'api', level: config.logLevel });
  const stopped = firstSignal();

  await using parts = new AsyncDisposableStack();
  const blobs = await openBlobStore({ ...config.blobAccount, container: config.container });
  await blobs.ensureContainer();
  const queues = await openTaskQueues(config, parts);
  const app = await buildServer({
    requests: openRequestStore(blobs),
    queues,
    tasks: config.tasks,
    maxWaiting: config.maxWaiting,
    maxWaiters,
    publicUrl: config.publicUrl,
    checks: { redis: (options) => queues.caption.producer.ping(options), blob: (options) => blobs.ping(options) },
    metrics: createMetrics(),
    logger,
  });
  parts.defer(() => close(app));
  const url = await listen(app, config);
  logger.info({ url }, `listening on ${url}`);
  logger.info({ signal: await stopped }, 'stopping');
}

/** A second signal is not caught and ends the process at once. */
const firstSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });

async function listen(app: FastifyInstance, { host, port }: ApiConfig): Promise<string> {
  try {
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (cause) {
    const busy = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const why = busy ? 'is in use' : 'cannot be listened on';
    throw new CaptionfleetError('CONFIG_INVALID', `HOST ${host}, PORT ${port} ${why}`, { cause });
  }
  const address = app.server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
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

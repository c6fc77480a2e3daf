import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';
import type { FastifyBaseLogger } from 'fastify';
import type { Access } from './access.ts';
import type { BatchEndpointConfig } from './azureml-batch.ts';
import { type ScoringRunner, startScoringRunner } from './azureml-batch-runner.ts';
import type { AzuremlConfig } from './azureml-config.ts';
import { buildAzuremlServer } from './azureml-server.ts';
import type { SubmissionConfig } from './submission.ts';
import { Waiters } from './waiters.ts';

interface AzuremlParts extends SubmissionConfig {
  readonly metrics: ApiMetrics;
  readonly logger: FastifyBaseLogger;
  /** The fleet's keys and tokens, which a front end takes too; undefined where it has none. */
  readonly access: Access | undefined;
  /** What a batch endpoint needs; undefined where there is none. */
  readonly storage: BatchStorage | undefined;
  readonly host: string;
  readonly maxWaiting: number;
  /** Milliseconds for the requests in flight when it is closed. */
  readonly drainMs: number;
}

/** Where a batch endpoint keeps its jobs, and reads and writes files. */
export type BatchStorage = Pick<BatchEndpointConfig, 'scoring' | 'open' | 'files'>;

/** Requests of the fleet that one request to score waits for at a time, at most. */
const waitersPerRequest = 4;

/**
 * Listens as an AzureML online endpoint until it is disposed of; then lets the requests in flight end.
 *
 * @throws CONFIG_INVALID when the port cannot be listened on
 */
export async function startAzureml(
  config: AzuremlConfig,
  { metrics, logger, access, storage, host, drainMs, ...fleet }: AzuremlParts,
): Promise<AsyncDisposable & { readonly port: number }> {
  const { maxInFlight, serverVersion, rowErrors, scoringTimeoutMs: timeoutMs, frontend } = config;
  const producers = fleet.tasks.map((head) => fleet.queues.interactive[head].producer);
  const waiters = new Waiters(producers, maxInFlight * waitersPerRequest);
  const log = logger.child({ surface: 'azureml' });
  const runner = storage && startScoringRunner({ ...fleet, ...storage, logger: log });
  const server = buildAzuremlServer({
    container: { scoring: { ...fleet, waiters, rowErrors, timeoutMs }, serverVersion, logger: log },
    frontend: frontend && { ...frontend, access, random: Math.random },
    batch: storage && runner && batchEndpoint(config, { ...storage, fleet, runner, logger: log }),
    maxInFlight,
    metrics,
    logger: log,
    tracing: fleet.tracing,
  });
  await listen(server, host, config.port);
  const { port } = server.address() as AddressInfo;
  log.info(`listening on http://${host}:${port} as an AzureML online endpoint`);
  return {
    port,
    async [Symbol.asyncDispose]() {
      const cutOff = setTimeout(() => server.closeAllConnections(), drainMs);
      await server[Symbol.asyncDispose]();
      clearTimeout(cutOff);
      await runner?.[Symbol.asyncDispose]();
      waiters[Symbol.dispose]();
    },
  };
}

interface BatchEndpointParts extends BatchStorage, Pick<BatchEndpointConfig, 'fleet' | 'logger'> {
  readonly runner: ScoringRunner;
}

function batchEndpoint(
  { batch, rowErrors }: AzuremlConfig,
  { runner, ...parts }: BatchEndpointParts,
): BatchEndpointConfig | undefined {
  return batch && { ...parts, batch, deployments: batch.deployments, keepsRows: rowErrors, wake: () => runner.wake() };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    const message = `CAPTIONFLEET_AZUREML_PORT ${port} of HOST ${host} cannot be listened on`;
    throw new CaptionfleetError('CONFIG_INVALID', message, { cause });
  }
}

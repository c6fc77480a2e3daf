import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { isAllowedHost } from '@captionfleet/protocol/host-header';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';
import { scrape } from '@captionfleet/telemetry/openmetrics';
import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify';
import { setFleetGauges } from './fleet-gauges.ts';
import { type FleetEyes, type FleetLook, lookAtFleet } from './pool-look.ts';
import { type PoolScalingConfig, scalePool } from './pool-scaling.ts';
import { answerParserError, asFleetError, sendProblem } from './problem.ts';

export interface AdminServerConfig {
  /** Names that operators call this listener by; addresses and localhost always pass. */
  readonly allowedHosts: readonly string[];
  readonly metrics: ApiMetrics;
  /** What sees the queues and the workers. */
  readonly eyes: FleetEyes;
  readonly scaling: PoolScalingConfig;
  readonly logger: FastifyBaseLogger;
}

const limits = { requestMs: 10_000, bodyBytes: 1_024, connections: 64 } as const;

/**
 * What only operators ask, on a listener of its own that callers of the API do not reach: `/metrics`, and `/scaling/{pool}` for
 * KEDA. It asks for no key, like a worker's; who reaches the listener may read it.
 */
export function buildAdminServer({ allowedHosts, metrics, eyes, scaling, logger }: AdminServerConfig): FastifyInstance {
  const app = fastify({
    loggerInstance: logger.child({}, { level: 'warn' }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    clientErrorHandler: answerParserError,
  });
  app.server.maxConnections = limits.connections;
  app.addHook('onRequest', async ({ headers, is404 }) => {
    if (!isAllowedHost(headers.host, allowedHosts)) {
      throw new CaptionfleetError(
        'FORBIDDEN',
        'this listener is not called by this name; see CAPTIONFLEET_ADMIN_NAMES',
      );
    }
    if (is404) throw new CaptionfleetError('NOT_FOUND', 'the routes here are GET /metrics and GET /scaling/{pool}');
  });
  app.setErrorHandler(async (thrown, _, reply) => sendProblem(reply, asFleetError(thrown)));
  app.get('/metrics', async ({ headers }, reply) => {
    const look = await lookAtFleet(eyes).catch(() => undefined);
    setFleetGauges(metrics, look);
    await setDesiredReplicas(look, metrics, scaling);
    const { contentType, body } = await scrape(metrics.registry, headers.accept);
    return reply.header('content-type', contentType).send(body);
  });
  app.get<{ Params: { pool: string } }>('/scaling/:pool', async ({ params }, reply) => {
    const { pools } = await lookAtFleet(eyes);
    const look = pools.find(({ pool }) => pool === params.pool);
    if (look === undefined) {
      throw new CaptionfleetError('NOT_FOUND', `the pools are ${pools.map(({ pool }) => pool).join(' and ')}`);
    }
    return reply.header('cache-control', 'no-store').send(await scalePool(look, scaling));
  });
  return app;
}

/** While Redis is away the gauge is absent, not stale. */
async function setDesiredReplicas(
  look: FleetLook | undefined,
  { desiredReplicas: gauge }: ApiMetrics,
  scaling: PoolScalingConfig,
): Promise<void> {
  const decisions = await Promise.all((look?.pools ?? []).map((pool) => scalePool(pool, scaling))).catch(() => []);
  gauge.reset();
  for (const { pool, desiredReplicas } of decisions) gauge.set({ pool }, desiredReplicas);
}

import { randomUUID } from 'node:crypto';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { within } from '@captionfleet/telemetry/current-span';
import { type ApiMetrics, metricTable } from '@captionfleet/telemetry/metrics';
import { noTracing, type Tracing } from '@captionfleet/telemetry/tracing';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Access } from './access.ts';
import { type BatchRoutesConfig, batchRoutes } from './batch-routes.ts';
import { letPagesCall } from './browser-origins.ts';
import { type BulkRoutesConfig, bulkRoutes } from './bulk-routes.ts';
import { type FileRoutesConfig, fileRoutes } from './file-routes.ts';
import { type FleetRoutesConfig, fleetRoutes } from './fleet-routes.ts';
import { guardRoutes } from './guarded-routes.ts';
import { type ModelRoutesConfig, modelRoutes } from './model-routes.ts';
import { describeRoutes } from './openapi.ts';
import './principal.ts';
import { answerParserError, asFleetError, invalidBody, logRefusal, sendProblem } from './problem.ts';
import { readerPage } from './reader-page.ts';
import { type TaskRoutesConfig, taskRoutes } from './task-routes.ts';
import { endServerSpan, requestTracing, traceRequests } from './traced-requests.ts';
import { withPlainColon } from './vision-contract.ts';
import { type VisionRoutesConfig, visionRoutes } from './vision-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';
import type { Webhooks } from './webhooks.ts';

/** Limits of the HTTP server; docs/reference/http.md states them. */
const serverLimits = {
  /** Milliseconds in which a request must have arrived whole. */
  requestMs: 120_000,
  /** Milliseconds that an idle connection is kept; longer than the 60 s of common load balancers. */
  keepAliveMs: 65_000,
  connections: 1_024,
} as const;

export type ServerConfig = BulkRoutesConfig &
  BatchRoutesConfig &
  FileRoutesConfig &
  TaskRoutesConfig &
  FleetRoutesConfig &
  ModelRoutesConfig &
  VisionRoutesConfig & {
    readonly access: Access;
    /** Origins whose pages may call from a browser. @defaultValue none */
    readonly corsOrigins?: readonly string[];
    readonly metrics: ApiMetrics;
    readonly webhooks?: Webhooks | undefined;
    readonly logger: FastifyBaseLogger;
    /** @defaultValue none */
    readonly tracing?: Tracing | undefined;
  };

/** What a request is refused with that another time would be accepted. */
const fleetRefusals: ReadonlySet<string> = new Set(metricTable.captionfleet_admission_refused_total.fromZero);

/** The HTTP server, not listening yet. It owns none of the parts it is given. */
export async function buildServer(config: ServerConfig): Promise<FastifyInstance> {
  const requestSpans = requestTracing(config.tracing ?? noTracing);
  const app = fastify({
    childLoggerFactory: requestSpans.childLoggerFactory,
    // The query of a URL may hold a secret.
    loggerInstance: config.logger.child({}, { serializers: { req: describeRequest } }),
    bodyLimit: imageLimits.requestBytes,
    requestTimeout: serverLimits.requestMs,
    keepAliveTimeout: serverLimits.keepAliveMs,
    clientErrorHandler: answerParserError,
    rewriteUrl: ({ url = '/' }) => withPlainColon(url),
    // Node would refuse a request without Host by itself, with an empty answer.
    http: { requireHostHeader: false },
    // The schemas are strict: they refuse such a name like any other that they do not know.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    genReqId: ({ headers }) => validRequestId(headers['x-request-id']) ?? randomUUID(),
    schemaErrorFormatter: invalidBody,
    frameworkErrors: (error, _, reply) => void sendProblem(reply, asFleetError(error)),
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = serverLimits.connections;
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.decorateRequest('principal');
  const methodsOf = new Map<string, string[]>();
  app.addHook('onRoute', ({ method, url }) => {
    methodsOf.set(url, [...(methodsOf.get(url) ?? []), ...[method].flat()]);
  });
  traceRequests(app, requestSpans);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    refuseUnreadable(request);
    // Before the body is read: nobody uploads 60 MB to a misspelt path.
    if (request.is404) throw unknownRoute(request.url, methodsOf, (allow) => reply.header('allow', allow));
  });
  // Before routes and hooks: what those of the preflight throw is answered here too.
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = asFleetError(thrown);
    logRefusal(error, request, reply);
    requestSpans.spanOf(request).set({ 'error.type': error.code });
    return sendProblem(reply, error);
  });
  app.addHook('onError', async (_request, _reply, thrown) => {
    const { code } = asFleetError(thrown);
    if (fleetRefusals.has(code)) config.metrics.admissionRefused.inc({ code });
  });
  await letPagesCall(app, config.corsOrigins ?? []);
  guardRoutes(app, config.access);
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  // Else the caller would keep the connection, and the server would wait for the end of its keep-alive to close.
  app.addHook('onSend', async (_, reply) => void (closing && reply.header('connection', 'close')));
  app.addHook('onResponse', async (request, { statusCode: status, elapsedTime }) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url?.replace('::', ':');
    const span = requestSpans.spanOf(request);
    within(span, () => {
      const labels = { route: route ?? 'none', method, status: String(status) };
      config.metrics.httpRequestSeconds.observe(labels, elapsedTime / 1_000);
    });
    endServerSpan(span, { method, route, status });
  });

  await describeRoutes(app, config.publicUrl);
  const { spendImages } = config.access;
  await app.register(taskRoutes, { ...config, spendImages });
  await app.register(bulkRoutes, { ...config, spendImages });
  await app.register(fileRoutes, config);
  await app.register(batchRoutes, config);
  await app.register(visionRoutes, { ...config, spendImages, prefix: '/computervision' });
  if (config.webhooks !== undefined) await app.register(webhookRoutes, { webhooks: config.webhooks });
  await app.register(modelRoutes, config);
  await app.register(fleetRoutes, config);
  await app.register(readerPage);
  return app;
}

const describeRequest = ({ method, url, host, ip }: FastifyRequest) => ({
  method,
  path: url.replace(/[?#].*$/s, ''),
  host,
  remoteAddress: ip,
});

function refuseUnreadable({ headers, raw }: FastifyRequest): void {
  if (raw.httpVersion === '1.1' && headers.host === undefined) {
    throw new CaptionfleetError('REQUEST_INVALID', 'the Host header is missing');
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return;
  throw new CaptionfleetError('MEDIA_TYPE_UNSUPPORTED', 'a body in a content-encoding is not read; send it as it is');
}

/** The caller's own id, when it is fit for headers and logs. */
function validRequestId(id: string | string[] | undefined): string | undefined {
  return typeof id === 'string' && /^[\w.:-]{1,128}$/.test(id) ? id : undefined;
}

function unknownRoute(
  url: string,
  methodsOf: ReadonlyMap<string, readonly string[]>,
  setAllow: (allow: string) => void,
): CaptionfleetError {
  const path = url.replace(/[?#].*$/s, '');
  const pattern = [...methodsOf.keys()].find((known) => matches(known, path));
  if (pattern === undefined) return new CaptionfleetError('NOT_FOUND', 'there is no such route; GET / names them');
  const allow = (methodsOf.get(pattern) ?? []).join(', ');
  setAllow(allow);
  return new CaptionfleetError('METHOD_NOT_ALLOWED', `this route has ${allow}`);
}

/** Two colons stand for one that is no parameter. */
const isParameter = (part: string): boolean => part.startsWith(':') && !part.startsWith('::');

/** Whether a path is one of a route such as `/v1/captions/:id`. */
function matches(pattern: string, path: string): boolean {
  const [expected, given] = [pattern.split('/'), path.split('/')];
  return (
    expected.length === given.length &&
    expected.every((part, index) => isParameter(part) || part.replace('::', ':') === given[index])
  );
}

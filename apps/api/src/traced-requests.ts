import type { IncomingMessage } from 'node:http';
import { noSpan, type Span, within } from '@captionfleet/telemetry/current-span';
import { linesOf } from '@captionfleet/telemetry/logger';
import type { Tracing } from '@captionfleet/telemetry/tracing';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify';

/** Answers under this path are another service's byte by byte, so they get no header of ours. */
const foreignPrefix = '/computervision/';
/** Probes come every few seconds and tell nothing. */
const untracedPaths: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz']);

export interface RequestTracing {
  readonly childLoggerFactory: NonNullable<FastifyServerOptions['childLoggerFactory']>;
  readonly spanOf: (request: Pick<FastifyRequest, 'raw'>) => Span;
}

/**
 * A span for each request, under the `traceparent` of its caller. It begins with the request's logger, so that every line about the
 * request has its ids, and ends with the answer. Handlers run within it.
 */
export function requestTracing(tracing: Tracing): RequestTracing {
  const spans = new WeakMap<IncomingMessage, Span>();
  return {
    childLoggerFactory(logger, bindings, options, raw) {
      const child = logger.child(bindings, options);
      const incoming = raw as IncomingMessage;
      if (!tracing.isOn || untracedPaths.has(incoming.url)) return child;
      const span = startServerSpan(tracing, incoming, { 'captionfleet.http_request.id': String(bindings['reqId']) });
      spans.set(incoming, span);
      return linesOf(span, child as FastifyBaseLogger);
    },
    spanOf: ({ raw }) => spans.get(raw) ?? noSpan,
  };
}

export function startServerSpan(
  tracing: Tracing,
  { method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  attributes: Readonly<Record<string, string>> = {},
): Span {
  const { traceparent } = headers;
  return tracing.start('http', {
    of: method,
    kind: 'server',
    parent: typeof traceparent === 'string' ? traceparent : undefined,
    attributes: { 'http.request.method': method, ...attributes },
  });
}

/** Before the hooks that may refuse a request. */
export function traceRequests(app: FastifyInstance, { spanOf }: RequestTracing): void {
  app.addHook('onRequest', (request, reply, done) => {
    const span = spanOf(request);
    const { traceparent } = span;
    if (traceparent !== undefined && !request.url.startsWith(foreignPrefix)) reply.header('traceresponse', traceparent);
    within(span, done);
  });
  // Once more, since what follows the arrival of a body is called from the socket.
  app.addHook('preValidation', (request, _, done) => within(spanOf(request), done));
}

/** What is known of a request once it is answered. */
export function endServerSpan(span: Span, answer: { method: string; route: string | undefined; status: number }): void {
  const { method, route, status } = answer;
  if (route !== undefined) span.rename(`${method} ${route}`);
  span.set({ 'http.route': route, 'http.response.status_code': status });
  if (status >= 500) span.fail();
  span.end();
}

// The only module with OpenTelemetry's SDK; tracing.ts imports it when spans are wanted.
import type { SamplerName, TracingConfig } from '@captionfleet/protocol/tracing-settings';
import type * as otel from '@opentelemetry/api';
import { type Link, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { type Attributes, currentSpan, type Span, type SpanOptions, type Tracing } from './current-span.ts';
import type { Logger } from './logger.ts';
import { type SpanName, spanTable } from './span-table.ts';

const limits = {
  /** For the export of what is left when the process stops. */
  shutdownMs: 3_000,
  /** Characters of an attribute's text. */
  attributeLength: 256,
  links: 64,
  /** Between two log lines on exports that fail. */
  warnEveryMs: 60_000,
} as const;

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/**
 * Spans in batches over OTLP/HTTP. A full queue drops spans, and a collector that is away costs the batches that were due: no work of the
 * fleet waits for either.
 */
export function openOtlpTracing(
  config: TracingConfig,
  { name, logger }: { readonly name: string; readonly logger: Pick<Logger, 'warn'> },
): Tracing {
  const { url, headers, timeoutMs } = config;
  const exporter = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    // The stop sends all that is queued at once, beside what may be under way; before it there is one export at a time.
    concurrencyLimit: Math.ceil(config.maxQueued / config.maxExported) + 1,
  });
  const processor = new BatchSpanProcessor({
    exporter: tellingOfFailures(exporter, logger),
    maxQueueSize: config.maxQueued,
    maxExportBatchSize: config.maxExported,
    scheduledDelayMillis: config.exportEveryMs,
    exportTimeoutMillis: timeoutMs,
  });
  const attributes = { ...config.resource, 'service.name': config.serviceName ?? `captionfleet-${name}` };
  const shared = {
    resource: resourceFromAttributes({ 'service.instance.id': crypto.randomUUID(), ...attributes }),
    spanProcessors: [processor],
    spanLimits: { attributeValueLengthLimit: limits.attributeLength, linkCountLimit: limits.links },
  };
  const tracer = new TracerProvider({ ...shared, sampler: samplerOf(config.sampler, config.ratio) }).getTracer(
    'captionfleet',
  );
  const apart = new TracerProvider({ ...shared, sampler: new AlwaysOnSampler() }).getTracer('captionfleet');
  return {
    isOn: true,
    start: (spanName, options = {}) => {
      const parent = 'parent' in options ? options.parent : currentSpan();
      return start(tracer, spanName, options, contextOf(parent));
    },
    startApart: (spanName, options = {}) => start(apart, spanName, options, ROOT_CONTEXT),
    async [Symbol.asyncDispose]() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, limits.shutdownMs);
      await Promise.race([processor.shutdown().catch(() => undefined), late.promise]);
      clearTimeout(timer);
    },
  };
}

function start(
  tracer: Tracer,
  name: SpanName,
  { of = '', kind = 'internal', startedAt, attributes = {}, links = [] }: SpanOptions,
  context: otel.Context,
): Span {
  const options: otel.SpanOptions = {
    kind: kinds[kind],
    attributes: set(attributes),
    links: links.flatMap(linkTo),
    // A number could be taken for one of performance.now().
    ...(startedAt === undefined ? {} : { startTime: new Date(startedAt) }),
  };
  return wrap(name, tracer.startSpan(nameOf(name, of), options, context));
}

const nameOf = (name: SpanName, of: string): string => spanTable[name].name.replace(/\{.*\}/, of);

function wrap(name: SpanName, span: otel.Span): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    ids: { traceId, spanId },
    isSampled: span.isRecording(),
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    set: (attributes) => void span.setAttributes(set(attributes)),
    link: (other) => void span.addLinks(linkTo(other)),
    rename: (of) => void span.updateName(nameOf(name, of)),
    fail(code) {
      if (code !== undefined) span.setAttribute('error.type', code);
      span.setStatus({ code: SpanStatusCode.ERROR });
    },
    end: (at) => span.end(at === undefined ? undefined : new Date(at)),
  };
}

/** Attributes without those that have no value. */
const set = (attributes: Attributes): otel.Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));

function linkTo({ traceparent }: Span): Link[] {
  const context = readTraceparent(traceparent);
  return context === undefined ? [] : [{ context }];
}

function contextOf(parent: Span | string | undefined): otel.Context {
  const remote = readTraceparent(typeof parent === 'string' ? parent : parent?.traceparent);
  if (remote === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: typeof parent === 'string' });
}

/** W3C Trace Context, section 3.2; of a version that is not known yet, what it has in common with version 00. */
function readTraceparent(text: string | undefined): otel.SpanContext | undefined {
  const match = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
  return trace.isSpanContextValid(context) ? context : undefined;
}

function samplerOf(name: SamplerName, ratio: number): Sampler {
  const root: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  };
  const sampler = (root[name.replace('parentbased_', '')] ?? (() => new AlwaysOnSampler()))();
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root: sampler }) : sampler;
}

/** Says in the log that spans are lost, now and then. */
function tellingOfFailures(exporter: OTLPTraceExporter, logger: Pick<Logger, 'warn'>): SpanExporter {
  let lost = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0) lost += spans.length;
        if (result.code !== 0 && performance.now() - toldAt > limits.warnEveryMs) {
          toldAt = performance.now();
          logger.warn({ spans: lost, reason: result.error?.message }, 'spans could not be exported and are lost');
          lost = 0;
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}

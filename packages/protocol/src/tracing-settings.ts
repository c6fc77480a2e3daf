import { z } from 'zod';
import { httpUrl, optional, wholeNumber, withDefault } from './settings.ts';

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof samplers)[number];

/** `key=value` pairs with commas between them, the values percent-encoded, as W3C Baggage has them. */
const pairs = z
  .string()
  .regex(/^\s*[^\s=,]+\s*=[^,]*(?:,\s*[^\s=,]+\s*=[^,]*)*$/, 'must be key=value pairs with commas between them')
  .transform((text, context): Readonly<Record<string, string>> => {
    try {
      return Object.fromEntries(
        text.split(',').map((pair) => {
          const [key = '', ...value] = pair.split('=');
          return [decodeURIComponent(key.trim()), decodeURIComponent(value.join('=').trim())];
        }),
      );
    } catch {
      context.addIssue({ code: 'custom', message: 'has a percent sign that begins no percent-encoded character' });
      return z.NEVER;
    }
  });

const protocol = z.literal('http/json', 'must be http/json: that is how spans are sent');
const flag = z.enum(['true', 'false']);
const ratioForm = 'must be a share from 0 to 1';
const ratio = z.coerce.number<string>(ratioForm).min(0, ratioForm).max(1, ratioForm);

/** Variables of OpenTelemetry that the fleet heeds, with its meanings and defaults but for the first: without an endpoint nothing is traced. */
export const tracingVariables = {
  /** The base URL of a collector; spans go to `/v1/traces` under it. */
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(httpUrl),
  /** Where spans go, as it stands. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(httpUrl),
  OTEL_EXPORTER_OTLP_PROTOCOL: optional(protocol),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: optional(protocol),
  /** Such as the key of a collector. A secret. */
  OTEL_EXPORTER_OTLP_HEADERS: optional(pairs),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: optional(pairs),
  /** Milliseconds for one export, its repetitions included. */
  OTEL_EXPORTER_OTLP_TIMEOUT: withDefault(wholeNumber(100, 60_000), '10000'),
  OTEL_SDK_DISABLED: withDefault(flag, 'false'),
  OTEL_TRACES_EXPORTER: withDefault(z.enum(['otlp', 'none']), 'otlp'),
  OTEL_SERVICE_NAME: optional(z.string()),
  OTEL_RESOURCE_ATTRIBUTES: optional(pairs),
  OTEL_TRACES_SAMPLER: withDefault(z.enum(samplers), 'parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: withDefault(ratio, '1'),
  /** Milliseconds between two exports. */
  OTEL_BSP_SCHEDULE_DELAY: withDefault(wholeNumber(10, 600_000), '5000'),
  /** Spans that wait for export; more are dropped. */
  OTEL_BSP_MAX_QUEUE_SIZE: withDefault(wholeNumber(1, 100_000), '2048'),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: withDefault(wholeNumber(1, 100_000), '512'),
};
type TracingVariables = z.infer<z.ZodObject<typeof tracingVariables>>;

/** How spans are made and where they go. */
export interface TracingConfig {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly serviceName: string | undefined;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** Share of traces, for the samplers that take one. */
  readonly ratio: number;
  readonly exportEveryMs: number;
  readonly maxQueued: number;
  readonly maxExported: number;
}

/** Undefined when nothing is traced. For use in the transform of an app's settings. */
export function tracingConfig(variables: TracingVariables, context: z.core.$RefinementCtx): TracingConfig | undefined {
  const { OTEL_BSP_MAX_QUEUE_SIZE: maxQueued, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: maxExported } = variables;
  if (maxExported > maxQueued) {
    const message = 'must be at most OTEL_BSP_MAX_QUEUE_SIZE';
    context.addIssue({ code: 'custom', path: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], message });
  }
  const base = variables.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '');
  const url = variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`);
  if (url === undefined || variables.OTEL_SDK_DISABLED === 'true' || variables.OTEL_TRACES_EXPORTER === 'none') {
    return undefined;
  }
  return {
    url,
    headers: variables.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? variables.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    timeoutMs: variables.OTEL_EXPORTER_OTLP_TIMEOUT,
    serviceName: variables.OTEL_SERVICE_NAME,
    resource: variables.OTEL_RESOURCE_ATTRIBUTES ?? {},
    sampler: variables.OTEL_TRACES_SAMPLER,
    ratio: variables.OTEL_TRACES_SAMPLER_ARG,
    exportEveryMs: variables.OTEL_BSP_SCHEDULE_DELAY,
    maxQueued,
    maxExported,
  };
}

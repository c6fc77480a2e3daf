import type { TracingConfig } from '@captionfleet/protocol/tracing-settings';
import { currentSpan, noSpan, type Span, type SpanOptions, type Tracing } from './current-span.ts';
import type { Logger } from './logger.ts';
import type { SpanName } from './span-table.ts';

export type { Tracing };

export const noTracing: Tracing = {
  isOn: false,
  start: () => noSpan,
  startApart: () => noSpan,
  [Symbol.asyncDispose]: async () => undefined,
};

/** Without a configuration none of OpenTelemetry is loaded. */
export async function openTracing(
  config: TracingConfig | undefined,
  part: { readonly name: string; readonly logger: Pick<Logger, 'warn'> },
): Promise<Tracing> {
  if (config === undefined) return noTracing;
  const { openOtlpTracing } = await import('./otlp-tracing.ts');
  return openOtlpTracing(config, part);
}

/** Does work in a span of its own under the current one; what the work throws is the failure of the span. */
export async function traced<Result>(
  tracing: Tracing,
  name: SpanName,
  options: SpanOptions,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  if (!tracing.isOn) return await work(noSpan);
  const span = tracing.start(name, { parent: currentSpan(), ...options });
  try {
    return await work(span);
  } catch (error) {
    span.fail(codeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error ? String(error.code) : error.name) : 'INTERNAL';

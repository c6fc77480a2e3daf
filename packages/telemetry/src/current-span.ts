import { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanName } from './span-table.ts';

/** What spans say about themselves. Never a query, a body or a header of a caller: those may hold secrets. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A stretch of work in a trace. Without tracing there is one span, which is nowhere and does nothing. */
export interface Span {
  /** Absent: nothing is traced. */
  readonly ids: { readonly traceId: string; readonly spanId: string } | undefined;
  /** Whether it will be exported. */
  readonly isSampled: boolean;
  /** As W3C Trace Context writes it; undefined without tracing. */
  readonly traceparent: string | undefined;
  set(attributes: Attributes): void;
  link(other: Span): void;
  /** Puts what was not known at its start into its name, such as the route. */
  rename(of: string): void;
  /** Marks it as failed; `code` is one of the error table, or an error's own. */
  fail(code?: string): void;
  /** @param at milliseconds since the epoch, now by default */
  end(at?: number): void;
}

export interface SpanOptions {
  /** What follows the name of the table, such as a route or a queue. */
  readonly of?: string;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /**
   * A span, or a `traceparent` from elsewhere; one that is malformed counts as none, and none begins a trace.
   * @defaultValue the current span
   */
  readonly parent?: Span | string | undefined;
  /** Milliseconds since the epoch. @defaultValue now */
  readonly startedAt?: number;
  readonly attributes?: Attributes;
  readonly links?: readonly Span[];
}

/** Makes spans. Disposing of it exports what is left, for a few seconds at most. */
export interface Tracing extends AsyncDisposable {
  readonly isOn: boolean;
  start(name: SpanName, options?: SpanOptions): Span;
  /** Begins a trace of its own that is kept whatever the sampler says: what it links to was sampled. */
  startApart(name: SpanName, options?: Omit<SpanOptions, 'parent'>): Span;
}

export const noSpan: Span = {
  ids: undefined,
  isSampled: false,
  traceparent: undefined,
  set: () => undefined,
  link: () => undefined,
  rename: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

const spans = new AsyncLocalStorage<Span>();

/** The span of the work that is going on here. */
export const currentSpan = (): Span => spans.getStore() ?? noSpan;

/** Does work that belongs to a span: its log lines, exemplars and spans do too. */
export function within<Result>(span: Span, work: () => Result): Result {
  return span.ids === undefined ? work() : spans.run(span, work);
}

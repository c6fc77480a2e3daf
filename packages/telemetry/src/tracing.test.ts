import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readSettings } from '@captionfleet/protocol/settings';
import { type TracingConfig, tracingConfig, tracingVariables } from '@captionfleet/protocol/tracing-settings';
import { z } from 'zod';
import { type OtlpReceiver, startOtlpReceiver } from '../../../test/support/otlp-receiver.ts';
import { currentSpan, within } from './current-span.ts';
import { createLogger, linesOf } from './logger.ts';
import { openTracing, type Tracing, traced } from './tracing.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const TracingSchema = z.object(tracingVariables).transform(tracingConfig);
const read = (env: Record<string, string>): TracingConfig | undefined => readSettings(TracingSchema, env);
const quiet = createLogger({ name: 'test', level: 'silent' });
const open = (url: string, env: Record<string, string> = {}): Promise<Tracing> =>
  openTracing(read({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '60000', ...env }), {
    name: 'test',
    logger: quiet,
  });

let collector: OtlpReceiver;
before(async () => {
  collector = await startOtlpReceiver();
});
after(() => collector[Symbol.asyncDispose]());

test('nothing is traced without an endpoint, when disabled, or without an exporter', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
  assert.equal(read({}), undefined);
  assert.equal(read({ ...endpoint, OTEL_SDK_DISABLED: 'true' }), undefined);
  assert.equal(read({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), undefined);
  assert.equal(read(endpoint)?.url, 'http://collector:4318/v1/traces');
  assert.equal(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector/x' })?.url, 'http://collector/x');
});

test('headers and resource attributes are read, and wrong variables are named without their values', () => {
  const config = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b, other=c=d',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod',
  });
  assert.deepEqual(config?.headers, { 'api-key': 'a b', other: 'c=d' });
  assert.deepEqual(config?.resource, { 'deployment.environment.name': 'prod' });
  for (const [name, value] of [
    ['OTEL_EXPORTER_OTLP_HEADERS', 'topsecret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'key=topsecret%'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_TRACES_SAMPLER', 'xray'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '4096'],
  ] as const) {
    assert.throws(
      () => read({ [name]: value }),
      ({ code, message }: Error & { code?: string }) =>
        code === 'CONFIG_INVALID' && message.startsWith(name) && !message.includes('topsecret'),
      `${name} ${value}`,
    );
  }
});

test('spans are exported when the process stops, with what they say and where they belong', async () => {
  const caller = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const tracing = await open(collector.url, { OTEL_SERVICE_NAME: 'mine' });
  const server = tracing.start('http', {
    of: 'POST',
    kind: 'server',
    // Of a version to come.
    parent: `01-${caller.traceId}-${caller.spanId}-01-more`,
  });
  server.rename('POST /v1/captions');
  await within(server, () =>
    assert.rejects(
      traced(tracing, 'admit', { attributes: { 'captionfleet.images': 3, 'error.type': undefined } }, async () => {
        throw Object.assign(new Error('full'), { code: 'QUEUE_FULL' });
      }),
    ),
  );
  const early = tracing.start('wait', { parent: server, startedAt: 1_000 });
  early.end(3_000);
  server.end();
  await tracing[Symbol.asyncDispose]();
  const spans = collector.spans.filter(({ service }) => service === 'mine');
  assert.deepEqual(
    spans.map(({ name, kind, parentSpanId, failed, attributes }) => ({ name, kind, parentSpanId, failed, attributes })),
    [
      {
        name: 'admit',
        kind: 1,
        parentSpanId: server.ids?.spanId,
        failed: true,
        attributes: { 'captionfleet.images': 3, 'error.type': 'QUEUE_FULL' },
      },
      { name: 'wait in queue', kind: 1, parentSpanId: server.ids?.spanId, failed: false, attributes: {} },
      { name: 'POST /v1/captions', kind: 2, parentSpanId: caller.spanId, failed: false, attributes: {} },
    ],
  );
  assert.ok(spans.every(({ traceId }) => traceId === caller.traceId));
  assert.deepEqual([spans[1]?.startedAt, spans[1]?.endedAt], [1_000, 3_000]);
});

test('a stop exports everything that is queued, in as many batches as it takes', async () => {
  const tracing = await open(collector.url, {
    OTEL_SERVICE_NAME: 'full',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
  });
  for (let count = 0; count < 95; count += 1) tracing.start('admit').end();
  await tracing[Symbol.asyncDispose]();
  assert.equal(collector.spans.filter(({ service }) => service === 'full').length, 95);
});

test('what is no traceparent begins a new trace', async () => {
  await using tracing = await open(collector.url);
  const [trace, span] = ['a'.repeat(32), 'b'.repeat(16)];
  for (const parent of [
    '',
    `ff-${trace}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
  ]) {
    assert.notEqual(tracing.start('http', { parent }).ids?.traceId, trace, parent);
  }
});

test('the sampler heeds the caller only where its name says so', async () => {
  const parents = {
    sampled: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    not: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`,
  };
  for (const [sampler, expected] of [
    ['parentbased_always_on', [true, true, false]],
    ['parentbased_always_off', [false, true, false]],
    ['always_on', [true, true, true]],
    ['always_off', [false, false, false]],
  ] as const) {
    await using tracing = await open(collector.url, { OTEL_TRACES_SAMPLER: sampler });
    const isSampled = (parent?: string) => tracing.start('http', { parent }).isSampled;
    assert.deepEqual([isSampled(), isSampled(parents.sampled), isSampled(parents.not)], expected, sampler);
    assert.equal(tracing.startApart('run').isSampled, true);
  }
});

test('while a collector hangs, a bounded number of spans waits, and the stop waits for it only so long', async () => {
  let received = 0;
  const server = createServer((request) => request.resume().once('end', () => (received += 1))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const tracing = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    OTEL_BSP_MAX_QUEUE_SIZE: '64',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '16',
    OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
  });
  // 100 MB, were they kept.
  const spanBytes = 256;
  const heapBytes = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const heapBefore = heapBytes();
  for (let count = 0; count < 400_000; count += 1) {
    tracing.start('admit', { attributes: { 'captionfleet.request.id': `${count}`.padEnd(spanBytes) } }).end();
  }
  const grown = heapBytes() - heapBefore;
  assert.ok(grown < 10e6, `${grown} bytes`);
  const began = performance.now();
  await tracing[Symbol.asyncDispose]();
  const waited = performance.now() - began;
  assert.ok(waited > 2_000 && waited < 5_000, `${waited}`);
  // One export that was under way, and what was queued.
  assert.ok(received <= 1 + 64 / 16, `${received} exports`);
});

test('lines within a span have its ids, and those of a logger that was given a span have that one’s', async () => {
  await using tracing = await open(collector.url);
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'info', destination });
  const [request, work] = [tracing.start('http'), tracing.start('admit')];
  logger.info('outside');
  within(work, () => logger.info('within'));
  const child = linesOf(request, logger.child({ reqId: '1' }));
  within(work, () => child.child({ principal: 'me' }).info('of the request'));
  assert.deepEqual(
    lines.map(({ msg, trace_id, span_id }) => ({ msg, trace_id, span_id })),
    [
      { msg: 'outside', trace_id: undefined, span_id: undefined },
      { msg: 'within', trace_id: work.ids?.traceId, span_id: work.ids?.spanId },
      { msg: 'of the request', trace_id: request.ids?.traceId, span_id: request.ids?.spanId },
    ],
  );
});

test('without tracing there is one span that is nowhere', async () => {
  const tracing = await openTracing(undefined, { name: 'test', logger: quiet });
  const span = tracing.start('http');
  assert.equal(span.traceparent, undefined);
  assert.equal(
    within(span, () => currentSpan()),
    span,
  );
});

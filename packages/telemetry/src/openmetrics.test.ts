import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from './current-span.ts';
import { createLogger } from './logger.ts';
import { createApiMetrics } from './metrics.ts';
import { scrape } from './openmetrics.ts';
import { openTracing } from './tracing.ts';

const asPrometheusAsks =
  'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2';

test('OpenMetrics is for who asks for it; the text format is as it was before and after', async () => {
  const metrics = createApiMetrics();
  metrics.webhookAttempts.inc({ outcome: 'succeeded' }, 2);
  const plain = await scrape(metrics.registry, undefined);
  assert.match(plain.contentType, /^text\/plain/);
  assert.match(plain.body, /^# TYPE captionfleet_webhook_attempts_total counter$/m);

  const open = await scrape(metrics.registry, asPrometheusAsks);
  assert.match(open.contentType, /^application\/openmetrics-text; version=1.0.0/);
  assert.match(open.body, /^# TYPE captionfleet_webhook_attempts counter$/m);
  assert.match(open.body, /^captionfleet_webhook_attempts_total\{outcome="succeeded"\} 2$/m);
  assert.match(open.body, /\n# EOF\n$/);

  metrics.webhookAttempts.inc({ outcome: 'succeeded' });
  const again = await scrape(metrics.registry, 'text/plain;q=0.9, application/openmetrics-text;q=0.1');
  assert.match(again.body, /^captionfleet_webhook_attempts_total\{outcome="succeeded"\} 3$/m);
  for (const accept of ['*/*', 'text/html', '', 'application/openmetrics-text;q=0']) {
    assert.match((await scrape(metrics.registry, accept)).contentType, /^text\/plain/, accept);
  }
});

test('a bucket has the trace of its last sampled observation, and of no other', async () => {
  const config = {
    url: 'http://127.0.0.1:9/v1/traces',
    headers: {},
    timeoutMs: 100,
    serviceName: undefined,
    resource: {},
    ratio: 1,
    exportEveryMs: 60_000,
    maxQueued: 8,
    maxExported: 8,
  };
  const part = { name: 'test', logger: createLogger({ name: 'test', level: 'silent' }) };
  await using on = await openTracing({ ...config, sampler: 'always_on' }, part);
  await using off = await openTracing({ ...config, sampler: 'always_off' }, part);
  const { httpRequestSeconds, registry } = createApiMetrics();
  const labels = { route: '/', method: 'GET', status: '200' };
  const span = on.start('http');
  within(off.start('http'), () => httpRequestSeconds.observe(labels, 2));
  within(span, () => httpRequestSeconds.observe(labels, 0.003));
  httpRequestSeconds.observe(labels, 0.004);
  const { body } = await scrape(registry, asPrometheusAsks);
  const [line, ...others] = body.split('\n').filter((text) => text.includes('# {'));
  assert.deepEqual(others, []);
  assert.match(
    line ?? '',
    new RegExp(
      `^captionfleet_http_request_seconds_bucket\\{le="0.005",.*\\} 2 # \\{trace_id="${span.ids?.traceId}",span_id="${span.ids?.spanId}"\\} 0.003 \\d+`,
    ),
  );
});

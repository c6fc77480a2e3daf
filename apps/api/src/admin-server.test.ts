import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import { buildAdminServer } from './admin-server.ts';

const queue = (counts: () => Promise<{ waiting: number; active: number; delayed: number; failed: number }>) => ({
  name: 'interactive-cpu',
  producer: { counts },
});
const build = (counts = async () => ({ waiting: 3, active: 1, delayed: 0, failed: 0 })) => {
  const metrics = createApiMetrics();
  metrics.httpRequestSeconds.observe({ route: '/livez', method: 'GET', status: '200' }, 0.01);
  const logger = createLogger({ name: 'api', level: 'silent' });
  return buildAdminServer({ allowedHosts: ['api'], metrics, queues: [queue(counts)], logger });
};

test('metrics are given, with the jobs of each queue as they are now', async () => {
  await using app = build();
  const { headers, body } = await app.inject('/metrics');
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.match(body, /^captionfleet_http_request_seconds_count\{route="\/livez",method="GET",status="200"\} 1$/m);
  assert.match(body, /^captionfleet_queue_jobs\{queue="interactive-cpu",state="waiting"\} 3$/m);
});

test('while Redis is away the jobs are absent, not stale', async () => {
  let isAway = false;
  await using app = build(async () => {
    if (isAway) throw new CaptionfleetError('QUEUE_UNAVAILABLE', 'away');
    return { waiting: 3, active: 1, delayed: 0, failed: 0 };
  });
  assert.match((await app.inject('/metrics')).body, /captionfleet_queue_jobs\{/);
  isAway = true;
  const { statusCode, body } = await app.inject('/metrics');
  assert.equal(statusCode, 200);
  assert.doesNotMatch(body, /captionfleet_queue_jobs\{/);
});

test('it answers to addresses, localhost and its own names, and to no other name that a browser was led here by', async () => {
  await using app = build();
  const ask = (host: string) => app.inject({ url: '/metrics', headers: { host } });
  for (const host of ['127.0.0.1:9401', '[::1]:9401', 'localhost', 'api:9401']) {
    assert.equal((await ask(host)).statusCode, 200, host);
  }
  for (const host of ['attacker.example.org', 'attacker.example.org:9401', 'api.example.org']) {
    const { statusCode, body } = await ask(host);
    assert.equal(statusCode, 403, host);
    assert.equal(JSON.parse(body).code, 'FORBIDDEN');
  }
  assert.equal((await app.inject('/v1/captions')).statusCode, 404);
});

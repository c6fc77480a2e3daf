import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import { buildAdminServer } from './admin-server.ts';
import { workerPresence } from './test-looks.ts';

const interactive = {
  waiting: 3,
  active: 1,
  delayed: 2,
  failed: 0,
  overdue: 1,
  oldestWaitingSeconds: 1.5,
  oldestSeconds: 2.5,
  paused: false,
  arrivalsPerSecond: 0,
};
const seen = {
  atSeconds: 1_764_000_000,
  queues: new Map([['interactive-cpu', interactive]]),
  memory: { used: 7, limit: 100 },
};
const worker = (imagesPerSecond: number | undefined): WorkerPresence =>
  workerPresence({ lanes: ['interactive'], ...(imagesPerSecond === undefined ? {} : { imagesPerSecond }) });
const settingsOf = (minReplicas: number) => {
  const settings = {
    minReplicas,
    maxReplicas: 10,
    sloSeconds: { interactive: 30, bulk: 3_600 },
    coldStartSeconds: undefined,
    assumedImagesPerSecond: 1,
    scaleDownAfterSeconds: 120,
  };
  return { cpu: settings, gpu: settings };
};
const inMemory = () => ({ read: async () => undefined, replace: async () => true });
const build = ({
  read = async () => seen,
  workers = [],
}: {
  read?: () => Promise<typeof seen>;
  workers?: readonly WorkerPresence[];
} = {}) => {
  const metrics = createApiMetrics();
  metrics.httpRequestSeconds.observe({ route: '/livez', method: 'GET', status: '200' }, 0.01);
  const logger = createLogger({ name: 'api', level: 'silent' });
  const eyes = { backlog: { read }, workers: { list: async () => workers } };
  const scaling = { settings: settingsOf(2), memory: inMemory(), tasks: ['caption'] as const };
  return buildAdminServer({ allowedHosts: ['api'], metrics, eyes, scaling, logger });
};

test('metrics are given, with each queue as it is now', async () => {
  await using app = build();
  const { headers, body } = await app.inject('/metrics');
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.match(body, /^captionfleet_http_request_seconds_count\{route="\/livez",method="GET",status="200"\} 1$/m);
  assert.match(body, /^captionfleet_queue_jobs\{queue="interactive-cpu",state="waiting"\} 3$/m);
  assert.match(body, /^captionfleet_oldest_job_seconds\{queue="interactive-cpu"\} 2.5$/m);
  assert.match(body, /^captionfleet_overdue_jobs\{queue="interactive-cpu"\} 1$/m);
  assert.match(body, /^captionfleet_queue_paused\{queue="interactive-cpu"\} 0$/m);
  assert.match(body, /^captionfleet_redis_memory_bytes\{kind="limit"\} 100$/m);
});

test('work drains at the rate that its workers measured, never without them, and unknown before they measured', async () => {
  const drain = async (workers: readonly WorkerPresence[]) => {
    await using app = build({ workers });
    const { body } = await app.inject('/metrics');
    return /^captionfleet_drain_seconds\{lane="interactive",pool="cpu"\} (.+)$/m.exec(body)?.[1];
  };
  assert.equal(await drain([worker(1), worker(1)]), '2.5');
  assert.equal(await drain([]), '+Inf');
  assert.equal(await drain([worker(undefined)]), undefined);
});

test('while Redis is away the gauges are absent, not stale', async () => {
  let isAway = false;
  await using app = build({
    async read() {
      if (isAway) throw new CaptionfleetError('QUEUE_UNAVAILABLE', 'away');
      return seen;
    },
  });
  assert.match((await app.inject('/metrics')).body, /captionfleet_queue_jobs\{/);
  isAway = true;
  const { statusCode, body } = await app.inject('/metrics');
  assert.equal(statusCode, 200);
  assert.doesNotMatch(body, /captionfleet_(queue_jobs|queue_paused|oldest_job_seconds|drain_seconds)\{/);
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

// What the AzureML surface adds to the server it imitates, and its bounds. No worker runs here, so that what is accepted stays in
// flight. That its answers are those of the original is in test/contract/azureml.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import { exchange, type WireRequest } from '../../../test/contract/azureml/exchange.ts';
import { startAzurite } from '../../../test/support/azurite.ts';
import { waitFor } from '../../../test/support/http.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { type Access, openToAnyone } from './access.ts';
import type { FrontendConfig } from './azureml-frontend.ts';
import type { ScoringConfig } from './azureml-scoring.ts';
import { type AzuremlServerConfig, buildAzuremlServer } from './azureml-server.ts';
import { anyone, type Principal } from './principal.ts';
import { openTaskQueues, type TaskQueues } from './task-queues.ts';
import { Waiters } from './waiters.ts';

const parts = new AsyncDisposableStack();
const metrics = createApiMetrics();
let queues: TaskQueues;
let scoring: ScoringConfig;

before(async () => {
  const redis = parts.use(await startRedis());
  const { connectionString } = parts.use(await startAzurite());
  const blobs = await openBlobStore({ connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  const fleet = { redisUrl: redis.url, queuePrefix: `{${randomUUID()}}`, pool: 'cpu' } as const;
  queues = await openTaskQueues({ ...fleet, maxWaiting: 100 }, parts);
  const waiters = new Waiters([queues.interactive.caption.producer], 100);
  parts.defer(() => waiters[Symbol.dispose]());
  scoring = {
    requests: openRequestStore(blobs),
    queues,
    tasks: ['caption'],
    maxWaiting: 100,
    waiters,
    rowErrors: false,
    timeoutMs: 60_000,
  };
});
after(() => parts.disposeAsync());

const keys = ['the-first-of-the-keys', 'the-second-of-the-keys'];
const frontend: FrontendConfig = {
  keys,
  requestTimeoutMs: 60_000,
  deployments: [
    { name: 'blue', task: 'auto', weight: 75 },
    { name: 'green', task: 'auto', weight: 25 },
  ],
  mirror: undefined,
  random: () => 0,
};

interface TestSurface extends AsyncDisposable {
  readonly port: number;
}

async function startSurface(
  changed: Partial<Pick<AzuremlServerConfig, 'frontend' | 'maxInFlight'>> & { scoring?: Partial<ScoringConfig> },
): Promise<TestSurface> {
  const logger = createLogger({ name: 'api', level: 'silent' });
  const server = buildAzuremlServer({
    frontend: undefined,
    maxInFlight: 10,
    ...changed,
    container: { scoring: { ...scoring, ...changed.scoring }, serverVersion: undefined, logger },
    metrics,
    logger,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

const keyed: WireRequest['headers'] = [['Authorization', `Bearer ${keys[0]}`]];
const health = (headers: WireRequest['headers'] = keyed): WireRequest => ({ method: 'GET', target: '/', headers });
const image = Buffer.from('the bytes of an image').toString('base64');
const score = (rows = 1, headers: WireRequest['headers'] = keyed): WireRequest => ({
  method: 'POST',
  target: '/score',
  headers: [['Content-Type', 'application/json'], ...headers],
  body: Buffer.from(
    JSON.stringify({ input_data: { columns: ['image'], data: Array.from({ length: rows }, () => [image]) } }),
  ),
});

async function ask({ port }: TestSurface, request: WireRequest) {
  const { status, headers, body } = await exchange(port, request);
  return { status, headers, body: body.toString() };
}

test('a front end lets in who has a key of the fleet, with its scope and its limits', async () => {
  const callers: Readonly<Record<string, Principal>> = {
    writer: { ...anyone, id: 'key:1', tenant: 'acme' },
    reader: { ...anyone, id: 'key:2', scopes: new Set(['captions:read']) },
  };
  const access: Access = {
    ...openToAnyone,
    async authenticate(credential = '') {
      const principal = callers[credential];
      if (principal !== undefined) return principal;
      if (credential === 'too-often') throw new CaptionfleetError('RATE_LIMITED', 'wait', { retryAfterSeconds: 7 });
      throw new CaptionfleetError('UNAUTHENTICATED', 'no key');
    },
  };
  await using surface = await startSurface({ frontend: { ...frontend, access } });
  const asked = async (key: string) => await ask(surface, health([['Authorization', `Bearer ${key}`]]));
  for (const key of ['writer', ...keys]) assert.equal((await asked(key)).status, 200, key);
  assert.deepEqual([(await asked('reader')).status, (await asked('other')).status], [403, 401]);
  assert.equal((await asked('other')).body, 'key_auth_access_denied');
  const { status, headers } = await asked('too-often');
  assert.equal(status, 429);
  assert.equal(headers['retry-after'], '7');
});

test('a front end lets in who has one of its keys, and says to others what Azure says', async () => {
  await using surface = await startSurface({ frontend });
  for (const key of keys) {
    assert.equal((await ask(surface, health([['Authorization', `Bearer ${key}`]]))).status, 200);
    assert.equal((await ask(surface, health([['authorization', `bearer ${key}`]]))).status, 200);
  }
  const wrong = [
    [[], 'key_auth_bad_header_missing'],
    [[['Authorization', `Basic ${keys[0]}`]], 'key_auth_bad_header_forbidden'],
    [[['Authorization', 'Bearer']], 'key_auth_bad_header_forbidden'],
    [[['Authorization', `Bearer ${keys[0]}x`]], 'key_auth_access_denied'],
    [[['Authorization', `Bearer ${keys[0]?.slice(1)}`]], 'key_auth_access_denied'],
  ] as const satisfies readonly [WireRequest['headers'], string][];
  for (const [headers, reason] of wrong) {
    for (const request of [health(headers), score(1, headers), { ...health(headers), target: '/swagger.json' }]) {
      const { status, body } = await ask(surface, request);
      assert.deepEqual({ status, body }, { status: 401, body: reason });
    }
  }
});

test('a request goes to the deployment that it names, else to one by weight', async () => {
  const points = [0, 0.74, 0.75, 0.999];
  await using surface = await startSurface({ frontend: { ...frontend, random: () => points.shift() ?? 0 } });
  const deploymentOf = async (headers: WireRequest['headers'] = []) => {
    const { status, headers: told } = await ask(surface, health([...keyed, ...headers]));
    return status === 200 ? told['azureml-model-session'] : status;
  };
  assert.equal(await deploymentOf([['azureml-model-deployment', 'green']]), 'green');
  assert.equal(await deploymentOf([['azureml-model-deployment', 'red']]), 404);
  const byWeight = [await deploymentOf(), await deploymentOf(), await deploymentOf(), await deploymentOf()];
  assert.deepEqual(byWeight, ['blue', 'blue', 'green', 'green']);

  const idle = frontend.deployments.map((deployment) => ({ ...deployment, weight: 0 }));
  await using asleep = await startSurface({ frontend: { ...frontend, deployments: idle } });
  assert.equal((await ask(asleep, health())).status, 404);
  const named = health([...keyed, ['azureml-model-deployment', 'blue']]);
  assert.equal((await ask(asleep, named)).status, 200);
});

test('whatever the container answers that is not 200 is 424, with its body and what it was', async () => {
  await using surface = await startSurface({ frontend });
  const json: WireRequest['headers'] = [['Content-Type', 'application/json'], ...keyed];
  const failing = [
    [{ method: 'POST', target: '/score', headers: json, body: Buffer.from('{}') }, '400', /'input_data'/],
    [
      { method: 'POST', target: '/score', headers: json, body: Buffer.from('{"input_data": 1}') },
      '500',
      /scoring script/,
    ],
    [{ method: 'POST', target: '/score', headers: keyed, body: Buffer.from('{}') }, '415', /application\/json/],
    [{ method: 'GET', target: '/nothing', headers: keyed }, '404', /not found/],
    [{ method: 'DELETE', target: '/score', headers: keyed }, '405', /not allowed/],
  ] as const;
  for (const [request, status, message] of failing) {
    const answer = await ask(surface, request);
    assert.equal(answer.status, 424);
    assert.equal(answer.headers['ms-azureml-model-error-statuscode'], status);
    assert.equal(answer.headers['ms-azureml-model-error-reason'], 'model_error');
    assert.match(answer.headers['ms-azureml-model-time'] ?? '', /^\d+$/);
    assert.match(JSON.parse(answer.body).message, message);
  }
});

/** Sends one that stays in flight, and waits until its jobs are in the queue. */
async function occupy(surface: TestSurface, request: WireRequest): Promise<void> {
  const before = await queues.interactive.caption.producer.depth();
  ask(surface, request).catch(() => undefined);
  await waitFor(
    'the request to be in flight',
    10_000,
    async () => (await queues.interactive.caption.producer.depth()) > before,
  );
}

test('more requests than may be in flight are refused at once, and probes are not', async () => {
  await using endpoint = await startSurface({ frontend, maxInFlight: 1 });
  await occupy(endpoint, score());
  const refused = await ask(endpoint, score());
  assert.equal(refused.status, 429);
  assert.equal(refused.body, '');
  assert.equal(refused.headers['ms-azureml-model-error-reason'], 'too_many_pending_request');
  assert.equal(refused.headers['content-type'], 'text/plain');
  assert.equal((await ask(endpoint, health())).status, 200);

  await using container = await startSurface({ maxInFlight: 1 });
  await occupy(container, score());
  const busy = await ask(container, score());
  assert.equal(busy.status, 429);
  assert.equal(busy.headers['retry-after'], '1');
  assert.match(JSON.parse(busy.body).message, /^QUEUE_FULL/);
  assert.equal((await ask(container, health())).status, 200);
});

test('what ran out of time makes room for the next', async () => {
  await using surface = await startSurface({ frontend: { ...frontend, requestTimeoutMs: 200 }, maxInFlight: 1 });
  assert.equal((await ask(surface, score())).status, 408);
  await waitFor('room', 5_000, async () => (await ask(surface, score())).status === 408);
});

test('time runs out in the container as 500 with the words of the original, at the front end as 408', async () => {
  await using container = await startSurface({ scoring: { timeoutMs: 250 } });
  const late = await ask(container, score());
  assert.equal(late.status, 500);
  assert.equal(late.body, '{"message": "Scoring timeout after 250 ms"}');
  assert.equal(late.headers['x-ms-run-function-failed'], 'True');
  await using endpoint = await startSurface({ frontend: { ...frontend, requestTimeoutMs: 250 } });
  assert.equal((await ask(endpoint, score())).status, 408);
});

test('a mirror gets a copy, and nobody waits for what it says', async () => {
  const mirror = { name: 'green', percent: 10 };
  const points = [0, 0.05, 0, 0.5];
  await using surface = await startSurface({
    frontend: { ...frontend, mirror, random: () => points.shift() ?? 0, requestTimeoutMs: 1_000 },
  });
  const depth = () => queues.interactive.caption.producer.depth();
  const start = await depth();
  const jobsBeside = async (jobs: number) => {
    const answered = ask(surface, score(2));
    await waitFor(`${jobs} jobs`, 900, async () => (await depth()) === start + jobs);
    assert.equal((await answered).status, 408);
    await waitFor('the jobs to be withdrawn', 5_000, async () => (await depth()) === start);
  };
  await jobsBeside(4);
  await jobsBeside(2);
});

test('what the fleet has no room for is refused before anything is stored', async () => {
  await using surface = await startSurface({});
  const depth = await queues.interactive.caption.producer.depth();
  const { status, headers, body } = await ask(surface, score(101));
  assert.equal(status, 429);
  assert.equal(headers['retry-after'], '2');
  assert.equal(headers['x-ms-run-function-failed'], 'False');
  assert.match(JSON.parse(body).message, /^QUEUE_FULL: 101 rows/);
  assert.equal(await queues.interactive.caption.producer.depth(), depth);
});

test('a body over the limit is refused by its length, before it is sent', async () => {
  await using surface = await startSurface({});
  const headers = [
    ['Content-Type', 'application/json'],
    ['Content-Length', String(100 * 1024 * 1024 + 1)],
  ] as const;
  const { status, body } = await ask(surface, { method: 'POST', target: '/score', headers });
  assert.equal(status, 413);
  assert.match(JSON.parse(body).message, /exceeds the capacity limit/);
});

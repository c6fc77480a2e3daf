// Who may call: each route of the OpenAPI document without a key, with a key that lacks its scope, and with another tenant's.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOfKey, makeApiKey } from '@captionfleet/protocol/api-key';
import { type ErrorCode, errorTable } from '@captionfleet/protocol/errors';
import { ProblemSchema } from '@captionfleet/protocol/problem';
import { type Scope, scopes } from '@captionfleet/protocol/scope';
import type { Tenant } from '@captionfleet/protocol/tenant';
import { openDeliveryQueue } from '@captionfleet/queue/delivery-queue';
import { openRateLimits, type RateLimits } from '@captionfleet/queue/rate-limits';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openBulkStore } from '@captionfleet/storage/bulk-store';
import { type KeyStore, openKeyStore } from '@captionfleet/storage/key-store';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { openWebhookSender } from '@captionfleet/storage/webhook-sender';
import { openWebhookStore } from '@captionfleet/storage/webhook-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { startAzurite } from '../../../test/support/azurite.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { openAccess } from './access.ts';
import { ApiKeys } from './api-keys.ts';
import { publicPaths } from './guarded-routes.ts';
import { OpenAiErrorSchema } from './openai-contract.ts';
import { newRequestId } from './request-id.ts';
import { buildServer, type ServerConfig } from './server.ts';
import { openTaskQueues } from './task-queues.ts';
import { batchParts } from './test-api.ts';
import { openWebhooks } from './webhooks.ts';

const images = [{ base64: Buffer.from('the bytes of an image').toString('base64') }];

/** A request that an operation takes. */
interface Sample {
  readonly payload?: object | string;
  readonly type?: string;
  /** The operation that makes what the field of this name in the payload names. */
  readonly needs?: readonly [field: string, operation: string];
  /** The operation that makes the resource that its `{id}` names. */
  readonly of?: string;
  /** The operation that ends the resource first: without that it would not answer before its end. */
  readonly endedBy?: string;
  /** It makes the resource at its `{id}` itself. */
  readonly creates?: boolean;
  /** The operation that makes what it lists. */
  readonly lists?: string;
}

interface Asked {
  readonly images: readonly object[];
  readonly [what: string]: unknown;
}

const asked: Readonly<Record<string, Asked>> = {
  Captions: { images },
  Matches: { images, texts: ['a cat'] },
  Embeddings: { images },
  Answers: { images, questions: ['what is it?'] },
};

/** The same asked of many. */
function bulkOf({ images, ...rest }: Asked): object {
  return { ...rest, items: images.map((image) => ({ image })) };
}
const webhook = { url: 'https://hooks.example.org/' };

/** By the operations of the OpenAPI document. A route that is not here fails the tests below. */
const samples: Readonly<Record<string, Sample>> = {
  ...Object.fromEntries(
    Object.entries(asked).flatMap(([what, payload]): [string, Sample][] => [
      [`create${what}`, { payload }],
      [`put${what}`, { payload, creates: true }],
      [`createBulk${what}`, { payload: bulkOf(payload) }],
      [`get${what}`, { of: `create${what}` }],
      [`cancel${what}`, { of: `create${what}` }],
      [`stream${what}`, { of: `create${what}`, endedBy: `cancel${what}` }],
      [`list${what}`, { lists: `create${what}` }],
    ]),
  ),
  getBulk: { of: 'createBulkCaptions' },
  getBulkResults: { of: 'createBulkCaptions' },
  cancelBulk: { of: 'createBulkCaptions' },
  listModels: {},
  getInfo: {},
  createWebhook: { payload: webhook },
  listWebhooks: { lists: 'createWebhook' },
  getWebhook: { of: 'createWebhook' },
  rotateWebhookSecret: { of: 'createWebhook' },
  enableWebhook: { of: 'createWebhook' },
  listWebhookMessages: { of: 'createWebhook' },
  replayWebhook: { of: 'createWebhook', payload: { since: '2026-01-01T00:00:00Z' } },
  deleteWebhook: { of: 'createWebhook' },
  createFile: {
    type: 'multipart/form-data; boundary=x',
    payload: [
      '--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n',
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{}\r\n--x--\r\n',
    ].join(''),
  },
  listFiles: { lists: 'createFile' },
  getFile: { of: 'createFile' },
  getFileContent: { of: 'createFile' },
  deleteFile: { of: 'createFile' },
  createBatch: {
    payload: { endpoint: '/v1/captions', completion_window: '24h' },
    needs: ['input_file_id', 'createFile'],
  },
  listBatches: { lists: 'createBatch' },
  getBatch: { of: 'createBatch' },
  cancelBatch: { of: 'createBatch' },
  analyzeImage: { payload: { url: 'https://images.example.org/a.jpg' } },
};

interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly scope: Scope | undefined;
}

const parts = new AsyncDisposableStack();
const logged: string[] = [];
let app: FastifyInstance;
let config: ServerConfig;
let store: KeyStore;
let limits: RateLimits;
let operations: readonly Operation[];

before(async () => {
  const redis = parts.use(await startRedis());
  const { connectionString } = parts.use(await startAzurite());
  const blobs = await openBlobStore({ connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  store = openKeyStore(blobs);
  const queuePrefix = `{${randomUUID()}}`;
  limits = parts.use(await openRateLimits(redis.url, queuePrefix));
  const fleet = { redisUrl: redis.url, queuePrefix, pool: 'cpu', maxWaiting: 1_000, fair: true } as const;
  const queues = await openTaskQueues(fleet, parts);
  const logger = createLogger({
    name: 'api',
    level: 'trace',
    destination: { write: (line) => void logged.push(line) },
  });
  const metrics = createApiMetrics();
  const requests = openRequestStore(blobs);
  const deliveries = parts.use(await openDeliveryQueue({ redisUrl: redis.url, prefix: queuePrefix }));
  const sender = parts.use(openWebhookSender());
  const webhookStore = openWebhookStore(blobs);
  const webhooks = parts.use(
    openWebhooks({ store: webhookStore, requests, queues, deliveries, sender, metrics, logger }),
  );
  config = {
    webhooks,
    access: openAccess({ keys: new ApiKeys(store), entra: undefined, requests: undefined, images: undefined }),
    requests,
    bulk: (tenant) => openBulkStore(blobs, tenant),
    ...batchParts(blobs),
    queues,
    tasks: ['caption', 'match', 'answer'],
    maxWaiters: 10,
    publicUrl: undefined,
    checks: {},
    metrics,
    logger,
  };
  app = await buildServer(config);
  parts.defer(() => app.close());
  operations = await readOperations();
});
after(() => parts.disposeAsync());

async function readOperations(): Promise<Operation[]> {
  const { paths } = (await app.inject('/openapi.json')).json();
  return Object.entries<Record<string, { operationId: string; security: { bearer: Scope[] }[] }>>(paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, security }]) => ({
        id: operationId,
        method: method.toUpperCase() as Operation['method'],
        path,
        scope: security[0]?.bearer[0],
      })),
  );
}

const guarded = (): readonly Operation[] => operations.filter(({ path }) => !publicPaths.has(path));

async function newKey(tenant: Tenant, granted: readonly Scope[] = scopes, expiresAt?: string): Promise<string> {
  const key = makeApiKey('test');
  await store.create({
    version: 1,
    id: key.id,
    sha256: digestOfKey(key).toString('hex'),
    tenant,
    scopes: [...granted],
    createdAt: new Date().toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  return key.text;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function call(
  { id, method, path }: Operation,
  headers: Record<string, string>,
  resource = '0'.repeat(26),
): Promise<Answer> {
  const sample = samples[id];
  assert.ok(sample !== undefined, `${method} ${path} has no sample in access.test.ts`);
  const { type, needs, payload } = sample;
  const request: InjectOptions = { method, url: path.replace('{id}', resource), headers };
  if (payload === undefined) return app.inject(request);
  const typed = type === undefined ? headers : { ...headers, 'content-type': type };
  if (typeof payload === 'string' || needs === undefined) return app.inject({ ...request, headers: typed, payload });
  const [field, maker] = needs;
  const made: Answer = await call(makerOf(maker), headers);
  return app.inject({ ...request, payload: { ...payload, [field]: made.json().id ?? 'none' } });
}
type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

function assertProblem(answer: Answer, code: ErrorCode, what: string): void {
  assert.equal(answer.statusCode, errorTable[code].status, `${what}: ${answer.body}`);
  // Other surfaces have other forms.
  if (/File|Batch/.test(what)) assert.equal(OpenAiErrorSchema.parse(answer.json()).error.code, code, what);
  else if (what !== 'analyzeImage') assert.equal(ProblemSchema.parse(answer.json()).code, code, what);
}

const messageOf = (answer: Answer): string => answer.json().detail ?? answer.json().error.message;

test('every route has a sample, and every sample a route', () => {
  assert.deepEqual(
    guarded()
      .map(({ id }) => id)
      .sort(),
    Object.keys(samples).sort(),
  );
});

test('no route but the public ones answers without a key, and each says how to show one', async () => {
  for (const operation of guarded()) {
    const answer = await call(operation, {});
    assertProblem(answer, 'UNAUTHENTICATED', operation.id);
    assert.equal(answer.headers['www-authenticate'], 'Bearer', operation.id);
  }
  for (const path of publicPaths) assert.equal((await app.inject(path)).statusCode, 200, path);
});

test('a key without the scope of a route is 403, with the name of the scope', async () => {
  for (const operation of guarded()) {
    const { scope } = operation;
    assert.ok(scope !== undefined, `${operation.id} names no scope`);
    const others = scopes.filter((other) => other !== scope);
    const answer = await call(operation, bearer(await newKey('acme', others)));
    assertProblem(answer, 'FORBIDDEN', operation.id);
    assert.equal(answer.headers['www-authenticate'], `Bearer error="insufficient_scope", scope="${scope}"`);
  }
});

/** An id in the form of the resource's, of which there is none. */
const absentOf = ({ path }: Operation): string =>
  path.startsWith('/v1/webhooks/') ? `we_${'0'.repeat(26)}` : '0'.repeat(26);

const makerOf = (id: string | undefined): Operation => {
  const maker = operations.find((operation) => operation.id === id);
  assert.ok(maker !== undefined, `${id} is no operation`);
  return maker;
};

test("another tenant's resources are 404 on every route, as those that do not exist", async () => {
  const [own, foreign] = [bearer(await newKey('acme')), bearer(await newKey('globex'))];
  for (const operation of guarded().filter(({ path }) => path.includes('{'))) {
    if (samples[operation.id]?.creates) continue;
    const maker = makerOf(samples[operation.id]?.of);
    const { id } = (await call(maker, own)).json();
    assert.ok(id !== undefined, maker.id);
    const endedBy = samples[operation.id]?.endedBy;
    if (endedBy !== undefined) await call(makerOf(endedBy), own, id);
    const [theirs, none] = [await call(operation, foreign, id), await call(operation, foreign, absentOf(operation))];
    assert.ok([200, 202, 204].includes((await call(operation, own, id)).statusCode), operation.id);
    assertProblem(theirs, 'NOT_FOUND', operation.id);
    assert.equal(messageOf(theirs), messageOf(none), operation.id);
  }
});

test('two tenants may choose the same id, and neither meets the other', async () => {
  const [own, foreign] = [bearer(await newKey('acme')), bearer(await newKey('globex'))];
  const id = newRequestId();
  for (const operation of guarded().filter((operation) => samples[operation.id]?.creates)) {
    const tenants = [own, foreign];
    for (const tenant of tenants) {
      const answer = await call(operation, tenant, id);
      // The id stands for one request of a tenant, which the first operation made.
      assert.ok([202, 409].includes(answer.statusCode), `${operation.id}: ${answer.body}`);
      assert.equal(answer.headers['idempotent-replayed'], undefined, operation.id);
    }
  }
});

test("no list holds what is another tenant's", async () => {
  const [own, foreign] = [bearer(await newKey('initrode')), bearer(await newKey('hooli'))];
  for (const operation of guarded().filter(({ id }) => samples[id]?.lists !== undefined)) {
    const { id } = (await call(makerOf(samples[operation.id]?.lists), own)).json();
    const [mine, theirs] = [await call(operation, own), await call(operation, foreign)];
    assert.ok(mine.body.includes(id), `${operation.id}: ${mine.body}`);
    const { requests, data } = theirs.json();
    assert.deepEqual(requests ?? data, [], operation.id);
  }
});

test('a route that declares no scope is refused when it is added, and HEAD asks for what GET asks', async () => {
  const other = await buildServer(config);
  assert.throws(() => other.get('/v1/forgotten', async () => 'open'), {
    message: /GET \/v1\/forgotten declares no scope/,
  });
  await other.close();
  assert.equal((await app.inject({ method: 'HEAD', url: '/v1/captions' })).statusCode, 401);
});

test('a key is taken from Authorization or X-Api-Key; what is none is 401', async () => {
  const key = await newKey('acme');
  const get = (headers: Record<string, string>) => app.inject({ url: `/v1/captions/${'0'.repeat(26)}`, headers });
  for (const headers of [bearer(key), { authorization: `bearer  ${key} ` }, { 'x-api-key': key }]) {
    assertProblem(await get(headers), 'NOT_FOUND', JSON.stringify(Object.keys(headers)));
  }
  const unknown = makeApiKey('test').text;
  const otherSecret = makeApiKey('test').text.replace(/^(cap_test_)\w{11}/, `$1${key.slice(9, 20)}`);
  const wrong = ['', 'cap_', key.slice(0, -1), `${key}0`, unknown, otherSecret, 'a.b.c', 'x'.repeat(8_000)];
  for (const credential of wrong) {
    const answer = await get(bearer(credential));
    assertProblem(answer, 'UNAUTHENTICATED', credential.slice(0, 80));
    assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"');
    assert.ok(!answer.body.includes(credential) || credential === '');
  }
  assertProblem(
    await get({ authorization: `Basic ${Buffer.from(key).toString('base64')}` }),
    'UNAUTHENTICATED',
    'Basic',
  );
});

test('an expired key is 401 and says so, and a revoked one is within seconds', async () => {
  const get = async (key: string) => await app.inject({ url: `/v1/captions/${'0'.repeat(26)}`, headers: bearer(key) });
  const expired = await get(await newKey('acme', scopes, '2026-01-01T00:00:00.000Z'));
  assertProblem(expired, 'UNAUTHENTICATED', 'expired');
  assert.match(expired.json().detail, /expired at 2026-01-01/);

  const key = await newKey('acme');
  assert.equal((await get(key)).statusCode, 404);
  await store.revoke(key.slice(9, 20));
  const since = performance.now();
  while ((await get(key)).statusCode !== 401) {
    assert.ok(performance.now() - since < 10_000, 'the revocation is not seen');
    await delay(50);
  }
  assert.match((await get(key)).json().detail, /revoked/);
});

test('the day of its use is noted', async () => {
  const key = await newKey('acme');
  const id = key.slice(9, 20);
  await app.inject({ url: `/v1/captions/${'0'.repeat(26)}`, headers: bearer(key) });
  const deadline = Date.now() + 10_000;
  for (;;) {
    const lastUsed = (await store.list()).find(({ record }) => record.id === id)?.lastUsed;
    if (lastUsed !== undefined) break;
    assert.ok(Date.now() < deadline, 'the use is not noted');
    await delay(50);
  }
});

test('a flood of made-up keys is looked up a few at a time', async () => {
  const url = `/v1/captions/${'0'.repeat(26)}`;
  const flood = Array.from({ length: 200 }, () => app.inject({ url, headers: bearer(makeApiKey('test').text) }));
  const codes = new Set((await Promise.all(flood)).map((answer) => answer.json().code));
  assert.deepEqual(codes, new Set(['UNAUTHENTICATED', 'RATE_LIMITED']));
});

test('while Blob storage is away no key is believed, and the caller may come again', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const away = await openBlobStore({
    connectionString: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:${port}/a;`,
    container: 'fleet',
    limits: { tries: 1, tryMs: 1_000, totalMs: 1_000, firstPauseMs: 0 },
  });
  const keys = new ApiKeys(openKeyStore(away));
  const access = openAccess({ keys, entra: undefined, requests: undefined, images: undefined });
  const cutOff = await buildServer({ ...config, access });
  const url = `/v1/captions/${'0'.repeat(26)}`;
  const answer = await cutOff.inject({ url, headers: bearer(await newKey('acme')) });
  assertProblem(answer, 'STORAGE_UNAVAILABLE', 'a good key');
  assert.ok(Number(answer.headers['retry-after']) > 0);
  // What is no key is known without a look.
  assertProblem(await cutOff.inject({ url, headers: bearer('cap_test_x') }), 'UNAUTHENTICATED', 'a bad key');
  await cutOff.close();
});

test('a caller without a key is answered before its body has arrived', async () => {
  const listening = await buildServer(config);
  await listening.listen({ host: '127.0.0.1', port: 0 });
  const { port } = listening.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'POST /v1/captions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n{',
  );
  try {
    assert.match(await text(socket), /^HTTP\/1\.1 401 /);
  } finally {
    await listening.close();
  }
});

test('a caller over its limit is 429 with the time to wait, and others are not', async () => {
  const limited = await buildServer({
    ...config,
    access: openAccess({
      keys: new ApiKeys(store),
      entra: undefined,
      requests: limits.limiter({ unit: 'requests', limit: 3, seconds: 60 }),
      images: limits.limiter({ unit: 'images', limit: 100, seconds: 60 }),
    }),
  });
  parts.defer(() => limited.close());
  const get = (key: string) => limited.inject({ url: `/v1/captions/${'0'.repeat(26)}`, headers: bearer(key) });
  const key = await newKey('initech');
  const first = await get(key);
  assert.equal(first.headers['ratelimit-policy'], '"requests";q=3;w=60');
  assert.match(String(first.headers['ratelimit']), /^"requests";r=2;t=(?:[1-9]|[1-5]\d|60)$/);
  for (let left = 0; left < 2; left += 1) assert.equal((await get(key)).statusCode, 404);
  const refused = await get(key);
  assertProblem(refused, 'RATE_LIMITED', 'the fourth');
  assert.match(String(refused.headers['retry-after']), /^(?:[1-9]|[1-5]\d|60)$/);
  assert.match(String(refused.headers['ratelimit']), /^"requests";r=0;t=/);
  assert.equal((await get(await newKey('initech'))).statusCode, 404);

  // Images are the tenant's, with whatever key they come.
  const post = async (count: number) => {
    const payload = { images: Array(count).fill(images[0]) };
    return await limited.inject({
      method: 'POST',
      url: '/v1/captions',
      headers: bearer(await newKey('umbrella')),
      payload,
    });
  };
  assert.equal((await post(64)).statusCode, 202);
  assertProblem(await post(64), 'RATE_LIMITED', 'the 128th image');
  assert.equal((await post(36)).statusCode, 202);
});

test('no key that was shown, in whatever way, is in the log', async () => {
  const key = await newKey('acme');
  const cutOff = key.slice(0, -3);
  const url = `/v1/captions/${'0'.repeat(26)}`;
  for (const canary of [key, cutOff]) {
    await app.inject({ url, headers: bearer(canary) });
    await app.inject({ url, headers: { authorization: canary } });
    await app.inject({ url, headers: { 'x-api-key': canary } });
    await app.inject({ url, headers: { 'ocp-apim-subscription-key': canary } });
    await app.inject({ url: `${url}?key=${canary}`, headers: { 'x-request-id': canary } });
    await app.inject({ url: `/nothing/${canary}` });
    app.log.info({ headers: { 'ocp-apim-subscription-key': canary }, text: `the key ${canary}` }, canary);
  }
  const lines = logged.join('');
  assert.ok(lines.includes(key.slice(9, 20)), 'the id of the key is logged');
  assert.ok(
    !lines.includes(key.slice(30, 60)),
    logged.find((line) => line.includes(key.slice(30, 60))),
  );
});

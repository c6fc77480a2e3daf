// Azure's Image Analysis on a real queue and a real Blob storage; what is asked of it wrongly, and what goes wrong.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError, type ErrorCode, errorTable } from '@captionfleet/protocol/errors';
import type { ImageJob } from '@captionfleet/protocol/image-job';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { queueName } from '@captionfleet/protocol/queue-names';
import { type Consumer, openConsumer } from '@captionfleet/queue/consumer';
import type { JobProducer } from '@captionfleet/queue/producer';
import { type BlobStore, openBlobStore } from '@captionfleet/storage/blob-store';
import { openBulkStore } from '@captionfleet/storage/bulk-store';
import { openRequestStore, type RequestStore } from '@captionfleet/storage/request-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { startAzurite } from '../../../test/support/azurite.ts';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { openToAnyone } from './access.ts';
import { anyone } from './principal.ts';
import { buildServer, type ServerConfig } from './server.ts';
import { openTaskQueues } from './task-queues.ts';
import { batchParts } from './test-api.ts';
import { VisionErrorSchema, VisionResultSchema, visionLimits, visionPath } from './vision-contract.ts';
import { visionKeyOf } from './vision-routes.ts';

const query = 'api-version=2023-10-01&features=caption';
const route = `${visionPath}?${query}`;
const picture = Buffer.from('the bytes of an image');

const shared = new AsyncDisposableStack();
let redis: TestRedis;
let blobs: BlobStore;
let requests: RequestStore;
/** Each test has queues of its own. */
let queuePrefix: string;

before(async () => {
  redis = shared.use(await startRedis());
  const { connectionString } = shared.use(await startAzurite());
  blobs = await openBlobStore({ connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  requests = openRequestStore(blobs);
});
after(() => shared.disposeAsync());
beforeEach(() => {
  queuePrefix = `{${randomUUID()}}`;
});

interface TestApi extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly producer: JobProducer;
  post(url: string, body?: Buffer | object | string, headers?: Record<string, string>): Promise<Answer>;
}
type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

async function startApi(
  change: Partial<ServerConfig> & { redisUrl?: string; maxWaiting?: number } = {},
): Promise<TestApi> {
  const { redisUrl = redis.url, maxWaiting = 100, ...config } = change;
  const parts = new AsyncDisposableStack();
  const fleet = { redisUrl, queuePrefix, pool: 'cpu', maxWaiting } as const;
  const queues = await openTaskQueues(fleet, parts);
  const { producer } = queues.interactive.caption;
  const app = await buildServer({
    access: openToAnyone,
    requests,
    bulk: (tenant) => openBulkStore(blobs, tenant),
    ...batchParts(blobs),
    queues,
    tasks: ['caption'],
    maxWaiters: 10,
    publicUrl: undefined,
    checks: {},
    metrics: createApiMetrics(),
    logger: createLogger({ name: 'api', level: 'silent' }),
    visionAnswerSeconds: 20,
    ...config,
  });
  parts.defer(() => app.close());
  return {
    app,
    producer,
    post: (url, body, headers = {}) =>
      app.inject({
        method: 'POST',
        url,
        headers: {
          'content-type': body instanceof Buffer ? 'application/octet-stream' : 'application/json',
          ...headers,
        },
        ...(body === undefined ? {} : { payload: body }),
      }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

const captioned: ImageOutcome = {
  status: 'succeeded',
  captions: [{ text: 'a man on a horse', tokens: [1, 2], confidence: 0.5, meanLogProbability: Math.log(0.5) }],
  image: { width: 640, height: 480, format: 'png', sha256: 'ab'.repeat(32) },
  model: { id: 'demo', revision: '7', variant: 'fp32' },
  timings: { fetchMs: 1, preprocessMs: 2, inferenceMs: 3 },
};
const failed = (code: ErrorCode, message = 'why it failed'): ImageOutcome => ({
  status: 'failed',
  error: { code, message, retryable: errorTable[code].retryable },
});

/** Takes jobs from the queue and writes an outcome for each, as a worker does. */
const startWorker = (outcomeOf: (job: ImageJob) => ImageOutcome | Promise<ImageOutcome>): Promise<Consumer> =>
  openConsumer(
    {
      redisUrl: redis.url,
      queue: queueName('interactive', 'cpu', 'caption'),
      prefix: queuePrefix,
      concurrency: 8,
      attempts: 1,
    },
    async ({ job }) => {
      await requests.writeOutcome(job.requestId, job.index, await outcomeOf(job));
    },
  );

/** Checks that an answer is an error in Azure's form, and returns it. */
function errorOf(answer: Answer, status: number, code: string, inner?: string, what = answer.body) {
  assert.equal(answer.statusCode, status, `${what}: ${answer.body}`);
  assert.match(String(answer.headers['content-type']), /^application\/json\b/, what);
  const { error } = VisionErrorSchema.parse(answer.json());
  assert.equal(error.code, code, what);
  assert.equal(answer.headers['x-ms-error-code'], code, what);
  assert.equal(error.innererror?.code, inner, what);
  assert.match(error.message, /^.+$/, what);
  assert.equal(answer.headers['apim-request-id'], answer.headers['x-request-id'], what);
  return error;
}

test('bytes and a URL become a caption with its confidence, model and size', async () => {
  await using api = await startApi();
  const sources: ImageJob['source'][] = [];
  await using _ = await startWorker(({ source }) => {
    sources.push(source);
    return captioned;
  });
  const url = 'https://images.example.org/a.jpg?sig=x';
  for (const [path, body] of [
    [route, picture],
    [route, { url, more: { than: 'asked' } }],
    [route.replace(':', '%3A'), { url }],
    [route.replace(':', '%3a'), { url }],
    [`${route}&language=en&gender-neutral-caption=false&model-version=latest&key1=value1`, { url }],
    [`${visionPath}?${query.replace('caption', 'Caption%2Ccaption')}`, { url }],
  ] as const) {
    const answer = await api.post(path, body);
    assert.equal(answer.statusCode, 200, `${path}: ${answer.body}`);
    assert.deepEqual(answer.json(), {
      modelVersion: 'demo@7',
      captionResult: { text: 'a man on a horse', confidence: 0.5 },
      metadata: { width: 640, height: 480 },
    });
    assert.match(String(answer.headers['content-type']), /^application\/json\b/);
    assert.equal(answer.headers['apim-request-id'], answer.headers['x-request-id']);
    assert.equal(answer.headers['api-supported-versions'], '2023-10-01,2024-02-01');
    assert.match(String(answer.headers['x-envoy-upstream-service-time']), /^\d+$/);
  }
  const name = `images/${createHash('sha256').update(picture).digest('hex')}`;
  assert.deepEqual(sources[0], { blob: { container: 'fleet', name } });
  assert.deepEqual(sources.slice(1), Array(5).fill({ url }));
  assert.deepEqual(await blobs.read(name, { maxBytes: 100 }), picture);
});

test('gender-neutral-caption changes the words and nothing else', async () => {
  await using api = await startApi();
  await using _ = await startWorker(() => captioned);
  const { captionResult } = VisionResultSchema.parse(
    (await api.post(`${route}&gender-neutral-caption=true`, picture)).json(),
  );
  assert.deepEqual(captionResult, { text: 'a person on a horse', confidence: 0.5 });
});

test('a query that asks for something else is refused before the body is looked at', async () => {
  await using api = await startApi();
  const wrong: readonly (readonly [query: string, code: string, inner?: string])[] = [
    ['features=caption', 'MissingApiVersionParameter'],
    ['api-version=2019-01-01&features=caption', 'UnsupportedApiVersionValue'],
    ['api-version=2023-10-01', 'InvalidRequest', 'BadArgument'],
    ['api-version=2023-10-01&features=', 'InvalidRequest', 'BadArgument'],
    ['api-version=2023-10-01&features=cats', 'InvalidRequest', 'NotSupportedVisualFeature'],
    ['api-version=2023-10-01&features=caption,denseCaptions', 'InvalidRequest', 'NotSupportedVisualFeature'],
    ['api-version=2023-10-01&features=tags&features=caption', 'InvalidRequest', 'NotSupportedVisualFeature'],
    [`${query}&language=fr`, 'InvalidRequest', 'NotSupportedLanguage'],
    [`${query}&language=en&language=en`, 'InvalidRequest', 'BadArgument'],
    [`${query}&gender-neutral-caption=maybe`, 'InvalidRequest', 'BadArgument'],
    [`${query}&model-version=2023-10-01`, 'InvalidRequest', 'InvalidModel'],
    [`${query}&model-version=1`, 'InvalidRequest', 'BadArgument'],
    [`${query}&model-version=%00%0d%0ax-evil:1`, 'InvalidRequest', 'BadArgument'],
    [`${query}&${'language=en&'.repeat(1_000)}`, 'InvalidRequest', 'BadArgument'],
    [`${query},${'caption,'.repeat(1_000)}`, 'InvalidRequest', 'NotSupportedVisualFeature'],
    ['', 'MissingApiVersionParameter'],
  ];
  for (const [search, code, inner] of wrong) {
    errorOf(await api.post(`${visionPath}?${search}`, 'this is no JSON'), 400, code, inner, search.slice(0, 100));
  }
  assert.equal(await api.producer.depth(), 0);
});

test('a body that is no image and no url is refused in Azure’s words', async () => {
  await using api = await startApi();
  const wrong: readonly (readonly [
    body: Buffer | object | string | undefined,
    inner: string | undefined,
    words: RegExp,
  ])[] = [
    [Buffer.alloc(0), undefined, /^The image size is not allowed to be zero or larger than 20971520 bytes\.$/],
    [Buffer.alloc(visionLimits.imageBytes + 1), undefined, /^The image size is not allowed/],
    [undefined, 'BadArgument', /empty/],
    ['', 'BadArgument', /empty/],
    ['this is no JSON', 'BadArgument', /not JSON/],
    ['{"url":', 'BadArgument', /not JSON/],
    ['"https://images.example.org/a.jpg"', 'BadArgument', /\{"url": "\.\.\."\}/],
    ['null', 'BadArgument', /\{"url": "\.\.\."\}/],
    [[], 'BadArgument', /\{"url": "\.\.\."\}/],
    [{}, 'BadArgument', /\{"url": "\.\.\."\}/],
    [{ uri: 'https://images.example.org/a.jpg' }, 'BadArgument', /\{"url": "\.\.\."\}/],
    [{ url: 7 }, 'BadArgument', /\{"url": "\.\.\."\}/],
    [{ url: '', padding: 'x'.repeat(visionLimits.jsonBytes) }, 'BadArgument', /65536 bytes/],
    [{ url: '' }, undefined, /^The provided image url is not accessible\. .*http or https/],
    [{ url: 'a.jpg' }, undefined, /^The provided image url is not accessible\./],
    [{ url: 'data:image/png;base64,AAAA' }, undefined, /^The provided image url is not accessible\. .*http or https/],
    [{ url: 'file:///etc/passwd' }, undefined, /^The provided image url is not accessible\. .*http or https/],
    [{ url: `https://images.example.org/${'a'.repeat(2_048)}` }, undefined, /^The provided .* at most 2048/],
  ];
  for (const [body, inner, words] of wrong) {
    const what = JSON.stringify(body)?.slice(0, 100);
    assert.match(errorOf(await api.post(route, body), 400, 'InvalidRequest', inner, what).message, words, what);
  }
  assert.equal(await api.producer.depth(), 0);
});

test('a request without a body has an image without bytes', async () => {
  await using api = await startApi();
  for (const headers of [{}, { 'content-type': 'application/octet-stream' }] as Record<string, string>[]) {
    const answer = await api.app.inject({ method: 'POST', url: route, headers });
    assert.match(errorOf(answer, 400, 'InvalidRequest').message, /zero/);
  }
});

test('another type of body is 415', async () => {
  await using api = await startApi();
  for (const type of [
    'multipart/form-data; boundary=x',
    'image/jpeg',
    'text/plain',
    'application/x-www-form-urlencoded',
    '*/*',
  ]) {
    const answer = await api.post(route, picture, { 'content-type': type });
    const { message } = errorOf(answer, 415, 'InvalidRequest', 'UnsupportedMediaType', type);
    assert.match(message, /application\/octet-stream.*application\/json/);
  }
  const compressed = await api.post(route, picture, { 'content-encoding': 'gzip' });
  assert.match(errorOf(compressed, 415, 'InvalidRequest', 'UnsupportedMediaType').message, /content-encoding/);
});

test('what Azure would not have taken is refused although the fleet captioned it', async () => {
  await using api = await startApi();
  let [width, height] = [0, 0];
  await using _ = await startWorker(() => ({ ...captioned, image: { width, height, format: 'png', sha256: 'ab' } }));
  for ([width, height] of [
    [49, 50],
    [640, 49],
    [16_001, 50],
    [50, 16_001],
  ] as const) {
    const { message } = errorOf(await api.post(route, picture), 400, 'InvalidRequest', 'InvalidImageSize');
    assert.equal(message, 'The image dimension is not allowed to be smaller than 50 and larger than 16000.');
  }
  for ([width, height] of [
    [50, 50],
    [16_000, 50],
  ] as const)
    assert.equal((await api.post(route, picture)).statusCode, 200);
});

test('what became of the image is told in Azure’s words', async () => {
  await using api = await startApi();
  let code: ErrorCode = 'INTERNAL';
  await using _ = await startWorker(() => failed(code));
  const url = { url: 'https://images.example.org/a.jpg' };
  const cases: readonly (readonly [
    ErrorCode,
    Buffer | object,
    status: number,
    code: string,
    inner: string | undefined,
    RegExp,
  ])[] = [
    ['IMAGE_FORMAT_UNKNOWN', picture, 400, 'InvalidRequest', 'InvalidImageFormat', /^Image format is not valid\.$/],
    ['IMAGE_CORRUPT', picture, 400, 'InvalidRequest', 'InvalidImageFormat', /^Image format is not valid\.$/],
    ['IMAGE_TOO_SMALL', picture, 400, 'InvalidRequest', 'InvalidImageSize', /^The image dimension/],
    ['IMAGE_TOO_MANY_PIXELS', url, 400, 'InvalidRequest', 'InvalidImageSize', /^The image dimension/],
    ['IMAGE_TOO_LARGE', url, 400, 'InvalidRequest', undefined, /^The image size/],
    ['IMAGE_EMPTY', url, 400, 'InvalidRequest', undefined, /^The image size/],
    ['IMAGE_QUARANTINED', picture, 400, 'InvalidRequest', 'NotSupportedImage', /^Why it failed\.$/],
    [
      'URL_REFUSED',
      url,
      400,
      'InvalidRequest',
      undefined,
      /^The provided image url is not accessible\. Why it failed\.$/,
    ],
    ['SOURCE_NOT_FOUND', url, 400, 'InvalidRequest', undefined, /^The provided image url is not accessible\./],
    ['SOURCE_UNAVAILABLE', url, 400, 'InvalidRequest', undefined, /^The provided image url is not accessible\./],
    ['SOURCE_UNAVAILABLE', picture, 503, 'ServiceUnavailable', undefined, /stored/],
    ['INFERENCE_FAILED', picture, 500, 'InternalServerError', undefined, /^Why it failed\.$/],
    ['ATTEMPTS_EXHAUSTED', picture, 500, 'InternalServerError', undefined, /^Why it failed\.$/],
  ];
  for (const [outcome, body, status, azure, inner, words] of cases) {
    code = outcome;
    const answer = await api.post(route, body);
    assert.match(errorOf(answer, status, azure, inner, outcome).message, words, outcome);
  }
});

test('with keys, both of Azure’s forms open the fleet and all else is 401', async () => {
  const authenticate = async (key: string | undefined) => {
    if (key === 'secret') return anyone;
    throw new CaptionfleetError('UNAUTHENTICATED', 'not a key');
  };
  await using api = await startApi({ access: { ...openToAnyone, authenticate } });
  await using _ = await startWorker(() => captioned);
  const opening = [
    { 'ocp-apim-subscription-key': 'secret' },
    { authorization: 'Bearer secret' },
    { authorization: 'bearer  secret' },
    { 'ocp-apim-subscription-key': 'secret', authorization: 'Bearer other' },
  ];
  for (const headers of opening) assert.equal((await api.post(route, picture, headers)).statusCode, 200);
  const closed = [
    {},
    { 'ocp-apim-subscription-key': 'other' },
    { 'ocp-apim-subscription-key': '' },
    { authorization: 'Bearer' },
    { authorization: 'Basic secret' },
  ];
  for (const headers of closed) {
    const { message } = errorOf(
      await api.post(route, picture, headers),
      401,
      '401',
      undefined,
      JSON.stringify(headers),
    );
    assert.match(message, /^Access denied due to invalid subscription key/);
  }
  assert.equal(visionKeyOf({}), undefined);
});

test('a full queue is 429 with Retry-After, and nothing is stored', async () => {
  await using api = await startApi({ maxWaiting: 0 });
  const answer = await api.post(route, Buffer.from('never stored'));
  const { message } = errorOf(answer, 429, '429');
  assert.equal(answer.headers['retry-after'], '1');
  assert.match(message, /Please retry after 1 seconds\.$/);
  assert.equal(
    (await blobs.list('images/', { limit: 100 })).includes(
      `images/${createHash('sha256').update('never stored').digest('hex')}`,
    ),
    false,
  );
});

test('of callers that come at once as many wait as may, and the others get 429', async () => {
  await using api = await startApi({ maxWaiters: 2 });
  const answers = Array.from({ length: 5 }, () => api.post(route, picture));
  let refused = 0;
  for (const answer of answers) {
    void answer.then(({ statusCode }) => {
      if (statusCode === 429) refused += 1;
    });
  }
  await waitFor('three refusals', async () => refused === 3);
  await using _ = await startWorker(() => captioned);
  const statuses = await Promise.all(answers);
  assert.deepEqual(statuses.map(({ statusCode }) => statusCode).sort(), [200, 200, 429, 429, 429]);
  const late = statuses.find(({ statusCode }) => statusCode === 429) ?? assert.fail();
  errorOf(late, 429, '429');
  assert.equal(late.headers['retry-after'], '2');
  assert.equal((await api.post(route, picture)).statusCode, 200);
});

test('an image that nobody captions in time is 503 with Retry-After, and leaves the queue', async () => {
  await using api = await startApi({ visionAnswerSeconds: 0.5 });
  const answer = await api.post(route, picture);
  assert.match(errorOf(answer, 503, 'ServiceUnavailable').message, /not captioned in 0\.5 seconds/);
  assert.match(String(answer.headers['retry-after']), /^\d+$/);
  assert.equal(await api.producer.depth(), 0);
});

test('an image whose caller goes away leaves the queue', async () => {
  await using api = await startApi();
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(api.app);
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `POST ${route} HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream`;
  socket.write(`${head}\r\ncontent-length: ${picture.length}\r\n\r\n`);
  socket.write(picture);
  await waitForDepth(api.producer, 1);
  socket.destroy();
  await waitForDepth(api.producer, 0);
});

test('a server that stops lets its callers go with 503', async () => {
  const api = await startApi();
  const answer = api.post(route, picture);
  await waitForDepth(api.producer, 1);
  await api[Symbol.asyncDispose]();
  errorOf(await answer, 503, 'ServiceUnavailable');
});

test('a chunked body without a length is taken, and refused when it grows beyond the limit', async () => {
  await using api = await startApi();
  await using _ = await startWorker(() => captioned);
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(api.app);
  const post = async (chunks: readonly Buffer[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    const answer = text(socket);
    socket.write(
      `POST ${route} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/octet-stream\r\n`,
    );
    socket.write('transfer-encoding: chunked\r\n\r\n');
    for (const chunk of chunks)
      socket.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
    socket.write('0\r\n\r\n');
    return await answer;
  };
  assert.match(await post([picture, picture]), /^HTTP\/1\.1 200 /);
  assert.match(await post([]), /^HTTP\/1\.1 400 .*The image size is not allowed/s);
  const mebibyte = Buffer.alloc(2 ** 20);
  assert.match(await post(Array(21).fill(mebibyte)), /^HTTP\/1\.1 400 .*The image size is not allowed/s);
});

test('a fleet without captions says so', async () => {
  await using api = await startApi({ tasks: ['match'] });
  errorOf(await api.post(route, picture), 400, 'InvalidRequest', 'NotSupportedVisualFeature');
});

test('parts that do not answer are 503', async () => {
  await using api = await startApi({ redisUrl: 'redis://127.0.0.1:1' });
  const answer = await api.post(route, picture);
  errorOf(answer, 503, 'ServiceUnavailable');
  assert.match(String(answer.headers['retry-after']), /^\d+$/);
});

test('other paths and methods under /computervision answer in Azure’s form too', async () => {
  await using api = await startApi();
  for (const url of [
    '/computervision',
    '/computervision/',
    '/computervision/imageanalysis',
    '/computervision/imageanalysis:segment',
    '/computervision/retrieval:vectorizeImage',
    `${visionPath}/x`,
  ]) {
    errorOf(await api.post(`${url}?${query}`, picture), 404, '404', undefined, url);
  }
  const answer = await api.app.inject({ method: 'GET', url: route });
  errorOf(answer, 405, '405');
  assert.equal(answer.headers['allow'], 'POST');
});

test('whatever a query or a body holds, the answer is an error in Azure’s form', async () => {
  await using api = await startApi();
  await using _ = await startWorker(() => failed('IMAGE_FORMAT_UNKNOWN'));
  const isRefusal = (answer: Answer): void => {
    errorOf(answer, 400, String(answer.headers['x-ms-error-code']), answer.json().error.innererror?.code);
  };
  await fc.assert(
    fc.asyncProperty(fc.webQueryParameters(), async (search) => {
      isRefusal(await api.post(`${visionPath}?${search}`, picture));
    }),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), async (body) => {
      isRefusal(await api.post(route, body));
    }),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (body) => isRefusal(await api.post(route, Buffer.from(body)))),
    { numRuns: 20 },
  );
});

const waitForDepth = (producer: JobProducer, wanted: number): Promise<void> =>
  waitFor(`${wanted} jobs in the queue`, async () => (await producer.depth()) === wanted);

async function waitFor(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await check())) {
    if (performance.now() > deadline) assert.fail(`waited 10 seconds for ${what}`);
    await delay(10);
  }
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

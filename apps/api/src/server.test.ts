// What callers send that is no good request, and what operators ask. The life of a request is in caption-routes.test.ts.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ErrorCode, errorTable } from '@captionfleet/protocol/errors';
import { ProblemSchema } from '@captionfleet/protocol/problem';
import type { JobProducer } from '@captionfleet/queue/producer';
import { type BlobStore, openBlobStore } from '@captionfleet/storage/blob-store';
import { openBulkStore } from '@captionfleet/storage/bulk-store';
import { openRequestStore } from '@captionfleet/storage/request-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import type { FastifyInstance } from 'fastify';
import { startAzurite } from '../../../test/support/azurite.ts';
import { startRedis } from '../../../test/support/redis.ts';
import { openToAnyone } from './access.ts';
import { buildServer, type ServerConfig } from './server.ts';
import { openTaskQueues } from './task-queues.ts';
import { batchParts } from './test-api.ts';

const image = { base64: Buffer.from('the bytes of an image').toString('base64') };

const parts = new AsyncDisposableStack();
let blobs: BlobStore;
let producer: JobProducer;
let app: FastifyInstance;
let config: ServerConfig;

before(async () => {
  const redis = parts.use(await startRedis());
  const { connectionString } = parts.use(await startAzurite());
  blobs = await openBlobStore({ connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  const fleet = { redisUrl: redis.url, queuePrefix: `{${randomUUID()}}`, pool: 'cpu' } as const;
  const queues = await openTaskQueues({ ...fleet, maxWaiting: 100 }, parts);
  producer = queues.interactive.caption.producer;
  config = {
    requests: openRequestStore(blobs),
    bulk: (tenant) => openBulkStore(blobs, tenant),
    ...batchParts(blobs),
    queues,
    tasks: ['caption', 'match'],
    maxWaiters: 10,
    publicUrl: undefined,
    access: openToAnyone,
    checks: { redis: (options) => producer.ping(options), blob: (options) => blobs.ping(options) },
    metrics: createApiMetrics(),
    logger: createLogger({ name: 'api', level: 'silent' }),
  };
  app = await buildServer(config);
  parts.defer(() => app.close());
});
after(() => parts.disposeAsync());

const postText = (payload: string | Buffer, contentType = 'application/json') =>
  app.inject({ method: 'POST', url: '/v1/captions', headers: { 'content-type': contentType }, payload });
const post = (body: unknown) => postText(JSON.stringify(body));

type Answer = Awaited<ReturnType<typeof post>>;

/** Checks that an answer is the problem of a code, with the table's status, and returns it. */
function problemOf(answer: Answer, code: ErrorCode, what?: string) {
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json\b/, what ?? answer.body);
  const problem = ProblemSchema.parse(answer.json());
  assert.equal(problem.code, code, `${what}: ${answer.body}`);
  assert.equal(answer.statusCode, errorTable[code].status, what);
  assert.equal(problem.status, answer.statusCode, what);
  assert.equal(problem.requestId, answer.headers['x-request-id'], what);
  return problem;
}

test('a body of another form is 400, with a pointer to what is wrong and the words for it', async () => {
  const wrong: readonly (readonly [body: unknown, code: ErrorCode, pointer: string, message: RegExp])[] = [
    [{}, 'REQUEST_INVALID', '/images', /^must be an array of 1 to 64 images$/],
    [[], 'REQUEST_INVALID', '', /object/],
    [null, 'REQUEST_INVALID', '', /object/],
    ['images', 'REQUEST_INVALID', '', /object/],
    [{ images: [] }, 'REQUEST_INVALID', '/images', /1/],
    [{ images: {} }, 'REQUEST_INVALID', '/images', /array/],
    [{ images: Array(65).fill(image) }, 'REQUEST_INVALID', '/images', /64/],
    [{ images: [image, null] }, 'REQUEST_INVALID', '/images/1', /"url".*"base64".*"blob"/],
    [{ images: [{}] }, 'REQUEST_INVALID', '/images/0', /"url".*"base64".*"blob"/],
    [{ images: [{ url: 1 }] }, 'REQUEST_INVALID', '/images/0', /"url"/],
    [{ images: [{ ...image, url: 'http://images.example.org/a.jpg' }] }, 'REQUEST_INVALID', '/images/0', /"url"/],
    [{ images: [{ blob: { container: 'a' } }] }, 'REQUEST_INVALID', '/images/0', /"container".*"name"/],
    [{ images: [image], image: 1 }, 'REQUEST_INVALID', '/image', /unknown field "image"/],
    [{ images: [image], 'a/b~c': 1 }, 'REQUEST_INVALID', '/a~1b~0c', /unknown field/],
    [{ images: [image], options: null }, 'OPTION_INVALID', '/options', /object/],
    [{ images: [image], options: { num_beam: 3 } }, 'OPTION_INVALID', '/options/num_beam', /did you mean num_beams\?/],
    [{ images: [image], options: { colour: 1 } }, 'OPTION_INVALID', '/options/colour', /unknown option "colour"$/],
    [{ images: [image], options: { num_beams: '3' } }, 'OPTION_INVALID', '/options/num_beams', /number/],
    [{ images: [image], options: { num_beams: 17 } }, 'OPTION_INVALID', '/options/num_beams', /16/],
    [{ images: [image], options: { num_beams: 1.5 } }, 'OPTION_INVALID', '/options/num_beams', /int/],
    [{ images: [image], options: { temperature: 0 } }, 'OPTION_INVALID', '/options/temperature', />0/],
    [
      { images: [image], options: { early_stopping: 'soon' } },
      'OPTION_INVALID',
      '/options/early_stopping',
      /true, false or "never"/,
    ],
    [
      { images: [image], options: { num_return_sequences: 3 } },
      'OPTION_INVALID',
      '/options/num_return_sequences',
      /num_beams 1/,
    ],
    [
      { images: [image], options: { do_sample: true, num_beams: 3 } },
      'OPTION_INVALID',
      '/options/do_sample',
      /num_beams/,
    ],
    [
      { images: [image], options: { min_length: 9, max_length: 8 } },
      'OPTION_INVALID',
      '/options/min_length',
      /max_length 8/,
    ],
  ];
  for (const [body, code, pointer, message] of wrong) {
    const what = JSON.stringify(body).slice(0, 100);
    const problem = problemOf(await post(body), code, what);
    const [error] = problem.errors ?? [];
    assert.equal(error?.pointer, pointer, what);
    assert.match(error?.message ?? '', message, what);
    assert.ok(problem.detail.includes(error?.message ?? '?'), what);
  }
});

test('texts and questions of another form are 400, each with its place', async () => {
  const long = 'a'.repeat(513);
  const wrong: readonly (readonly [path: string, body: object, code: ErrorCode, pointer: string, message: RegExp])[] = [
    ['match', {}, 'REQUEST_INVALID', '/texts', /array/],
    ['match', { texts: [] }, 'REQUEST_INVALID', '/texts', /at least one/],
    ['match', { texts: Array(65).fill('a') }, 'REQUEST_INVALID', '/texts', /at most 64/],
    ['match', { texts: ['a', ''] }, 'REQUEST_INVALID', '/texts/1', /must not be empty/],
    ['match', { texts: ['a'], options: {} }, 'REQUEST_INVALID', '/options', /unknown field "options"/],
    ['match', { texts: Array(9).fill('a'.repeat(500)) }, 'REQUEST_INVALID', '/texts', /4096 characters together/],
    ['embed', { texts: [long] }, 'REQUEST_INVALID', '/texts/0', /at most 512 characters/],
    ['answer', { questions: Array(17).fill('a') }, 'REQUEST_INVALID', '/questions', /at most 16/],
    [
      'answer',
      { questions: ['a'], options: { max_new_tokens: 33 } },
      'OPTION_INVALID',
      '/options/max_new_tokens',
      /32/,
    ],
    ['answer', { questions: 'a' }, 'REQUEST_INVALID', '/questions', /array/],
    [
      'answer',
      { questions: ['a'], options: { prompt: 'a' } },
      'OPTION_INVALID',
      '/options/prompt',
      /unknown option "prompt"$/,
    ],
  ];
  for (const [path, body, code, pointer, message] of wrong) {
    const payload = { images: [image], ...body };
    const problem = problemOf(await app.inject({ method: 'POST', url: `/v1/${path}`, payload }), code, path);
    assert.equal(problem.errors?.[0]?.pointer, pointer);
    assert.match(problem.errors?.[0]?.message ?? '', message);
  }
});

test('every wrong part is listed, but no more of them than a caller can read', async () => {
  const problem = problemOf(
    await post({ images: [{}, image, {}], options: { num_beam: 1, seed: -1 }, a: 1 }),
    'REQUEST_INVALID',
  );
  const pointers = problem.errors?.map(({ pointer }) => pointer).sort();
  assert.deepEqual(pointers, ['/a', '/images/0', '/images/2', '/options/num_beam', '/options/seed']);

  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${index}${'x'.repeat(500)}`, 1]));
  const answer = await post({ images: [image], options: many });
  assert.equal(problemOf(answer, 'OPTION_INVALID').errors?.length, 64);
  assert.ok(answer.body.length < 64 * 1024);
});

test('a body that is not JSON, or of another type, is refused before it is looked at', async () => {
  for (const text of ['{', '{"images":', 'not json', '{"images": [] "options": {}}', '\u0000', '[1,]']) {
    problemOf(await postText(text), 'REQUEST_INVALID', text);
  }
  for (const name of ['__proto__', 'constructor']) {
    const text = `{"images": [${JSON.stringify(image)}], "${name}": {"prototype": {"options": {}}}}`;
    assert.match(problemOf(await postText(text), 'REQUEST_INVALID', text).detail, /unknown field/);
    const options = `{"images": [${JSON.stringify(image)}], "options": {"${name}": {"prototype": {}}}}`;
    assert.match(problemOf(await postText(options), 'OPTION_INVALID', options).detail, /unknown option/);
  }
  const compressed = await app.inject({
    method: 'POST',
    url: '/v1/captions',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    payload: gzipSync(JSON.stringify({ images: [image] })),
  });
  assert.match(problemOf(compressed, 'MEDIA_TYPE_UNSUPPORTED').detail, /content-encoding/);
  problemOf(await postText(''), 'REQUEST_INVALID', 'empty');
  for (const type of ['text/plain', 'image/png', 'multipart/form-data; boundary=x', 'nonsense']) {
    problemOf(await postText('{}', type), 'MEDIA_TYPE_UNSUPPORTED', type);
  }
});

test('a body over 64 MiB is 413', async () => {
  const { detail } = problemOf(await postText(Buffer.alloc(64 * 1024 * 1024 + 1, 0x20)), 'REQUEST_TOO_LARGE');
  assert.match(detail, /64 MiB/);
});

test('when every image is refused at the door so is the request, and nothing is stored or enqueued', async () => {
  const before = await blobs.list('', { limit: 1_000 });
  const images = [
    { base64: '' },
    { base64: 'not base64 !!' },
    { url: 'file:///etc/passwd' },
    { url: `http://images.example.org/${'a'.repeat(2048)}` },
    { blob: { container: 'A', name: 'a.jpg' } },
  ];
  const { errors } = problemOf(await post({ images }), 'IMAGES_REFUSED');
  const codes = ['IMAGE_EMPTY', 'BASE64_INVALID', 'URL_REFUSED', 'URL_REFUSED', 'SOURCE_NOT_FOUND'];
  assert.deepEqual(
    errors?.map(({ pointer, index, code }) => ({ pointer, index, code })),
    codes.map((code, index) => ({ pointer: `/images/${index}`, index, code })),
  );
  assert.equal(new Set(errors?.map(({ message }) => message)).size, 5);
  assert.deepEqual(await blobs.list('', { limit: 1_000 }), before);
  assert.equal(await producer.depth(), 0);
});

test('the reason of the only image stands in the detail, and a data: URL of something else is told from bad base64', async () => {
  const { detail } = problemOf(
    await post({ images: [{ base64: 'data:text/html;base64,PGh0bWw+' }] }),
    'IMAGES_REFUSED',
  );
  assert.match(detail, /^the image was refused: .*data:image/);
});

test('what is no HTTP request is a problem too', async () => {
  const bare = await buildServer(config);
  await bare.listen({ host: '127.0.0.1', port: 0 });
  const { port } = bare.server.address() as { port: number };
  const wrong: readonly (readonly [text: string, code: ErrorCode, detail: RegExp])[] = [
    ['garbage\r\n\r\n', 'REQUEST_INVALID', /./],
    ['FOO / HTTP/1.1\r\nHost: a\r\n\r\n', 'REQUEST_INVALID', /method/],
    ['POST /v1/captions HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n', 'REQUEST_INVALID', /Content-Length/],
    [`GET / HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 'HEADERS_TOO_LARGE', /16384 bytes/],
    ['GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 'REQUEST_INVALID', /Host/],
  ];
  try {
    for (const [request, code, detail] of wrong) {
      const socket = connect(port, '127.0.0.1');
      socket.write(request);
      const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
      const what = request.slice(0, 40);
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${errorTable[code].status} `), what);
      assert.match(head, /content-type: application\/problem\+json/i, what);
      const problem = ProblemSchema.parse(JSON.parse(body));
      assert.equal(problem.code, code, what);
      assert.match(problem.detail, detail, what);
      assert.ok(head.includes(problem.requestId), what);
    }
  } finally {
    await bare.close();
  }
});

test('an unknown route or id is 404, another method 405 with Allow, whatever the body is', async () => {
  const ids = [
    '01arz3ndektsv4rrffq69g5fav',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    '..%2f..',
    'x',
    '%00',
    "a'b",
    'a'.repeat(99),
  ];
  for (const id of ids) problemOf(await app.inject(`/v1/captions/${id}`), 'NOT_FOUND', id);
  for (const path of [
    '/nothing',
    '/v1',
    '/v1/captions/',
    '/v1/captions/a/b',
    '/%zz',
    '/v1/captions/%',
    `/v1/captions/${'a'.repeat(500)}`,
  ]) {
    problemOf(await app.inject(path), 'NOT_FOUND', path);
  }
  const methods: readonly (readonly [method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, allow: RegExp])[] = [
    ['DELETE', '/v1/captions', /^POST, GET, HEAD$/],
    ['PUT', '/v1/captions', /^POST, GET, HEAD$/],
    ['DELETE', '/v1/captions/01arz3ndektsv4rrffq69g5fav?a=b', /GET/],
    ['POST', '/readyz', /GET/],
  ];
  for (const [method, url, allow] of methods) {
    const answer = await app.inject({ method, url, headers: { 'content-type': 'text/plain' }, payload: 'x' });
    problemOf(answer, 'METHOD_NOT_ALLOWED', url);
    assert.match(String(answer.headers['allow']), allow);
  }
});

test("a caller's X-Request-Id is kept when it is fit for a log, and replaced when not", async () => {
  const idFor = async (given: string) =>
    (await app.inject({ url: '/livez', headers: { 'x-request-id': given } })).headers['x-request-id'];
  assert.equal(await idFor('a-1.b:2_C'), 'a-1.b:2_C');
  for (const bad of ['a b', 'a"b', '', 'ä', 'x'.repeat(129)])
    assert.match(String(await idFor(bad)), /^[\da-f-]{36}$/, bad);
});

test('the log has the path of a request and not its query', async () => {
  const lines: string[] = [];
  const logger = createLogger({ name: 'api', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const logged = await buildServer({ ...config, logger });
  await logged.inject('/nothing?token=s3cr3t');
  await logged.close();
  assert.ok(
    lines.some((line) => JSON.parse(line).req?.path === '/nothing'),
    lines.join(''),
  );
  assert.ok(!lines.join('').includes('s3cr3t'));
});

test('probes answer', async () => {
  assert.deepEqual((await app.inject('/livez')).json(), { status: 'alive' });
  const ready = await app.inject('/readyz');
  assert.equal(ready.statusCode, 200);
  assert.equal(ready.json().status, 'ready');
  assert.deepEqual(Object.keys(ready.json().checks), ['redis', 'blob']);
  assert.equal((await app.inject('/metrics')).statusCode, 404);
  assert.equal((await app.inject('/')).json().openapi, '/openapi.json');
});

test('the OpenAPI 3.1 document names every route with every status it gives, and all its references resolve', async () => {
  const document = (await app.inject('/openapi.json')).json();
  assert.match(document.openapi, /^3\.1\./);
  const statuses = Object.entries<Record<string, { responses: object }>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => `${method} ${path} ${Object.keys(responses).join()}`),
  );
  const paths = ['/v1/captions', '/v1/match', '/v1/embed', '/v1/answer'];
  assert.deepEqual(statuses, [
    ...paths.flatMap((path) => [
      `post ${path} 200,202,400,401,403,408,409,413,415,422,429,431,500,503`,
      `get ${path} 200,400,401,403,408,415,429,431,500,503`,
      `put ${path}/{id} 200,202,400,401,403,408,409,413,415,422,429,431,500,503`,
      `get ${path}/{id} 200,400,401,403,404,408,415,429,431,500,503`,
      `post ${path}/{id}/cancel 200,400,401,403,404,408,415,429,431,500,503`,
      `get ${path}/{id}/events 200,204,400,401,403,404,408,415,429,431,500,503`,
    ]),
    ...paths.map((path) => `post ${path.replace('/v1', '/v1/bulk')} 202,400,401,403,408,413,415,422,429,431,500,503`),
    'get /v1/bulk/{id} 200,400,401,403,404,408,415,429,431,500,503',
    'post /v1/bulk/{id}/cancel 200,400,401,403,404,408,415,429,431,500,503',
    'get /v1/bulk/{id}/results 200,400,401,403,404,408,415,429,431,500,503',
    'post /v1/files 200,400,401,403,408,413,415,429,431,500,503',
    'get /v1/files 200,400,401,403,408,415,429,431,500,503',
    'get /v1/files/{id} 200,400,401,403,404,408,415,429,431,500,503',
    'delete /v1/files/{id} 200,400,401,403,404,408,409,415,429,431,500,503',
    'get /v1/files/{id}/content 200,400,401,403,404,408,415,429,431,500,503',
    'post /v1/batches 200,400,401,403,404,408,413,415,422,429,431,500,503',
    'get /v1/batches 200,400,401,403,408,415,429,431,500,503',
    'get /v1/batches/{id} 200,400,401,403,404,408,415,429,431,500,503',
    'post /v1/batches/{id}/cancel 200,400,401,403,404,408,409,415,429,431,500,503',
    'post /computervision/imageanalysis:analyze 200,400,401,403,408,415,429,431,500,503',
    'get /v1/models 200,400,401,403,408,415,429,431,500,503',
    'get /info 200,400,401,403,408,415,429,431,500,503',
    'get / 200,400,408,415,431,500',
    'get /livez 200,400,408,415,431,500',
    'get /readyz 200,400,408,415,431,500,503',
    'get /openapi.json 200,400,408,415,431,500',
  ]);
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(name !== undefined && name in document.components.schemas, name);
  }
  const created = document.paths['/v1/captions'].post;
  assert.deepEqual(Object.keys(created.responses['202'].headers).sort(), [
    'Idempotent-Replayed',
    'Location',
    'Operation-Location',
    'Preference-Applied',
    'Retry-After',
    'X-Request-Id',
  ]);
  assert.deepEqual(Object.keys(created.responses['400'].headers), ['X-Request-Id']);
  assert.deepEqual(Object.keys(created.responses['401'].headers), ['X-Request-Id', 'WWW-Authenticate']);
  assert.deepEqual(created.security, [{ bearer: ['captions:write'] }, { apiKey: ['captions:write'] }]);
  assert.deepEqual(document.paths['/readyz'].get.security, []);
  assert.deepEqual(Object.keys(created.responses['503'].headers), ['X-Request-Id', 'Retry-After']);
  assert.ok(document.components.schemas.Problem.properties.code.enum.includes('QUEUE_FULL'));
  assert.deepEqual(Object.keys(created.responses['429'].content), ['application/problem+json']);
  assert.ok(text.includes('Beams of the beam search'), 'options are described');
  const { content } = document.paths['/v1/bulk/captions'].post.requestBody;
  assert.deepEqual(Object.keys(content), ['application/json', 'application/x-ndjson']);
  const { requestBody, responses } = document.paths['/v1/files'].post;
  assert.deepEqual(Object.keys(requestBody.content), ['multipart/form-data']);
  assert.deepEqual(Object.keys(responses['413'].content), ['application/json']);
});

test('a connection that sends half a request does not keep others from their answer', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const slow = connect(port, '127.0.0.1');
  await once(slow, 'connect');
  slow.write(
    'POST /v1/captions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"images"',
  );
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`).finally(() => slow.destroy());
  assert.equal(answer.status, 200);
});

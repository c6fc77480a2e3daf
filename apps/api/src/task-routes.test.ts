// The life of a request, from the post to its captions, on a real queue and a real Blob storage.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ImageJob, RequestIdSchema } from '@captionfleet/protocol/image-job';
import {
  CaptionRequestStatusSchema,
  type ImageOutcome,
  RequestStatusSchemas,
} from '@captionfleet/protocol/image-outcome';
import { queueName } from '@captionfleet/protocol/queue-names';
import type { ModelTask, Task } from '@captionfleet/protocol/task';
import type { TaskResult } from '@captionfleet/protocol/task-result';
import { type Consumer, openConsumer } from '@captionfleet/queue/consumer';
import type { JobProducer } from '@captionfleet/queue/producer';
import { type BlobStore, openBlobStore } from '@captionfleet/storage/blob-store';
import { openBulkStore } from '@captionfleet/storage/bulk-store';
import { openRequestStore, type RequestStore } from '@captionfleet/storage/request-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { type ApiMetrics, createApiMetrics } from '@captionfleet/telemetry/metrics';
import type { FastifyInstance } from 'fastify';
import { startAzurite } from '../../../test/support/azurite.ts';
import { startRedis, type TestRedis } from '../../../test/support/redis.ts';
import { openToAnyone } from './access.ts';
import { buildServer } from './server.ts';
import { openTaskQueues } from './task-queues.ts';
import { batchParts } from './test-api.ts';

const inline = (text: string) => ({ base64: Buffer.from(text).toString('base64') });
const image = inline('the bytes of an image');

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
  readonly metrics: ApiMetrics;
}

async function startApi(
  options: { maxWaiting?: number; maxWaiters?: number; redisUrl?: string; tasks?: readonly ModelTask[] } = {},
): Promise<TestApi> {
  const { maxWaiting = 100, maxWaiters = 10, redisUrl = redis.url, tasks = ['caption', 'match'] } = options;
  const parts = new AsyncDisposableStack();
  const queues = await openTaskQueues({ redisUrl, queuePrefix, pool: 'cpu', maxWaiting }, parts);
  const { producer } = queues.interactive.caption;
  const checks = {
    redis: (call: { signal: AbortSignal }) => producer.ping(call),
    blob: (call: { signal: AbortSignal }) => blobs.ping(call),
  };
  const logger = createLogger({ name: 'api', level: 'silent' });
  const metrics = createApiMetrics();
  const app = await buildServer({
    access: openToAnyone,
    requests,
    bulk: (tenant) => openBulkStore(blobs, tenant),
    ...batchParts(blobs),
    queues,
    tasks,
    maxWaiters,
    publicUrl: undefined,
    checks,
    metrics,
    logger,
  });
  parts.defer(() => app.close());
  return { app, producer, metrics, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

const captionTask: Task = { type: 'caption', options: {} };

/** What a task may give. */
function resultOf({ index, task }: Pick<ImageJob, 'index' | 'task'>): TaskResult {
  const generated = { text: `image ${index}`, tokens: [1, 2], confidence: 0.5, meanLogProbability: Math.log(0.5) };
  if (task.type === 'caption') return { captions: [generated] };
  if (task.type === 'answer') return { answers: task.questions.map((question) => ({ question, ...generated })) };
  if (task.type === 'match')
    return { matches: task.texts.map((text) => ({ text, probability: 0.9, similarity: 0.4 })) };
  return { embedding: { image: [0, 1], texts: task.texts.map((text) => ({ text, embedding: [1, 0] })) } };
}

const outcomeOf = (job: Pick<ImageJob, 'index' | 'task'>): ImageOutcome => ({
  status: 'succeeded',
  ...resultOf(job),
  image: { width: 384, height: 384, format: 'png', sha256: 'ab'.repeat(32) },
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  timings: { fetchMs: 1, preprocessMs: 2, inferenceMs: 3 },
});

/** Takes jobs from the queue and writes an outcome for each, as a worker does; `work` may come in between, or throw. */
const startConsumer = (
  work: (job: ImageJob) => Promise<void> = async () => undefined,
  queue = queueName('interactive', 'cpu', 'caption'),
): Promise<Consumer> =>
  openConsumer({ redisUrl: redis.url, queue, prefix: queuePrefix, concurrency: 8, attempts: 1 }, async ({ job }) => {
    await work(job);
    await requests.writeOutcome(job.requestId, job.index, outcomeOf(job));
  });

async function loseEverything(): Promise<void> {
  const { hostname, port } = new URL(redis.url);
  const socket = connect(Number(port), hostname);
  socket.write('FLUSHALL\r\n');
  const [answer] = await once(socket, 'data');
  socket.destroy();
  assert.match(String(answer), /^\+OK/);
}

const post = (app: FastifyInstance, images: unknown, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/v1/captions', headers, payload: { images } });

type Answer = Awaited<ReturnType<typeof post>>;
const statusOf = (answer: Answer) => CaptionRequestStatusSchema.parse(answer.json());

/** Asks again, with a deadline, until the answer is as wished. */
async function until(app: FastifyInstance, path: string, wished: (answer: Answer) => boolean): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await app.inject(path);
    if (wished(answer)) return answer;
    assert.ok(Date.now() < deadline, answer.body);
    await delay(20);
  }
}
const finished = (answer: Answer) =>
  answer.statusCode === 200 && ['succeeded', 'failed'].includes(answer.json().status);

test('images are accepted with 202 and the way to their captions, which are there when the job is done', async () => {
  await using api = await startApi();
  const answer = await post(api.app, [image, { url: 'https://images.example.org/a.jpg' }], {
    host: 'captions.example.org:81',
  });
  assert.equal(answer.statusCode, 202, answer.body);
  const status = statusOf(answer);
  assert.equal(answer.headers['location'], `/v1/captions/${status.id}`);
  assert.equal(answer.headers['operation-location'], `http://captions.example.org:81/v1/captions/${status.id}`);
  assert.equal(answer.headers['retry-after'], '1');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.deepEqual(status.counts, { queued: 2, running: 0, succeeded: 0, failed: 0, aborted: 0, canceled: 0 });
  assert.equal(await api.producer.depth(), 2);

  const waiting = await api.app.inject(`/v1/captions/${status.id}`);
  assert.equal(waiting.json().status, 'queued');
  assert.equal(waiting.headers['retry-after'], '1');

  await using _consumer = await startConsumer();
  const done = await until(api.app, `/v1/captions/${status.id}`, finished);
  assert.equal(done.headers['retry-after'], undefined);
  assert.match(String(done.headers['server-timing']), /^fetch;dur=1, preprocess;dur=2, inference;dur=3, total;dur=6/);
  const { images, counts, status: overall } = statusOf(done);
  assert.equal(overall, 'succeeded');
  assert.deepEqual(counts, { queued: 0, running: 0, succeeded: 2, failed: 0, aborted: 0, canceled: 0 });
  const texts = images.map((one) => (one.status === 'succeeded' ? one.captions[0]?.text : one.status));
  assert.deepEqual(texts, ['image 0', 'image 1']);
});

test('a job carries the options and a reference: inline bytes are in Blob, once', async () => {
  await using api = await startApi();
  const jobs: ImageJob[] = [];
  const payload = { images: [image, image], options: { num_beams: 3 } };
  await using _consumer = await startConsumer(async (job) => void jobs.push(job));
  const headers = { prefer: 'wait=10' };
  assert.equal((await api.app.inject({ method: 'POST', url: '/v1/captions', headers, payload })).statusCode, 200);
  const [source] = new Set(jobs.map((job) => JSON.stringify(job.source)));
  const { blob } = JSON.parse(source ?? '{}');
  assert.equal(
    Buffer.from((await blobs.readFrom(blob.container, blob.name, { maxBytes: 99 })) ?? []).toString(),
    'the bytes of an image',
  );
  assert.deepEqual(
    jobs.map(({ task }) => task),
    Array(2).fill({ type: 'caption', options: { num_beams: 3 } }),
  );
});

test('an image that is refused at the door fails alone', async () => {
  await using api = await startApi();
  await using _consumer = await startConsumer();
  const answer = await post(api.app, [{ base64: '!' }, image, { url: 'ftp://a' }], { prefer: 'wait=10' });
  assert.equal(answer.statusCode, 200);
  const codes = statusOf(answer).images.map((one) => (one.status === 'failed' ? one.error.code : one.status));
  assert.deepEqual(codes, ['BASE64_INVALID', 'succeeded', 'URL_REFUSED']);
  assert.equal(statusOf(answer).status, 'succeeded');
});

test("another tenant's images are refused at the door, as is everything else that lies in the fleet's own container", async () => {
  await using api = await startApi();
  const { reference } = await requests.of('acme').writeImage(Buffer.from('an image of acme'));
  const own = await requests.writeImage(Buffer.from('an image of mine'));
  const answer = await post(api.app, [
    reference,
    own.reference,
    { blob: { container: 'fleet', name: 'tenants/acme/x' } },
  ]);
  assert.equal(answer.statusCode, 202, answer.body);
  const codes = statusOf(answer).images.map((one) => (one.status === 'failed' ? one.error.code : one.status));
  assert.deepEqual(codes, ['URL_REFUSED', 'queued', 'URL_REFUSED']);
});

test('Prefer: wait=N answers 200 with the captions as soon as they are there, 202 when they are not in time', async () => {
  await using api = await startApi();
  const late = await post(api.app, [image], { prefer: 'respond-async, wait=1' });
  assert.equal(late.statusCode, 202);
  assert.equal(late.headers['preference-applied'], 'wait=1');
  await using _consumer = await startConsumer();
  const started = performance.now();
  const prompt = await post(api.app, [image, image, image], { prefer: 'wait=99999999999999999999' });
  assert.equal(prompt.statusCode, 200);
  assert.equal(prompt.headers['preference-applied'], 'wait=60');
  assert.equal(prompt.headers['retry-after'], undefined);
  assert.ok(performance.now() - started < 10_000);
  for (const prefer of ['wait', 'wait=-1', 'wait=x', 'await=1', 'return=minimal']) {
    assert.equal((await post(api.app, [image], { prefer })).headers['preference-applied'], undefined, prefer);
  }
});

test('over the number of callers that may wait, the next has its 202 at once', async () => {
  await using api = await startApi({ maxWaiters: 1 });
  const first = post(api.app, [image], { prefer: 'wait=3' });
  await until(api.app, '/livez', () => true);
  while ((await api.producer.depth()) === 0) await delay(5);
  await delay(50);
  const started = performance.now();
  assert.equal((await post(api.app, [image], { prefer: 'wait=30' })).statusCode, 202);
  assert.ok(performance.now() - started < 2_000);
  assert.equal((await first).statusCode, 202);
});

test('a caller that goes away stops waiting, and its images are captioned all the same', async () => {
  await using api = await startApi({ maxWaiters: 1 });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.app.server.address() as { port: number };
  const caller = httpRequest({
    ...{ port, host: '127.0.0.1', path: '/v1/captions', method: 'POST' },
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
  });
  caller.on('error', () => undefined);
  caller.end(JSON.stringify({ images: [image] }));
  while ((await api.producer.depth()) === 0) await delay(5);
  caller.destroy();
  // The only place for a waiter is free again: this one waits its second instead of being sent away at once.
  const waitedFor = async () => {
    const started = performance.now();
    await post(api.app, [image], { prefer: 'wait=1' });
    return performance.now() - started;
  };
  const deadline = Date.now() + 60_000;
  while ((await waitedFor()) < 900)
    assert.ok(Date.now() < deadline, 'the waiter of the caller that left is still there');
  await using _consumer = await startConsumer();
  while ((await api.producer.depth()) > 0) await delay(20);
});

test('closing the server lets waiting callers go with their 202', async () => {
  await using api = await startApi();
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const headers = { 'content-type': 'application/json', prefer: 'wait=60' };
  const answer = fetch(`${url}/v1/captions`, { method: 'POST', headers, body: JSON.stringify({ images: [image] }) });
  while ((await api.producer.depth()) === 0) await delay(5);
  const started = performance.now();
  await api.app.close();
  assert.equal((await answer).status, 202);
  assert.ok(performance.now() - started < 5_000);
});

test('a full queue is 429 with Retry-After, and nothing is stored or enqueued', async () => {
  await using api = await startApi({ maxWaiting: 3 });
  assert.equal((await post(api.app, [image, image])).statusCode, 202);
  const stored = await blobs.list('', { limit: 1_000 });
  const answer = await post(api.app, [inline('another'), image]);
  assert.equal(answer.statusCode, 429);
  assert.equal(answer.json().code, 'QUEUE_FULL');
  assert.match(await api.metrics.registry.metrics(), /^captionfleet_admission_refused_total\{code="QUEUE_FULL"\} 1$/m);
  assert.equal(answer.headers['retry-after'], '1');
  assert.deepEqual(await blobs.list('', { limit: 1_000 }), stored);
  assert.equal(await api.producer.depth(), 2);
  assert.equal((await post(api.app, [image])).statusCode, 202);
});

test('after Redis has lost everything a look at the request enqueues what has no outcome, and only that', async () => {
  await using api = await startApi();
  const done: number[] = [];
  const posted = statusOf(await post(api.app, [image, image, image]));
  await requests.writeOutcome(posted.id, 1, outcomeOf({ index: 1, task: captionTask }));
  await loseEverything();
  assert.equal(await api.producer.depth(), 0);

  const repaired = statusOf(await api.app.inject(`/v1/captions/${posted.id}`));
  assert.deepEqual(
    repaired.images.map(({ status }) => status),
    ['queued', 'succeeded', 'queued'],
  );
  assert.equal(repaired.status, 'running');
  await api.app.inject(`/v1/captions/${posted.id}`);
  assert.equal(await api.producer.depth(), 2);
  await using _consumer = await startConsumer(async ({ index }) => void done.push(index));
  await until(api.app, `/v1/captions/${posted.id}`, finished);
  assert.deepEqual(done.sort(), [0, 2]);
});

test('a job that the queue gave up is ATTEMPTS_EXHAUSTED, and a request whose images all failed has failed', async () => {
  await using api = await startApi();
  await using _consumer = await startConsumer(async () => {
    throw new Error('no');
  });
  const { id } = statusOf(await post(api.app, [image]));
  const status = statusOf(await until(api.app, `/v1/captions/${id}`, finished));
  assert.equal(status.status, 'failed');
  assert.deepEqual(
    status.images.map((one) => one.status === 'failed' && one.error.code),
    ['ATTEMPTS_EXHAUSTED'],
  );
});

test('without Redis a post is 503, an unfinished request too, a finished one is still told, and readyz names Redis', async () => {
  await using lost = await startRedis();
  await using api = await startApi({ redisUrl: lost.url });
  const finishedId = statusOf(await post(api.app, [image])).id;
  const openId = statusOf(await post(api.app, [image])).id;
  await requests.writeOutcome(finishedId, 0, outcomeOf({ index: 0, task: captionTask }));
  await lost[Symbol.asyncDispose]();

  for (const answer of [await post(api.app, [image]), await api.app.inject(`/v1/captions/${openId}`)]) {
    assert.equal(answer.statusCode, 503, answer.body);
    assert.equal(answer.json().code, 'QUEUE_UNAVAILABLE');
    assert.equal(answer.headers['retry-after'], '2');
  }
  assert.equal((await api.app.inject(`/v1/captions/${finishedId}`)).json().status, 'succeeded');
  const ready = await api.app.inject('/readyz');
  assert.equal(ready.statusCode, 503);
  assert.deepEqual([ready.json().checks.redis.ok, ready.json().checks.blob.ok], [false, true]);
  assert.equal((await api.app.inject('/livez')).statusCode, 200);
});

test('ids are made by the server, and a request is found by no other', async () => {
  await using api = await startApi();
  const { id } = statusOf(await post(api.app, [image]));
  assert.ok(RequestIdSchema.safeParse(id).success);
  assert.equal((await api.app.inject(`/v1/captions/${id.toUpperCase()}`)).statusCode, 404);
});

const asked = {
  '/v1/match': { texts: ['a cat', 'a dog'] },
  '/v1/embed': { texts: ['a cat'] },
  '/v1/answer': { questions: ['what is it?'], options: { max_new_tokens: 4 } },
} as const;
const schemas = {
  '/v1/match': RequestStatusSchemas.match,
  '/v1/embed': RequestStatusSchemas.embed,
  '/v1/answer': RequestStatusSchemas.answer,
} as const;

test('matches, embeddings and answers go the way of captions: accepted, found, waited for', async () => {
  await using api = await startApi({ tasks: ['match', 'answer'] });
  const jobs: ImageJob[] = [];
  const work = async (job: ImageJob): Promise<void> => void jobs.push(job);
  for (const [path, body] of Object.entries(asked)) {
    const head = path === '/v1/answer' ? 'answer' : 'match';
    const payload = { images: [image, { url: 'ftp://a' }], ...body };
    const posted = await api.app.inject({ method: 'POST', url: path, payload });
    assert.equal(posted.statusCode, 202, posted.body);
    const { id } = posted.json();
    assert.equal(posted.headers['location'], `${path}/${id}`);

    await using _consumer = await startConsumer(work, queueName('interactive', 'cpu', head));
    const done = await until(api.app, `${path}/${id}`, finished);
    const status = schemas[path as keyof typeof schemas].parse(done.json());
    assert.deepEqual(status.counts, { queued: 0, running: 0, succeeded: 1, failed: 1, aborted: 0, canceled: 0 });
    const waited = await api.app.inject({ method: 'POST', url: path, headers: { prefer: 'wait=10' }, payload });
    assert.equal(waited.statusCode, 200, waited.body);
  }
  assert.deepEqual(
    jobs.map(({ task: { type, ...rest } }) => [type, rest]),
    [
      ...Array(2).fill(['match', asked['/v1/match']]),
      ...Array(2).fill(['embed', asked['/v1/embed']]),
      ...Array(2).fill(['answer', asked['/v1/answer']]),
    ],
  );
});

test('a request is found under the path of its task, and another path says which that is', async () => {
  await using api = await startApi();
  const payload = { images: [image], ...asked['/v1/match'] };
  const { id } = (await api.app.inject({ method: 'POST', url: '/v1/match', payload })).json();
  assert.equal((await api.app.inject(`/v1/match/${id}`)).statusCode, 200);
  const elsewhere = await api.app.inject(`/v1/captions/${id}`);
  assert.equal(elsewhere.statusCode, 404);
  assert.equal(elsewhere.json().detail, `the request of this id is at /v1/match/${id}`);
});

test('a task that the fleet has no model for is 422 TASK_UNSUPPORTED, and nothing is stored or enqueued', async () => {
  await using api = await startApi({ tasks: ['match'] });
  const stored = await blobs.list('', { limit: 1_000 });
  const answer = await api.app.inject({
    ...{ method: 'POST', url: '/v1/answer' },
    payload: { images: [inline('never seen')], ...asked['/v1/answer'] },
  });
  assert.equal(answer.statusCode, 422, answer.body);
  assert.equal(answer.json().code, 'TASK_UNSUPPORTED');
  assert.equal(answer.json().detail, 'no model of this fleet can answer; it can match');
  assert.equal((await post(api.app, [image])).statusCode, 422);
  assert.deepEqual(await blobs.list('', { limit: 1_000 }), stored);
});

test('each head has a queue of its own, so a full one refuses its own tasks only', async () => {
  await using api = await startApi({ maxWaiting: 1 });
  const match = () =>
    api.app.inject({ method: 'POST', url: '/v1/match', payload: { images: [image], ...asked['/v1/match'] } });
  assert.equal((await match()).statusCode, 202);
  assert.equal((await match()).statusCode, 429);
  assert.equal((await post(api.app, [image])).statusCode, 202);
});

test('a request goes to the lane that it names, and to the interactive one by default', async () => {
  await using api = await startApi();
  const bulk = await api.app.inject({
    method: 'POST',
    url: '/v1/captions',
    payload: { lane: 'bulk', images: [image] },
  });
  assert.equal(bulk.statusCode, 202, bulk.body);
  assert.equal(await api.producer.depth(), 0);
  const record = await requests.readRequest(statusOf(bulk).id);
  assert.equal(record?.lane, 'bulk');
  await using _worker = await startConsumer(undefined, queueName('bulk', 'cpu', 'caption'));
  await until(api.app, `/v1/captions/${statusOf(bulk).id}`, finished);
  const plain = await post(api.app, [image]);
  assert.equal(await api.producer.depth(), 1);
  assert.equal((await requests.readRequest(statusOf(plain).id))?.lane, 'interactive');
  const wrong = await api.app.inject({
    method: 'POST',
    url: '/v1/captions',
    payload: { lane: 'fast', images: [image] },
  });
  assert.equal(wrong.statusCode, 400);
  assert.match(wrong.json().detail, /lane/);
});

test("an image's customId comes back in every status, also of an image that was refused", async () => {
  await using api = await startApi();
  const posted = await post(api.app, [
    { ...image, customId: 'ours/1' },
    { url: 'ftp://images.example.org/a.jpg', customId: 'ours/2' },
    image,
  ]);
  const ids = (answer: Answer) => statusOf(answer).images.map(({ customId }) => customId);
  assert.deepEqual(ids(posted), ['ours/1', 'ours/2', undefined]);
  await using _worker = await startConsumer(async ({ source }) => {
    assert.ok(!('customId' in source));
  });
  const ended = await until(api.app, `/v1/captions/${statusOf(posted).id}`, finished);
  assert.deepEqual(ids(ended), ['ours/1', 'ours/2', undefined]);
  assert.deepEqual(
    statusOf(ended).images.map(({ status }) => status),
    ['succeeded', 'failed', 'succeeded'],
  );
  for (const customId of ['', 'a'.repeat(65), 'line\nbreak', '\ud800', 7]) {
    const refused = await post(api.app, [{ ...image, customId }]);
    assert.equal(refused.statusCode, 400, refused.body);
    assert.match(refused.json().detail, /customId/);
  }
});

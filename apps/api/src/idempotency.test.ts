// A request that is sent again, on a real queue and a real Blob storage.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { submitOnce } from './idempotent-submission.ts';
import { newRequestId } from './request-id.ts';
import { startBackends, startTestApi, type TestApi, type TestBackends, waitFor } from './test-api.ts';

let backends: TestBackends;
before(async () => {
  backends = await startBackends();
});
after(() => backends[Symbol.asyncDispose]());

const image = { base64: Buffer.from('the bytes of an image').toString('base64') };
const url = (name: string) => ({ url: `https://images.example.org/${name}.jpg` });

const post = (api: TestApi, key: string, payload: object, path = '/v1/captions') =>
  api.app.inject({ method: 'POST', url: path, headers: { 'idempotency-key': key }, payload });
const put = (api: TestApi, id: string, payload: object, path = '/v1/captions') =>
  api.app.inject({ method: 'PUT', url: `${path}/${id}`, payload });

type Answer = Awaited<ReturnType<typeof post>>;
const statusOf = (answer: Answer) => CaptionRequestStatusSchema.parse(answer.json());
const isReplay = (answer: Answer): boolean => answer.headers['idempotent-replayed'] === 'true';
const waiting = (api: TestApi): Promise<number> => api.queues.interactive.caption.producer.depth();

test('the same key and body have the same answer, with the status of now', async () => {
  await using api = await startTestApi(backends);
  const key = randomUUID();
  const first = await post(api, key, { images: [image, url('a')] });
  assert.equal(first.statusCode, 202, first.body);
  assert.equal(isReplay(first), false);
  // Quotes, the order of members and defaults that are written out make no difference.
  const again = await post(api, `"${key}"`, { options: {}, lane: 'interactive', images: [image, url('a')] });
  assert.equal(again.statusCode, 202, again.body);
  assert.ok(isReplay(again));
  assert.equal(statusOf(again).id, statusOf(first).id);
  assert.equal(again.headers.location, first.headers.location);
  assert.equal(await waiting(api), 2);

  await using _worker = await api.startWorker('interactive');
  const { id } = statusOf(first);
  await waitFor('the end', async () => (await api.app.inject(`/v1/captions/${id}`)).json().status === 'succeeded');
  const late = await post(api, key, { images: [image, url('a')] });
  assert.equal(late.statusCode, 200);
  assert.equal(statusOf(late).counts.succeeded, 2);
});

test('the same key with another body is 409, and nothing of it is done', async () => {
  await using api = await startTestApi(backends);
  const key = randomUUID();
  const first = await post(api, key, { images: [url('a')] });
  for (const other of [
    { images: [url('b')] },
    { images: [url('a')], lane: 'bulk' },
    { images: [url('a')], options: { num_beams: 2 } },
    { images: [{ ...url('a'), customId: 'a' }] },
  ]) {
    const refused = await post(api, key, other);
    assert.equal(refused.statusCode, 409, refused.body);
    assert.equal(refused.json().code, 'IDEMPOTENCY_CONFLICT');
    assert.match(refused.json().detail, new RegExp(statusOf(first).id));
  }
  assert.equal(await waiting(api), 1);
});

test('a key is one of its tenant and of its route', async () => {
  await using api = await startTestApi(backends);
  const key = randomUUID();
  const captions = statusOf(await post(api, key, { images: [url('a')] })).id;
  const match = await post(api, key, { images: [url('a')], texts: ['a cat'] }, '/v1/match');
  assert.equal(match.statusCode, 202, match.body);
  api.tenant = 'acme';
  const ofAcme = await post(api, key, { images: [url('other')] });
  assert.equal(ofAcme.statusCode, 202, ofAcme.body);
  assert.equal(new Set([captions, match.json().id, ofAcme.json().id]).size, 3);
});

test('50 at the same time, through two servers, are one request with one job', async () => {
  const queuePrefix = `{${randomUUID()}}`;
  await using one = await startTestApi(backends, { queuePrefix });
  await using other = await startTestApi(backends, { queuePrefix });
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, turn) => post(turn % 2 === 0 ? one : other, key, { images: [image] })),
  );
  assert.deepEqual([...new Set(answers.map(({ statusCode }) => statusCode))], [202]);
  assert.equal(new Set(answers.map((answer) => statusOf(answer).id)).size, 1);
  assert.ok(answers.filter((answer) => !isReplay(answer)).length <= 1);
  assert.equal(await waiting(one), 1);
});

test('50 puts of one id at the same time, with two bodies, are one request; the other body is 409', async () => {
  await using api = await startTestApi(backends);
  const id = newRequestId();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, turn) => put(api, id, { images: [url(turn % 2 === 0 ? 'a' : 'b')] })),
  );
  const [accepted, refused] = [202, 409].map((code) => answers.filter(({ statusCode }) => statusCode === code).length);
  assert.deepEqual([accepted, refused], [25, 25]);
  assert.equal(await waiting(api), 1);
});

test('what a call left that died between its writes is finished by the next', async () => {
  await using api = await startTestApi(backends);
  // After the key was bound to an id: the next call takes the id.
  const bound = randomUUID();
  const { requests } = backends;
  const writeRequest = async (): Promise<never> => {
    throw new Error('died');
  };
  const dying = { ...requests, of: () => ({ ...requests, writeRequest }) };
  const submission = { tenant: 'default', task: { type: 'caption', options: {} }, images: [url('a')] } as const;
  const config = { queues: api.queues, tasks: ['caption'] } as const;
  const { signal } = new AbortController();
  await assert.rejects(submitOnce(submission, { key: bound }, { ...config, requests: dying }, signal), /died/);
  assert.equal(await waiting(api), 0);
  const next = await submitOnce(submission, { key: bound }, { ...config, requests }, signal);
  assert.equal(next.replayed, false);
  assert.equal(await waiting(api), 1);

  // After the record was written: the next call enqueues its jobs.
  const id = newRequestId();
  const brokenQueue = { ...api.queues.interactive.caption.producer, enqueue: writeRequest };
  const queues = {
    ...api.queues,
    interactive: {
      ...api.queues.interactive,
      caption: { name: 'broken', lane: 'interactive' as const, producer: brokenQueue },
    },
  };
  await assert.rejects(submitOnce(submission, { id }, { ...config, requests, queues }, signal), /died/);
  assert.equal(await waiting(api), 1);
  const answer = await put(api, id, { images: [url('a')] });
  assert.equal(answer.statusCode, 202, answer.body);
  assert.ok(isReplay(answer));
  assert.equal(await waiting(api), 2);
});

test('a put under an id of another task, or of a request that cannot be repeated, is 409', async () => {
  await using api = await startTestApi(backends);
  const payload = { images: [url('a')] };
  const posted = (await api.app.inject({ method: 'POST', url: '/v1/captions', payload })).json().id;
  assert.equal((await put(api, posted, payload)).statusCode, 409);
  const id = newRequestId();
  assert.equal((await put(api, id, payload)).statusCode, 202);
  assert.equal((await put(api, id, { ...payload, texts: ['a cat'] }, '/v1/match')).statusCode, 409);
  assert.equal((await put(api, 'mine', payload)).statusCode, 400);
});

test('a refused request binds nothing: the same key may come with a better body', async () => {
  await using api = await startTestApi(backends, { maxWaiting: 1 });
  const key = randomUUID();
  assert.equal((await post(api, key, { images: [{ url: 'ftp://a' }] })).statusCode, 422);
  const full = await post(api, key, { images: [url('a'), url('b')] });
  assert.equal(full.statusCode, 429, full.body);
  assert.equal((await post(api, key, { images: [url('a')] })).statusCode, 202);
});

test('a key that is none is refused', async () => {
  await using api = await startTestApi(backends);
  for (const key of ['', 'a'.repeat(256), 'Schlüssel']) {
    const refused = await post(api, key, { images: [url('a')] });
    assert.equal(refused.statusCode, 400, refused.body);
    assert.match(refused.json().detail, /idempotency-key: must have 1 to 255 printable ASCII characters/);
  }
});

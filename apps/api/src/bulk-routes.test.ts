// Bulk requests: uploads that come whole, in pieces, or not to their end, on a real queue and a real Blob storage.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { BulkStatusSchema } from './bulk-status.ts';
import { startBackends, startTestApi, type TestApi, type TestBackends, waitFor } from './test-api.ts';

let backends: TestBackends;
before(async () => {
  backends = await startBackends();
});
after(() => backends[Symbol.asyncDispose]());

interface Line {
  readonly index: number;
  readonly custom_id?: string;
  readonly status: string;
  readonly error?: { readonly code: string };
}

const item = (name: string | number) => ({
  custom_id: `id-${name}`,
  image: { url: `https://images.example.org/${name}.jpg` },
});
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const jsonl = (values: readonly unknown[]): string =>
  values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('');
const upload = (app: FastifyInstance, payload: string, path = '/v1/bulk/captions') =>
  app.inject({ method: 'POST', url: path, headers: { 'content-type': 'application/x-ndjson' }, payload });
const statusOf = async ({ app }: TestApi, id: string) =>
  BulkStatusSchema.parse((await app.inject(`/v1/bulk/${id}`)).json());
const resultsOf = async ({ app }: TestApi, id: string) => linesOf((await app.inject(`/v1/bulk/${id}/results`)).body);
const ended = (api: TestApi, id: string) =>
  waitFor(`bulk request ${id} to end`, async () => (await statusOf(api, id)).status === 'ended');

test('a document of items is answered item by item, goes to the bulk lane, and its results come in order', async () => {
  await using api = await startTestApi(backends);
  const items = [
    item(0),
    item(1),
    { image: {} },
    item(0),
    { custom_id: 'b', image: { url: 'ftp://a' } },
    { image: { base64: 'AAAA' } },
  ];
  const answer = await api.app.inject({
    method: 'POST',
    url: '/v1/bulk/captions',
    payload: { items, options: { num_beams: 2 } },
  });
  assert.equal(answer.statusCode, 202, answer.body);
  const { id, counts, items: answers } = answer.json();
  assert.deepEqual(counts, { accepted: 3, duplicate: 1, refused: 2 });
  assert.deepEqual(
    answers.map(({ index, custom_id: name, status, error }: Line) => [index, name, status, error?.code]),
    [
      [0, 'id-0', 'accepted', undefined],
      [1, 'id-1', 'accepted', undefined],
      [2, undefined, 'refused', 'REQUEST_INVALID'],
      [3, 'id-0', 'duplicate', undefined],
      [4, 'b', 'refused', 'URL_REFUSED'],
      [5, undefined, 'accepted', undefined],
    ],
  );
  assert.equal(await api.queues.bulk.caption.producer.depth(), 3);
  assert.deepEqual((await statusOf(api, id)).counts, { pending: 3, succeeded: 0, failed: 2, cancelled: 0 });
  await using _worker = await api.startWorker('bulk', async ({ task }) => {
    assert.deepEqual(task, { type: 'caption', options: { num_beams: 2 } });
  });
  await ended(api, id);
  const { status, isComplete, counts: last } = await statusOf(api, id);
  assert.deepEqual(
    { status, isComplete, last },
    { status: 'ended', isComplete: true, last: { pending: 0, succeeded: 3, failed: 2, cancelled: 0 } },
  );
  assert.deepEqual(
    (await resultsOf(api, id)).map(({ index, custom_id: name, status: end }) => [index, name, end]),
    [
      [0, 'id-0', 'succeeded'],
      [1, 'id-1', 'succeeded'],
      [2, undefined, 'failed'],
      [4, 'b', 'failed'],
      [5, undefined, 'succeeded'],
    ],
  );
  api.tenant = 'another';
  assert.equal((await api.app.inject(`/v1/bulk/${id}`)).statusCode, 404);
});

test('lines are answered by lines, whatever they are, and the first may say what is asked', async () => {
  await using api = await startTestApi(backends);
  const long = `{"image":{"url":"https://images.example.org/${'a'.repeat(1024 * 1024)}"}}`;
  const text = jsonl([{ texts: ['a cat'] }, '', item('a'), '  ', 'not json', long, item('b'), '[]', item('a')]);
  const answer = await upload(api.app, text.slice(0, -1), '/v1/bulk/match');
  assert.equal(answer.statusCode, 202, answer.body);
  const lines = linesOf(answer.body);
  assert.deepEqual(
    lines.slice(0, -1).map(({ index, status, error }) => [index, status, error?.code]),
    [
      [0, 'accepted', undefined],
      [1, 'refused', 'REQUEST_INVALID'],
      [2, 'refused', 'REQUEST_TOO_LARGE'],
      [3, 'accepted', undefined],
      [4, 'refused', 'REQUEST_INVALID'],
      [5, 'duplicate', undefined],
    ],
  );
  assert.equal(lines.at(-1)?.status, 'complete');
  assert.equal(await api.queues.bulk.match.producer.depth(), 2);
  const id = answer.headers.location?.toString().split('/').at(-1) ?? '';
  assert.equal((await statusOf(api, id)).task, 'match');

  for (const [payload, code] of [
    [jsonl([item('a')]), 'REQUEST_INVALID'],
    [jsonl([{ texts: ['a cat'], options: {} }, item('a')]), 'REQUEST_INVALID'],
  ] as const) {
    const refused = await upload(api.app, payload, '/v1/bulk/match');
    assert.equal(refused.statusCode, 400, refused.body);
    assert.equal(refused.json().code, code);
  }
  const conflict = await upload(api.app, jsonl([{ options: { num_return_sequences: 3, num_beams: 2 } }, item('a')]));
  assert.equal(conflict.json().code, 'OPTION_INVALID', conflict.body);
});

test('thousands of lines come in chunks, each answered before the next has come', async () => {
  await using api = await startTestApi(backends, { maxWaiting: 10_000 });
  const url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }));
  const call = httpRequest({
    ...address(url),
    method: 'POST',
    path: '/v1/bulk/captions',
    headers: { 'content-type': 'application/jsonl' },
  });
  call.write(jsonl(Array.from({ length: 300 }, (_, index) => item(index))));
  const [response] = await once(call, 'response');
  let text = '';
  response.on('data', (data: Buffer) => {
    text += data;
  });
  // Those of the second chunk too, which is not full: nothing has come for a moment.
  await waitFor('300 answers', async () => linesOf(text.slice(0, text.lastIndexOf('\n') + 1)).length === 300);
  assert.equal(await api.queues.bulk.caption.producer.depth(), 300);
  const id = String(response.headers.location).split('/').at(-1) ?? '';
  assert.equal((await statusOf(api, id)).status, 'receiving');
  call.end(jsonl(Array.from({ length: 600 }, (_, index) => item(index + 100))));
  await once(response, 'end');
  const lines = linesOf(text);
  assert.deepEqual(lines.at(-1)?.status, 'complete');
  assert.deepEqual(
    lines.slice(0, -1).map(({ index }) => index),
    Array.from({ length: 900 }, (_, index) => index),
  );
  await using _worker = await api.startWorker('bulk');
  await ended(api, id);
  const { counts } = await statusOf(api, id);
  assert.deepEqual(counts, { pending: 0, succeeded: 700, failed: 0, cancelled: 0 });
  const results = await resultsOf(api, id);
  assert.equal(new Set(results.map(({ custom_id: name }) => name)).size, 700);
});

const address = ({ hostname, port }: URL) => ({ hostname, port: Number(port) });

test('an upload that is killed at any byte leaves nothing that is not accounted for, and every answered item ends', async () => {
  await using api = await startTestApi(backends, { maxWaiting: 10_000 });
  const url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }));
  await using _worker = await api.startWorker('bulk');
  const body = jsonl(Array.from({ length: 600 }, (_, index) => item(index)));
  const head = `POST /v1/bulk/captions HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n`;
  let withAnswers = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(body.length), fc.nat(600), async (cut, answers) => {
      const socket = connect(Number(url.port), url.hostname);
      await once(socket, 'connect');
      let text = '';
      const killed = new Promise<void>((resolve) => {
        socket.on('data', (data) => {
          text += data;
          if (text.split('"accepted"').length > answers) socket.resetAndDestroy();
        });
        socket.on('close', () => resolve());
        socket.on('error', () => undefined);
      });
      socket.write(head + body.slice(0, cut), () => {
        // Also one whose server has nothing more to answer.
        socket.setTimeout(200, () => socket.resetAndDestroy());
      });
      await killed;
      const id = /\r\nlocation: \/v1\/bulk\/(\w+)\r\n/i.exec(text)?.[1];
      const answered = [...text.matchAll(/\{"index":(\d+),"custom_id":"[^"]+","status":"accepted"\}/g)].map((line) =>
        Number(line[1]),
      );
      if (id === undefined) return;
      withAnswers += 1;
      await ended(api, id);
      const { counts, isComplete } = await statusOf(api, id);
      assert.equal(isComplete, cut === body.length && isComplete);
      const results = await resultsOf(api, id);
      const done = new Set(results.map(({ index }) => index));
      for (const index of answered) assert.ok(done.has(index), `item ${index} was answered and has no outcome`);
      // What ran is what the counts and the results tell of, and nothing else.
      assert.equal(done.size, counts.succeeded);
      assert.deepEqual(new Set((await backends.requests.readEnds(id)).keys()), done);
    }),
    { numRuns: 10 },
  );
  assert.ok(withAnswers > 2, `${withAnswers} were killed after an answer`);
});

test('while the queue is full an upload waits, and goes on when there is room', async () => {
  await using api = await startTestApi(backends, { maxWaiting: 300 });
  const uploading = upload(api.app, jsonl(Array.from({ length: 700 }, (_, index) => item(index))));
  await waitFor('the first chunk', async () => (await api.queues.bulk.caption.producer.depth()) >= 256);
  await using _worker = await api.startWorker('bulk');
  const answer = await uploading;
  const lines = linesOf(answer.body);
  assert.ok(
    lines.slice(0, -1).every(({ status }) => status === 'accepted'),
    answer.body.slice(-500),
  );
  const id = answer.headers.location?.toString().split('/').at(-1) ?? '';
  await ended(api, id);
  assert.equal((await statusOf(api, id)).counts.succeeded, 700);
});

test('after Redis has lost everything a look at the counts enqueues what has no outcome', async () => {
  await using api = await startTestApi(backends, { maxWaiting: 10_000 });
  const answer = await upload(api.app, jsonl(Array.from({ length: 600 }, (_, index) => item(index))));
  const id = answer.headers.location?.toString().split('/').at(-1) ?? '';
  const socket = connect(Number(new URL(backends.redisUrl).port), new URL(backends.redisUrl).hostname);
  socket.write('FLUSHALL\r\n');
  await once(socket, 'data');
  socket.destroy();
  assert.equal(await api.queues.bulk.caption.producer.depth(), 0);
  assert.equal((await statusOf(api, id)).counts.pending, 600);
  assert.equal(await api.queues.bulk.caption.producer.depth(), 600);
});

test('what is cancelled does not begin, and is told of as cancelled', async () => {
  await using api = await startTestApi(backends);
  const answer = await upload(api.app, jsonl(Array.from({ length: 300 }, (_, index) => item(index))));
  const id = answer.headers.location?.toString().split('/').at(-1) ?? '';
  const cancelled = await api.app.inject({ method: 'POST', url: `/v1/bulk/${id}/cancel` });
  assert.equal(cancelled.statusCode, 200, cancelled.body);
  assert.deepEqual(cancelled.json().counts, { pending: 0, succeeded: 0, failed: 0, cancelled: 300 });
  assert.equal(await api.queues.bulk.caption.producer.depth(), 0);
  const results = await resultsOf(api, id);
  assert.deepEqual([results.length, new Set(results.map(({ status }) => status))], [300, new Set(['cancelled'])]);
});

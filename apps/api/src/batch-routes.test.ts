// Batches by OpenAI's own client, on a real queue and a real Blob storage, with workers that do their work in no time.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import OpenAI, { APIError, toFile } from 'openai';
import { startBackends, startTestApi, type TestApi, type TestBackends, waitFor } from './test-api.ts';

type Batch = OpenAI.Batches.Batch;
/** The client's types name OpenAI's endpoints only; it sends what it is given. */
const endpoint = '/v1/captions' as unknown as '/v1/responses';

const parts = new AsyncDisposableStack();
let backends: TestBackends;

before(async () => {
  backends = parts.use(await startBackends());
});
after(() => parts.disposeAsync());

interface Served extends AsyncDisposable {
  readonly api: TestApi;
  readonly client: OpenAI;
}

async function serve(options: Parameters<typeof startTestApi>[1] = {}): Promise<Served> {
  const api = await startTestApi(backends, options);
  const baseURL = `${await api.app.listen({ host: '127.0.0.1', port: 0 })}/v1`;
  const client = new OpenAI({ apiKey: 'none', baseURL });
  return { api, client, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

const image = { base64: Buffer.from('the bytes of an image').toString('base64') };
const line = (customId: string, change: object = {}) => ({
  custom_id: customId,
  method: 'POST',
  url: '/v1/captions',
  body: { images: [image] },
  ...change,
});
const lines = (count: number) => Array.from({ length: count }, (_, index) => line(`image ${index}`));
const jsonl = (values: readonly unknown[]) =>
  values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n');

const upload = async (client: OpenAI, values: readonly unknown[] | string) => {
  const file = await toFile(Buffer.from(typeof values === 'string' ? values : jsonl(values)), 'a.jsonl');
  return await client.files.create({ file, purpose: 'batch' });
};
const create = async (client: OpenAI, values: readonly unknown[] | string): Promise<Batch> =>
  await client.batches.create({
    input_file_id: (await upload(client, values)).id,
    endpoint,
    completion_window: '24h',
  });

async function until(client: OpenAI, { id }: Batch, status: Batch['status']): Promise<Batch> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const batch = await client.batches.retrieve(id);
    if (batch.status === status) return batch;
    assert.ok(performance.now() < deadline, `the batch is ${batch.status}, not ${status}`);
    // A look counts outcomes, which is work for the storage that the batch needs too.
    await delay(100);
  }
}

interface OutputLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { status_code: number; request_id: string; body: { images?: object[]; error?: object } } | null;
  readonly error: { code: string; message: string } | null;
}
const readLines = async (client: OpenAI, id: string | null | undefined): Promise<OutputLine[]> => {
  if (id == null) return [];
  const text = await (await client.files.content(id)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one));
};

/** What the client throws. */
async function refusal(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof APIError, String(error));
  return error;
}

test('a batch of more lines than its window is worked through in order of its file, each line once', async () => {
  await using served = await serve();
  const { client, api } = served;
  const seen = new Map<number, number>();
  await using _worker = await api.startWorker('bulk', async ({ index }) => {
    seen.set(index, (seen.get(index) ?? 0) + 1);
  });
  const created = await create(client, lines(1_100));
  assert.equal(created.object, 'batch');
  assert.equal(created.endpoint, '/v1/captions');
  const batch = await until(client, created, 'completed');
  assert.deepEqual(batch.request_counts, { total: 1_100, completed: 1_100, failed: 0 });
  assert.equal(batch.error_file_id, null);
  const output = await readLines(client, batch.output_file_id);
  assert.deepEqual(
    output.map(({ custom_id: customId }) => customId),
    lines(1_100).map(({ custom_id: customId }) => customId),
  );
  assert.equal(new Set(output.map(({ id }) => id)).size, 1_100);
  assert.ok([...seen.values()].every((times) => times === 1));
  assert.equal(seen.size, 1_100);
  for (const [from, to] of [
    [batch.created_at, batch.in_progress_at],
    [batch.in_progress_at, batch.finalizing_at],
    [batch.finalizing_at, batch.completed_at],
  ]) {
    assert.ok(from != null && to != null && from <= to, JSON.stringify(batch));
  }
  assert.equal(batch.expires_at, batch.created_at + 24 * 60 * 60);
  const kept = await client.files.retrieve(batch.output_file_id ?? '');
  assert.equal(kept.purpose, 'batch_output');
});

test('lines whose bodies are wrong fail by themselves, with the status that a request of them would have', async () => {
  await using served = await serve();
  const { client, api } = served;
  await using _worker = await api.startWorker('bulk');
  const created = await create(client, [
    line('good'),
    line('option', { body: { images: [image], options: { num_beans: 3 } } }),
    line('url', { body: { images: [{ url: 'ftp://images.example.org/a.jpg' }] } }),
    line('two', { body: { images: [image, image] } }),
    line('lane', { body: { images: [image], lane: 'interactive' } }),
    line('model', { body: { model: 'gpt', messages: [] } }),
    '',
    line('named', { body: { images: [{ ...image, customId: 'mine' }] } }),
  ]);
  const batch = await until(client, created, 'completed');
  assert.deepEqual(batch.request_counts, { total: 7, completed: 2, failed: 5 });
  const [good, named] = await readLines(client, batch.output_file_id);
  assert.equal(good?.custom_id, 'good');
  assert.equal(good?.response?.status_code, 200);
  assert.equal(good?.error, null);
  assert.deepEqual(Object.keys(good?.response?.body ?? {}), ['status', 'createdAt', 'counts', 'images']);
  assert.partialDeepStrictEqual(named?.response?.body.images, [{ index: 0, customId: 'mine', status: 'succeeded' }]);
  const errors = await readLines(client, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id: customId, response }) => [customId, response?.status_code]),
    [
      ['option', 400],
      ['url', 422],
      ['two', 400],
      ['lane', 400],
      ['model', 400],
    ],
  );
  assert.deepEqual(errors[0]?.response?.body, {
    error: {
      message: '/options/num_beans: unknown option "num_beans"; did you mean num_beams?',
      type: 'invalid_request_error',
      param: null,
      code: 'OPTION_INVALID',
    },
  });
});

test('a file with lines that are none, or not of this endpoint, fails the batch and says which lines', async () => {
  await using served = await serve();
  const { client } = served;
  const created = await create(client, [
    line('a'),
    '{"custom_id": "b",',
    line('a'),
    '',
    line('c', { url: '/v1/chat/completions' }),
    line('d', { method: 'GET' }),
    { method: 'POST', url: '/v1/captions', body: {} },
    '[1]',
    line('e', { extra: 1 }),
    line('x'.repeat(513)),
  ]);
  const batch = await until(client, created, 'failed');
  assert.deepEqual(
    batch.errors?.data?.map(({ line: number, code, param }) => [number, code, param]),
    [
      [2, 'invalid_json_line', null],
      [3, 'duplicate_custom_id', 'custom_id'],
      [5, 'url_mismatch', 'url'],
      [6, 'invalid_value', 'method'],
      [7, 'missing_required_parameter', 'custom_id'],
      [8, 'invalid_value', null],
      [9, 'invalid_value', null],
      [10, 'invalid_value', 'custom_id'],
    ],
  );
  assert.ok((batch.failed_at ?? 0) >= batch.created_at);
  assert.deepEqual(batch.request_counts, { total: 0, completed: 0, failed: 0 });
  assert.equal(batch.in_progress_at, null);
  const blank = await until(client, await create(client, '\n \r\n'), 'failed');
  assert.deepEqual(
    blank.errors?.data?.map(({ code }) => code),
    ['empty_file'],
  );
  const many = `${'{}\n'.repeat(50_000)}{}`;
  const cut = await until(client, await create(client, many), 'failed');
  assert.equal(cut.errors?.data?.length, 100);
});

test('what is wrong with a call is said in the form of OpenAI', async () => {
  await using served = await serve();
  const { client } = served;
  const file = await upload(client, [line('a')]);
  const make = (change: object) =>
    client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h', ...change } as never);
  const wrong: [object, number, string, string][] = [
    [{ endpoint: '/v1/chat/completions' }, 400, 'REQUEST_INVALID', 'endpoint'],
    [{ endpoint: '/v1/answer' }, 422, 'TASK_UNSUPPORTED', ''],
    [{ completion_window: '1h' }, 400, 'REQUEST_INVALID', 'completion_window'],
    [{ input_file_id: 'file-none' }, 404, 'NOT_FOUND', 'input_file_id'],
    [{ metadata: { a: 1 } }, 400, 'REQUEST_INVALID', 'metadata.a'],
    [{ output_expires_after: { anchor: 'created_at', seconds: 1 } }, 400, 'REQUEST_INVALID', 'output_expires_after'],
  ];
  for (const [change, status, code, param] of wrong) {
    const error = await refusal(make(change));
    assert.deepEqual([error.status, error.code, error.param ?? ''], [status, code, param], JSON.stringify(change));
    assert.ok(error.message.length > 10);
  }
  assert.match((await refusal(make({ endpoint: '/v1/chat/completions' }))).message, /must be \/v1\/captions, /);

  const content = await toFile(Buffer.from('{}'), 'a.jsonl');
  const otherPurpose = await refusal(client.files.create({ file: content, purpose: 'fine-tune' }));
  assert.deepEqual([otherPurpose.status, otherPurpose.param], [400, 'purpose']);
  const expiring = { file: content, purpose: 'batch', expires_after: { anchor: 'created_at', seconds: 3600 } } as const;
  assert.equal((await refusal(client.files.create(expiring))).status, 400);
  const empty = await refusal(
    client.files.create({ file: await toFile(Buffer.alloc(0), 'a.jsonl'), purpose: 'batch' }),
  );
  assert.deepEqual([empty.status, empty.param], [400, 'file']);
  assert.equal((await refusal(client.files.retrieve('file-x'))).status, 404);
  assert.equal((await refusal(client.batches.retrieve('batch_x'))).status, 404);
  const answer = await served.api.app.inject({ method: 'POST', url: '/v1/files', payload: { purpose: 'batch' } });
  assert.equal(answer.statusCode, 415);
  assert.equal(answer.json().error.code, 'MEDIA_TYPE_UNSUPPORTED');
  const broken = await served.api.app.inject({
    method: 'POST',
    url: '/v1/files',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    payload: '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
  });
  assert.equal(broken.statusCode, 400, broken.body);
  assert.equal(broken.json().error.type, 'invalid_request_error');
});

test('files are listed, read and deleted, but not while a batch needs them', async () => {
  await using served = await serve();
  const { client, api } = served;
  api.tenant = 'filing';
  const first = await upload(client, [line('a')]);
  const text = `\uFEFF${jsonl([line('é')])}\r\n`;
  const second = await upload(client, text);
  assert.deepEqual([second.bytes, second.filename, second.purpose], [Buffer.byteLength(text), 'a.jsonl', 'batch']);
  assert.equal(await (await client.files.content(second.id)).text(), text.slice(1));
  const raw = Buffer.from(await (await client.files.content(second.id)).arrayBuffer());
  assert.equal(raw.toString(), text);
  const listed: string[] = [];
  for await (const { id } of client.files.list({ limit: 1 })) listed.push(id);
  assert.deepEqual(listed, [second.id, first.id]);

  const batch = await client.batches.create({ input_file_id: second.id, endpoint, completion_window: '24h' });
  await until(client, batch, 'in_progress');
  const refused = await refusal(client.files.delete(second.id));
  assert.deepEqual([refused.status, refused.code], [409, 'FILE_IN_USE']);
  await client.batches.cancel(batch.id);
  await until(client, batch, 'cancelled');
  await waitFor('the file to be free', async () => {
    const deleted = await client.files.delete(second.id).catch(() => undefined);
    return deleted?.deleted === true;
  });
  assert.equal((await refusal(client.files.content(second.id))).status, 404);
  assert.equal(
    (await refusal(client.batches.create({ input_file_id: second.id, endpoint, completion_window: '24h' }))).status,
    404,
  );
  const pages: string[] = [];
  for await (const { id } of client.batches.list({ limit: 1 })) pages.push(id);
  assert.deepEqual(pages, [batch.id]);
  const output = await client.batches.retrieve(batch.id);
  const asInput = await refusal(
    client.batches.create({ input_file_id: output.error_file_id ?? '', endpoint, completion_window: '24h' }),
  );
  assert.deepEqual([asInput.status, asInput.param], [400, 'input_file_id']);
});

test('a cancelled batch keeps what had ended, and tells of the rest', async () => {
  await using served = await serve();
  const { client, api } = served;
  const held = Promise.withResolvers<void>();
  await using _worker = await api.startWorker('bulk', async ({ index }) => {
    if (index >= 5) await held.promise;
  });
  const created = await create(client, lines(100));
  await waitFor(
    'five lines to end',
    async () => (await client.batches.retrieve(created.id)).request_counts?.completed === 5,
  );
  const cancelling = await client.batches.cancel(created.id);
  assert.equal(cancelling.status, 'cancelling');
  const batch = await until(client, created, 'cancelled');
  held.resolve();
  assert.deepEqual(batch.request_counts, { total: 100, completed: 5, failed: 95 });
  assert.ok((batch.cancelled_at ?? 0) >= (batch.cancelling_at ?? Number.POSITIVE_INFINITY));
  assert.equal((await readLines(client, batch.output_file_id)).length, 5);
  const errors = await readLines(client, batch.error_file_id);
  assert.deepEqual(errors[0]?.response, null);
  assert.deepEqual(new Set(errors.map(({ error }) => error?.code)), new Set(['batch_cancelled']));
  assert.equal((await client.batches.cancel(created.id)).status, 'cancelled');
});

test('a batch that has ended cannot be cancelled', async () => {
  await using served = await serve();
  const { client, api } = served;
  await using _worker = await api.startWorker('bulk');
  const batch = await until(client, await create(client, [line('a')]), 'completed');
  const refused = await refusal(client.batches.cancel(batch.id));
  assert.deepEqual([refused.status, refused.code], [409, 'BATCH_ENDED']);
});

test('a batch whose window ends keeps what had ended; the rest is batch_expired', async () => {
  await using served = await serve({ batchWindowMs: 6_000 });
  const { client, api } = served;
  const held = Promise.withResolvers<void>();
  await using _worker = await api.startWorker('bulk', async ({ index }) => {
    if (index >= 5) await held.promise;
  });
  const batch = await until(client, await create(client, lines(100)), 'expired');
  held.resolve();
  assert.deepEqual(batch.request_counts, { total: 100, completed: 5, failed: 95 });
  assert.ok((batch.expired_at ?? 0) >= (batch.expires_at ?? Number.POSITIVE_INFINITY));
  assert.equal((await readLines(client, batch.output_file_id)).length, 5);
  const errors = await readLines(client, batch.error_file_id);
  assert.equal(errors.length, 95);
  assert.deepEqual(errors[0]?.response, null);
  assert.deepEqual(errors[0]?.error, {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  });
});

test('jobs that Redis lost are enqueued again', async () => {
  await using served = await serve();
  const { client, api } = served;
  const created = await create(client, lines(150));
  const { producer } = api.queues.bulk.caption;
  await waitFor('the lines to be in the queue', async () => (await producer.depth()) === 150);
  const jobs = Array.from({ length: 150 }, (_, index) => `${created.id.slice('batch_'.length)}-${index}`);
  await producer.withdraw(jobs.filter((_, index) => index % 3 === 0));
  assert.equal(await producer.depth(), 100);
  await waitFor('the lines to be in the queue again', async () => (await producer.depth()) === 150);
  await using _worker = await api.startWorker('bulk');
  const batch = await until(client, created, 'completed');
  assert.deepEqual(batch.request_counts, { total: 150, completed: 150, failed: 0 });
});

test('a queue with less room than a batch has lines takes it bit by bit', async () => {
  await using served = await serve({ maxWaiting: 100 });
  const { client, api } = served;
  const created = await create(client, lines(500));
  await waitFor('the queue to fill', async () => (await api.queues.bulk.caption.producer.depth()) >= 64);
  await using _worker = await api.startWorker('bulk');
  const batch = await until(client, created, 'completed');
  assert.deepEqual(batch.request_counts, { total: 500, completed: 500, failed: 0 });
});

test('two API processes drive the same batches, and each line is done once', async () => {
  const queuePrefix = `{${randomUUID()}}`;
  await using one = await serve({ queuePrefix, maxWaiting: 100 });
  await using other = await serve({ queuePrefix, maxWaiting: 100 });
  const seen = new Map<string, number>();
  await using _worker = await one.api.startWorker('bulk', async (job) => {
    const id = `${job.requestId} ${job.index}`;
    seen.set(id, (seen.get(id) ?? 0) + 1);
  });
  const made = await Promise.all([one, other, one].map(({ client }) => create(client, lines(150))));
  for (const batch of made) {
    const ended = await until(other.client, batch, 'completed');
    assert.deepEqual(ended.request_counts, { total: 150, completed: 150, failed: 0 });
  }
  assert.equal(seen.size, 450);
  assert.ok([...seen.values()].every((times) => times === 1));
});

test('a file over the limit is refused while it arrives, and nothing of it is kept', async () => {
  await using served = await serve();
  const { client, api } = served;
  api.tenant = 'large';
  const part = new Blob([Buffer.alloc(16 * 1024 * 1024, 10)]);
  // More than the body of any other route may have.
  const most = new File(Array(5).fill(part), 'most.jsonl');
  assert.equal((await client.files.create({ file: most, purpose: 'batch' })).bytes, most.size);
  const large = new File([...Array(12).fill(part), Buffer.alloc(8 * 1024 * 1024 + 1)], 'large.jsonl');
  const error = await refusal(client.files.create({ file: large, purpose: 'batch' }));
  assert.deepEqual([error.status, error.code], [413, 'REQUEST_TOO_LARGE']);
  assert.equal((await client.files.list()).data.length, 1);
});

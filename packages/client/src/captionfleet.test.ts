// The client against the API on a real queue and a real Blob storage.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { blobNames } from '@captionfleet/protocol/blob-names';
import { startBackends, startTestApi, type TestApi, type TestBackends } from '../../../apps/api/src/test-api.ts';
import { clientTypesFile, currentClientTypes } from '../../../scripts/client-types.ts';
import { type Captionfleet, type ClientOptions, captionfleet } from './captionfleet.ts';
import { FleetError } from './fleet-error.ts';

let backends: TestBackends;
let api: TestApi;
let fleet: Captionfleet;
let baseUrl: string;

const url = 'https://images.example.org/a.jpg';

before(async () => {
  backends = await startBackends();
  api = await startTestApi(backends);
  baseUrl = await api.app.listen({ host: '127.0.0.1', port: 0 });
  fleet = captionfleet({ baseUrl });
});
after(async () => {
  await api?.[Symbol.asyncDispose]();
  await backends?.[Symbol.asyncDispose]();
});

/** A client in a tenant of its own, whose answers come by way of `fetch`. */
function clientOf(tenant: string, options: Partial<ClientOptions> = {}): Captionfleet {
  api.tenant = tenant;
  return captionfleet({ baseUrl, ...options });
}

test('the types are those of the OpenAPI document', async () => {
  assert.equal(await readFile(clientTypesFile, 'utf8'), await currentClientTypes(), 'run npm run client-types');
});

test('URLs, bytes of every kind, blob references and names go in; each image has its outcome in its place', async () => {
  await using _ = await api.startWorker('interactive');
  const bytes = randomBytes(1_000_000);
  const images = [
    url,
    new URL(url),
    new Uint8Array(bytes),
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    { customId: 'mine "quoted"', bytes: new Blob([bytes]) },
    { customId: 'theirs', url },
  ];
  const { status, images: outcomes } = await fleet.caption(images, { options: { num_beams: 3 }, lane: 'interactive' });
  assert.equal(status, 'succeeded');
  const captions = outcomes.map((image) => (image.status === 'succeeded' ? image.captions[0]?.text : image.status));
  assert.deepEqual(
    captions,
    images.map((_image, index) => `image ${index}`),
  );
  assert.deepEqual([outcomes[4]?.customId, outcomes[5]?.customId], ['mine "quoted"', 'theirs']);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const stored = await backends.blobs.read(blobNames('default').image(sha256), { maxBytes: bytes.length });
  assert.deepEqual(Buffer.from(stored ?? []), bytes);
});

test('a submission whose answer is lost is sent again, and makes one request', async () => {
  let lost = 0;
  const unlucky = clientOf('lost', {
    fetch: async (request) => {
      const answer = await fetch(request);
      if (request.method === 'GET' || lost === 2) return answer;
      lost += 1;
      await answer.body?.cancel();
      throw new TypeError('the connection broke');
    },
  });
  const { id } = await unlucky.submit('caption', [url, randomBytes(100)], {});
  assert.equal(lost, 2);
  assert.deepEqual(await idsOf(unlucky), [id]);
});

test('a key of the caller makes two calls one request', async () => {
  const client = clientOf('key');
  const options = { idempotencyKey: 'order 7' };
  const first = await client.submit('caption', [url], {}, options);
  const second = await client.submit('caption', [url], {}, options);
  assert.equal(second.id, first.id);
  await assert.rejects(client.submit('caption', [url, url], {}, options), {
    name: 'FleetError',
    code: 'IDEMPOTENCY_CONFLICT',
    status: 409,
    retryable: false,
  });
});

test('a full queue is asked again after the pause that it names, until it takes the request or time is up', async () => {
  await using small = await startTestApi(backends, { maxWaiting: 1 });
  const smallUrl = await small.app.listen({ host: '127.0.0.1', port: 0 });
  const pauses: number[] = [];
  await using workers = new AsyncDisposableStack();
  let last = 0;
  let isTime = false;
  const client = captionfleet({
    baseUrl: smallUrl,
    fetch: async (request) => {
      const now = performance.now();
      if (last > 0) pauses.push(now - last);
      const answer = await fetch(request);
      last = performance.now();
      if (answer.status === 429 && isTime) workers.use(await small.startWorker('interactive'));
      return answer;
    },
  });
  await client.submit('caption', [url], {});
  const early = client.submit('caption', [url], {}, { deadlineMs: 500 });
  await assert.rejects(early, { code: 'QUEUE_FULL', status: 429, retryable: true });
  isTime = true;
  last = 0;
  pauses.length = 0;
  await client.submit('caption', [url], {});
  assert.ok(pauses.length > 0);
  for (const pause of pauses) assert.ok(pause >= 990, `${pause} ms`);
});

test('a request that is not finished in time can be waited for again', async () => {
  const client = clientOf('slow');
  const late = await client.caption([url], { deadlineMs: 700 }).catch((error: unknown) => error);
  assert.ok(late instanceof FleetError);
  assert.deepEqual([late.code, late.retryable], ['DEADLINE', true]);
  assert.ok(late.id !== undefined);
  assert.equal((await client.status('caption', late.id)).status, 'queued');
  const waited = client.wait('caption', late.id);
  await using _ = await api.startWorker('interactive');
  assert.equal((await waited).status, 'succeeded');
});

test('every call ends by its signal, with its reason', async () => {
  const client = clientOf('aborted');
  const { id } = await client.submit('caption', [url], {});
  const reason = new Error('no longer wanted');
  const aborted = AbortSignal.abort(reason);
  const calls = [
    client.caption([url], { signal: aborted }),
    client.match([url], ['a cat'], { signal: aborted }),
    client.submit('caption', [new Blob(['x'])], {}, { signal: aborted }),
    client.status('caption', id, { signal: aborted }),
    client.wait('caption', id, { signal: aborted }),
    client.list('caption', { signal: aborted }).next(),
  ];
  for (const call of calls) await assert.rejects(call, reason);
  const controller = new AbortController();
  const waiting = client.wait('caption', id, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(waiting, reason);
});

test('refusals have their code, and say field by field what was wrong', async () => {
  await assert.rejects(fleet.caption([url], { options: { num_beams: 99 } }), (error: FleetError) => {
    assert.deepEqual([error.code, error.status, error.retryable], ['OPTION_INVALID', 400, false]);
    assert.equal(error.problem?.errors?.[0]?.pointer, '/options/num_beams');
    return true;
  });
  await assert.rejects(fleet.answer([url], ['what is it?']), { code: 'TASK_UNSUPPORTED', status: 422 });
  await assert.rejects(fleet.status('caption', 'no-such-id'), { code: 'NOT_FOUND', status: 404 });
  const nobody = captionfleet({ baseUrl: 'http://127.0.0.1:9', deadlineMs: 300 });
  await assert.rejects(nobody.status('caption', 'x'), { name: 'FleetError', retryable: true });
});

test('a listing is iterated over its pages, and stops when its reader does', async () => {
  let pages = 0;
  const client = clientOf('listing', {
    fetch: (request) => {
      if (request.method === 'GET') pages += 1;
      return fetch(request);
    },
  });
  const ids: string[] = [];
  for (let count = 0; count < 23; count += 1) ids.push((await client.submit('caption', [url], {})).id);
  assert.deepEqual((await idsOf(client)).sort(), ids.sort());
  assert.equal(pages, 2);
  for await (const _ of client.list('caption', { createdAfter: new Date(0) })) break;
  assert.equal(pages, 3);
});

test('a request that is cancelled is finished, and waiting for it ends', async () => {
  const client = clientOf('cancelled');
  const { id } = await client.submit('caption', [url, url], {});
  const waiting = client.wait('caption', id);
  assert.equal((await client.cancel('caption', id)).status, 'aborted');
  assert.equal((await waiting).status, 'aborted');
  assert.equal((await client.cancel('caption', id)).status, 'aborted');
});

test('a bulk request is answered item by item, waited for, and its results are iterated in order', async () => {
  const client = clientOf('bulk');
  const names = Array.from({ length: 600 }, (_, index) => `image ${index}`);
  const images = [
    ...names.map((customId) => ({ customId, url })),
    { customId: 'image 0', url },
    { customId: 'bytes', bytes: randomBytes(300_000) },
    'ftp://images.example.org/a.jpg',
  ];
  const { id, counts, items } = await client.bulk.submit('caption', images, { options: { num_beams: 2 } });
  assert.deepEqual(counts, { accepted: 601, duplicate: 1, refused: 1 });
  assert.deepEqual(items[602]?.error?.code, 'URL_REFUSED');
  await assert.rejects(client.bulk.wait(id, { deadlineMs: 300 }), { code: 'DEADLINE', id });
  const waiting = client.bulk.wait(id);
  await using _ = await api.startWorker('bulk', async () => undefined);
  assert.deepEqual((await waiting).counts, { pending: 0, succeeded: 601, failed: 1, cancelled: 0 });
  const results = await Array.fromAsync(client.bulk.results('caption', id));
  assert.deepEqual(
    results.map(({ customId }) => customId),
    [...names, 'bytes', undefined],
  );
  const [first] = results;
  assert.equal(first?.status === 'succeeded' && first.captions[0]?.text, 'image 0');
  for await (const { index } of client.bulk.results('caption', id)) {
    assert.equal(index, 0);
    break;
  }
});

test('a bulk request that is cancelled begins nothing more; one whose answer is lost is not sent again', async () => {
  let sent = 0;
  const client = clientOf('bulk-cancelled', {
    fetch: async (request) => {
      const answer = await fetch(request);
      if (!request.url.endsWith('/v1/bulk/captions')) return answer;
      sent += 1;
      if (sent === 1) return answer;
      await answer.body?.cancel();
      throw new TypeError('the connection broke');
    },
  });
  const { id } = await client.bulk.submit('caption', [url, url], {});
  assert.equal((await client.bulk.cancel(id)).status, 'cancelled');
  assert.deepEqual((await client.bulk.wait(id)).counts, { pending: 0, succeeded: 0, failed: 0, cancelled: 2 });
  const ends = await Array.fromAsync(client.bulk.results('caption', id));
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['cancelled', 'cancelled'],
  );
  await assert.rejects(client.bulk.submit('caption', [url], {}), { code: 'NETWORK' });
  assert.equal(sent, 2);
});

test('results that break off in the middle are no end of them', async () => {
  const client = clientOf('bulk-broken', {
    fetch: async (request) => {
      if (!request.url.endsWith('/results')) return await fetch(request);
      const text = await (await fetch(request)).text();
      return new Response(text.slice(0, -5), { headers: { 'content-type': 'application/x-ndjson' } });
    },
  });
  const { id } = await client.bulk.submit('caption', [url, url], {});
  await client.bulk.cancel(id);
  const reading = client.bulk.results('caption', id);
  assert.equal((await reading.next()).value?.status, 'cancelled');
  await assert.rejects(reading.next(), { code: 'NETWORK', retryable: true });
  const aborted = client.bulk.results('caption', id, { signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(aborted.next(), { message: 'enough' });
});

async function idsOf(client: Captionfleet): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of client.list('caption')) ids.push(id);
  return ids;
}

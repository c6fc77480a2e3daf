import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError, type ErrorCode } from '@captionfleet/protocol/errors';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';
import { type BlobStore, openBlobStore } from './blob-store.ts';

let azurite: TestAzurite;
let store: BlobStore;

before(async () => {
  azurite = await startAzurite();
  store = await openBlobStore({ connectionString: azurite.connectionString, container: 'fleet' });
  await store.ensureContainer();
});
after(async () => await azurite[Symbol.asyncDispose]());

const withCode = (code: ErrorCode) => (error: unknown) => error instanceof CaptionfleetError && error.code === code;
const bytes = (text: string): Buffer => Buffer.from(text);
const limit = { maxBytes: 1024 };

test('of twenty writers of one name exactly one creates the blob, and its bytes stand', async () => {
  const name = `race/${randomUUID()}`;
  const writers = Array.from({ length: 20 }, (_, writer) =>
    store.putOnce(name, bytes(`writer ${writer}`), 'text/plain'),
  );
  const answers = await Promise.all(writers);
  assert.equal(answers.filter((answer) => answer === 'created').length, 1);
  assert.equal(answers.filter((answer) => answer === 'exists').length, 19);
  const winner = answers.indexOf('created');
  assert.equal(Buffer.from((await store.read(name, limit)) ?? []).toString(), `writer ${winner}`);
});

test('a blob or container that is not there reads as undefined', async () => {
  assert.equal(await store.read('nothing', limit), undefined);
  assert.equal(await store.readFrom('no-such-container', 'nothing', limit), undefined);
});

test('a blob over the limit is IMAGE_TOO_LARGE, one at the limit is read whole', async () => {
  const name = `size/${randomUUID()}`;
  await store.putOnce(name, Buffer.alloc(1024, 7), 'application/octet-stream');
  await assert.rejects(store.read(name, { maxBytes: 1023 }), withCode('IMAGE_TOO_LARGE'));
  assert.equal((await store.read(name, { maxBytes: 1024 }))?.byteLength, 1024);
});

test('an empty blob reads as no bytes, not as absent', async () => {
  const name = `empty/${randomUUID()}`;
  await store.putOnce(name, Buffer.alloc(0), 'text/plain');
  assert.equal((await store.read(name, limit))?.byteLength, 0);
});

test('a name cannot lead out of its container', async () => {
  await store.putOnce('secret', bytes('secret'), 'text/plain');
  const outside = ['../fleet/secret', 'a/../../fleet/secret', 'a/./b', '..\\fleet\\secret', 'a\u0000b', ''];
  for (const name of outside) {
    await assert.rejects(store.readFrom('images', name, limit), withCode('SOURCE_NOT_FOUND'), name);
    await assert.rejects(store.putOnce(name, bytes('x'), 'text/plain'), withCode('SOURCE_NOT_FOUND'), name);
  }
});

test('names with spaces, percent signs, question marks and non-Latin letters are kept apart', async () => {
  const names = ['a b', 'a%20b', 'a?b', 'a#b', 'a+b', 'снимок', '%2e%2e/x'].map((name) => `names/${name}`);
  for (const name of names) assert.equal(await store.putOnce(name, bytes(name), 'text/plain'), 'created', name);
  for (const name of names) assert.equal(Buffer.from((await store.read(name, limit)) ?? []).toString(), name);
  assert.deepEqual((await store.list('names/', { limit: 100 })).sort(), names.sort());
});

test('a missing container fails the ping and the write, and ensureContainer mends it, twice', async () => {
  const other = await openBlobStore({ connectionString: azurite.connectionString, container: `c-${randomUUID()}` });
  await assert.rejects(other.ping(), withCode('STORAGE_UNAVAILABLE'));
  await assert.rejects(other.putOnce('a', bytes('a'), 'text/plain'), withCode('STORAGE_UNAVAILABLE'));
  await other.ensureContainer();
  await other.ensureContainer();
  await other.ping();
});

test('an answer of 503 is tried again; one of 403 is not, and no key is told', async () => {
  let answers: number[] = [];
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(answers.shift() ?? 201, { 'x-ms-error-code': 'ServerBusy' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const key = Buffer.from('a canary that must not be seen').toString('base64');
  const { port } = server.address() as AddressInfo;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/a;`;
  const limits = { tries: 3, tryMs: 1_000, totalMs: 5_000, firstPauseMs: 5 };
  const busy = await openBlobStore({ connectionString, container: 'fleet', limits });

  answers = [503, 500];
  assert.equal(await busy.putOnce('a', bytes('a'), 'text/plain'), 'created');
  assert.equal(requests, 3);

  answers = [503, 503, 503];
  await assert.rejects(busy.putOnce('a', bytes('a'), 'text/plain'), withCode('STORAGE_UNAVAILABLE'));
  assert.equal(requests, 6);

  answers = [403];
  const error = await busy.putOnce('a', bytes('a'), 'text/plain').catch((thrown: unknown) => thrown);
  assert.equal(requests, 7);
  assert.ok(withCode('STORAGE_UNAVAILABLE')(error));
  const { inspect } = await import('node:util');
  assert.doesNotMatch(inspect(error, { depth: null, showHidden: true }), /SharedKey|canary|authorization/i);
  assert.ok(!inspect(error, { depth: null, showHidden: true }).includes(key));
  server.close();
});

test('a storage that accepts connections and never answers is given up at the deadline', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:${port}/a;`;
  const limits = { tries: 10, tryMs: 100, totalMs: 400, firstPauseMs: 10 };
  const silent = await openBlobStore({ connectionString, container: 'fleet', limits });
  const started = performance.now();
  await assert.rejects(silent.read('a', limit), withCode('STORAGE_UNAVAILABLE'));
  assert.ok(performance.now() - started < 3_000);

  const reason = new Error('the caller has gone');
  await assert.rejects(silent.read('a', { ...limit, signal: AbortSignal.abort(reason) }), reason);
  server.closeAllConnections();
  server.close();
});

test('a connection string or account URL that is not one is CONFIG_INVALID and not repeated', async () => {
  const secret = 'canary';
  const wrong = [
    { connectionString: `AccountKey=${secret}` },
    { accountUrl: `https://account.blob.core.windows.net/?sig=${secret}` },
    { accountUrl: secret },
  ];
  for (const account of wrong) {
    const error = await openBlobStore({ ...account, container: 'fleet' }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof CaptionfleetError && error.code === 'CONFIG_INVALID');
    assert.doesNotMatch(String(error.stack), /canary/);
  }
});

const contentOf = async (name: string): Promise<string | undefined> => {
  const read = await store.read(name, limit);
  return read === undefined ? undefined : Buffer.from(read).toString();
};

async function* parts(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield bytes(text);
}

test('a staged blob is seen by nobody until it is committed, and the first to commit stays', async () => {
  const name = `staged/${randomUUID()}`;
  const [one, other] = await Promise.all([
    store.stage(name, parts('one ', 'writer')),
    store.stage(name, parts('other')),
  ]);
  assert.equal(one.bytes, 10);
  assert.equal(await store.read(name, limit), undefined);
  assert.equal(await one.commit(), 'created');
  assert.equal(await other.commit(), 'exists');
  assert.equal(await one.commit(), 'exists');
  assert.equal(await contentOf(name), 'one writer');
});

test('a staged blob of several blocks is whole, and ranges of it are what they say', async () => {
  const name = `staged/${randomUUID()}`;
  const part = Buffer.from(Array.from({ length: 3 * 1024 * 1024 }, (_, index) => index % 251));
  const staged = await store.stage(
    name,
    (async function* () {
      for (let count = 0; count < 4; count += 1) yield part;
    })(),
  );
  await staged.commit();
  assert.equal(staged.bytes, 4 * part.byteLength);
  const offset = part.byteLength - 10;
  const range = await store.readRange(name, { offset, length: 20 });
  assert.deepEqual(range, Buffer.concat([part.subarray(-10), part.subarray(0, 10)]));
  const last = await store.readRange(name, { offset: 4 * part.byteLength - 3, length: 100 });
  assert.deepEqual(last, part.subarray(-3));
  assert.equal(await store.readRange('nothing', { offset: 0, length: 1 }), undefined);
});

test('what fails to arrive is not stored', async () => {
  const name = `staged/${randomUUID()}`;
  const broken = (async function* () {
    yield bytes('half');
    throw new Error('the caller went away');
  })();
  await assert.rejects(store.stage(name, broken), { message: 'the caller went away' });
  assert.equal(await store.read(name, limit), undefined);
});

test('a removed blob is gone, and removing it again is no error', async () => {
  const name = `removed/${randomUUID()}`;
  await store.putOnce(name, bytes('a'), 'text/plain');
  await store.remove(name);
  await store.remove(name);
  assert.equal(await store.read(name, limit), undefined);
});

test('a lease is had by one at a time, who alone can delete the blob', async () => {
  const name = `leased/${randomUUID()}`;
  assert.equal(await store.lease(name), undefined);
  await store.putOnce(name, bytes('a'), 'text/plain');
  const taken = await Promise.all(Array.from({ length: 5 }, () => store.lease(name)));
  const [lease, ...others] = taken.filter((one) => one !== undefined);
  assert.ok(lease !== undefined);
  assert.equal(others.length, 0);
  await assert.rejects(store.remove(name), withCode('STORAGE_UNAVAILABLE'));
  await lease[Symbol.asyncDispose]();
  const next = await store.lease(name);
  assert.ok(next !== undefined);
  assert.equal(next.signal.aborted, false);
  await next.remove();
  await next[Symbol.asyncDispose]();
  assert.equal(await store.read(name, limit), undefined);
});

test('a lease is kept for longer than it lasts by itself, and its loss is told', async () => {
  const name = `leased/${randomUUID()}`;
  await store.putOnce(name, bytes('a'), 'text/plain');
  await using lease = await store.lease(name);
  assert.ok(lease !== undefined);
  const heldUntil = performance.now() + 17_000;
  while (performance.now() < heldUntil) {
    await delay(1_000);
    assert.equal(await store.lease(name), undefined, 'another took it');
  }
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  await service.getContainerClient('fleet').getBlobClient(name).getBlobLeaseClient().breakLease(0);
  await once(lease.signal, 'abort');
});

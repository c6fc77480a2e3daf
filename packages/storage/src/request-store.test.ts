import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { blobNames } from '@captionfleet/protocol/blob-names';
import type { ImageOutcome, RequestRecord } from '@captionfleet/protocol/image-outcome';
import type { Task } from '@captionfleet/protocol/task';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';
import { type BlobStore, openBlobStore } from './blob-store.ts';
import { openRequestStore, type RequestStore } from './request-store.ts';

let azurite: TestAzurite;
let blobs: BlobStore;
let requests: RequestStore;

before(async () => {
  azurite = await startAzurite();
  blobs = await openBlobStore({ connectionString: azurite.connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  requests = openRequestStore(blobs);
});
after(async () => await azurite[Symbol.asyncDispose]());

const captioned = (text: string): ImageOutcome => ({
  status: 'succeeded',
  captions: [{ text, tokens: [30522, 1037, 102], confidence: 0.5, meanLogProbability: Math.log(0.5) }],
  image: { width: 384, height: 384, format: 'png', sha256: 'ab'.repeat(32) },
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  timings: { fetchMs: 1, preprocessMs: 2, inferenceMs: 3 },
});

test('a request is read back as it was written, and an unknown one is undefined', async () => {
  const record: RequestRecord = {
    tenant: 'default',
    lane: 'interactive',
    id: '01arz3ndektsv4rrffq69g5fav',
    createdAt: '2026-11-24T03:00:00.000Z',
    task: { type: 'match', texts: ['a cat'] },
    images: [
      { source: { url: 'https://images.example.org/a.jpg' } },
      { refused: { code: 'BASE64_INVALID', message: 'not base64', retryable: false } },
    ],
  };
  await requests.writeRequest(record);
  assert.deepEqual(await requests.readRequest(record.id), record);
  assert.equal(await requests.readRequest('01arz3ndektsv4rrffq69g5faw'), undefined);
});

test('a request for captions lies in Blob in the form of the first version, which is read as ever', async () => {
  const id = '01arz3ndektsv4rrffq69g5fc0';
  const createdAt = '2026-11-24T03:00:00.000Z';
  const images = [{ source: { url: 'https://images.example.org/a.jpg' } }];
  const task: Task = { type: 'caption', options: { num_beams: 3 } };
  const record: RequestRecord = { tenant: 'default', lane: 'interactive', id, createdAt, images, task };
  await requests.writeRequest(record);
  const stored = await blobs.read(blobNames('default').request(id), { maxBytes: 10_000 });
  assert.deepEqual(JSON.parse(Buffer.from(stored ?? []).toString()), {
    ...{ version: 1, id, createdAt, images },
    options: { num_beams: 3 },
  });
  assert.deepEqual(await requests.readRequest(id), record);
});

test('an outcome of any task is read back as it was written', async () => {
  const id = '01arz3ndektsv4rrffq69g5fc1';
  const { captions: _, ...facts } = captioned('a') as Extract<ImageOutcome, { captions: unknown }>;
  const outcomes: ImageOutcome[] = [
    { ...facts, matches: [{ text: 'a cat', probability: 0.9, similarity: -0.1 }] },
    { ...facts, embedding: { image: [0.6, 0.8], texts: [{ text: 'a cat', embedding: [1, 0] }] } },
    { ...facts, answers: [{ question: 'a?', text: 'b', tokens: [1, 2], confidence: 0.5, meanLogProbability: -0.7 }] },
  ];
  for (const [index, outcome] of outcomes.entries()) {
    await requests.writeOutcome(id, index, outcome);
    assert.deepEqual(await requests.readOutcome(id, index), outcome);
  }
});

test('of two outcomes of one image the first stands, and both writers learn it', async () => {
  const id = '01arz3ndektsv4rrffq69g5fb0';
  assert.deepEqual(await requests.writeOutcome(id, 0, captioned('first')), captioned('first'));
  assert.deepEqual(await requests.writeOutcome(id, 0, captioned('second')), captioned('first'));
  assert.deepEqual(await requests.readOutcome(id, 0), captioned('first'));
  assert.equal(await requests.readOutcome(id, 1), undefined);
});

test('the outcomes that exist are listed by index, and the record of the request is not one', async () => {
  const id = '01arz3ndektsv4rrffq69g5fb1';
  await requests.writeRequest({
    tenant: 'default',
    lane: 'interactive',
    id,
    createdAt: '2026-11-24T03:00:00.000Z',
    task: { type: 'embed', texts: [] },
    images: [],
  });
  for (const index of [0, 7, 63]) await requests.writeOutcome(id, index, captioned('a'));
  assert.deepEqual(await requests.progress(id), { outcomes: new Set([0, 7, 63]), isCanceled: false });
});

test('an outcome that could not be read back is refused before it is stored', async () => {
  const id = '01arz3ndektsv4rrffq69g5fb2';
  const broken = { ...captioned('a'), timings: { fetchMs: Number.NaN, preprocessMs: 0, inferenceMs: 0 } };
  await assert.rejects(requests.writeOutcome(id, 0, broken), { code: 'INTERNAL' });
  assert.equal(await requests.readOutcome(id, 0), undefined);
});

test('a stored document of another form is an error, not a guess', async () => {
  const id = '01arz3ndektsv4rrffq69g5fb3';
  await blobs.putOnce(blobNames('default').outcome(id, 0), Buffer.from('{"status":"succeeded"}'), 'application/json');
  await blobs.putOnce(blobNames('default').outcome(id, 1), Buffer.from('{"status":'), 'application/json');
  await assert.rejects(requests.readOutcome(id, 0), { code: 'INTERNAL' });
  await assert.rejects(requests.readOutcome(id, 1), { code: 'INTERNAL' });
});

test('what one tenant has stored no other one reads, and no name of theirs meets', async () => {
  const id = '01arz3ndektsv4rrffq69g5fd0';
  const acme = requests.of('acme');
  const createdAt = '2026-11-24T03:00:00.000Z';
  const task: Task = { type: 'embed', texts: [] };
  const record: RequestRecord = { tenant: 'acme', lane: 'bulk', id, createdAt, task, images: [] };
  await acme.writeRequest(record);
  await acme.writeOutcome(id, 0, captioned('of acme'));
  assert.deepEqual(await acme.readRequest(id), record);
  for (const other of [requests, requests.of('umbrella')]) {
    assert.equal(await other.readRequest(id), undefined);
    assert.deepEqual(await other.progress(id), { outcomes: new Set(), isCanceled: false });
    assert.deepEqual(await other.writeOutcome(id, 0, captioned('of another')), captioned('of another'));
  }
  assert.deepEqual(await acme.readOutcome(id, 0), captioned('of acme'));
  const { reference } = await acme.writeImage(Buffer.from('an image'));
  assert.match(reference.blob.name, /^tenants\/acme\/images\/[0-9a-f]{64}$/);
});

test('the same image sent twice is one blob, named by its content', async () => {
  const image = Buffer.from('the bytes of an image');
  const sha256 = createHash('sha256').update(image).digest('hex');
  const [first, second] = await Promise.all([requests.writeImage(image), requests.writeImage(image)]);
  assert.deepEqual(first, { sha256, reference: { blob: { container: 'fleet', name: `images/${sha256}` } } });
  assert.deepEqual(second, first);
  assert.deepEqual(await blobs.list('images/', { limit: 10 }), [`images/${sha256}`]);
});

test('how images ended is told without reading their outcomes, also of those from before that was stored', async () => {
  const id = '01arz3ndektsv4rrffq69g5fe0';
  const error = { code: 'IMAGE_CORRUPT', message: 'damaged', retryable: false } as const;
  const failed: ImageOutcome = { status: 'failed', error };
  await requests.writeOutcome(id, 0, captioned('a'));
  await requests.writeOutcome(id, 2, failed);
  await blobs.putOnce(blobNames('default').outcome(id, 3), Buffer.from(JSON.stringify(failed)), 'application/json');
  const ends = [
    [0, 'succeeded'],
    [2, 'failed'],
    [3, 'failed'],
  ] as const;
  assert.deepEqual(await requests.readEnds(id), new Map(ends));
  assert.deepEqual(await requests.readEnds(id, { from: 2 }), new Map(ends.slice(1)));
});

test('the ids of requests are listed in their order, from one on', async () => {
  const own = requests.of('lister');
  const ids = ['01arz3ndektsv4rrffq69g5ff0', '01arz3ndektsv4rrffq69g5ff1', '01arz3ndektsv4rrffq69g5ff2'];
  for (const id of ids.toReversed()) await own.writeOutcome(id, 0, captioned('a'));
  const list = (from: string, limit: number) => own.listRequests({ from, limit });
  assert.deepEqual(await list('00000000000000000000000000', 10), ids);
  assert.deepEqual(await list('01arz3ndektsv4rrffq69g5ff1', 1), ids.slice(1, 2));
  assert.deepEqual(await list('01arz3ndektsv4rrffq69g5ff3', 10), []);
});

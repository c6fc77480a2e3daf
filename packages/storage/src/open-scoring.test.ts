import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAzurite } from '../../../test/support/azurite.ts';
import { openBlobStore } from './blob-store.ts';
import { type OpenScoring, openOpenScoring } from './open-scoring.ts';

const parts = new AsyncDisposableStack();
let open: OpenScoring;
before(async () => {
  const { connectionString } = parts.use(await startAzurite());
  const blobs = await openBlobStore({ connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  open = openOpenScoring(blobs);
});
after(() => parts.disposeAsync());

const job = { tenant: 'acme', id: '01arz3ndektsv4rrffq69g5fav' };

test('an open job is held by one at a time, and by nobody once it is closed', async () => {
  assert.equal(await open.hold(job), undefined, 'it is not open yet');
  await open.add(job);
  await open.add(job);
  assert.deepEqual(await open.list(), [job]);
  {
    await using held = await open.hold(job);
    assert.ok(held);
    await open.add(job);
    assert.equal(await open.hold(job), undefined);
  }
  const again = (await open.hold(job)) ?? assert.fail('what was given back can be held');
  await again.remove();
  await again[Symbol.asyncDispose]();
  assert.deepEqual(await open.list(), []);
  assert.equal(await open.hold(job), undefined);
});

test('of many who want a job at a time one gets it', async () => {
  await open.add(job);
  const all = await Promise.all(Array.from({ length: 10 }, () => open.hold(job)));
  const held = all.filter((one) => one !== undefined);
  assert.equal(held.length, 1);
  await held[0]?.[Symbol.asyncDispose]();
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ApiKeyRecord, digestOfKey, makeApiKey } from '@captionfleet/protocol/api-key';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';
import { type BlobStore, openBlobStore } from './blob-store.ts';
import { type KeyStore, openKeyStore } from './key-store.ts';

let azurite: TestAzurite;
let blobs: BlobStore;
let keys: KeyStore;
before(async () => {
  azurite = await startAzurite();
  blobs = await openBlobStore({ connectionString: azurite.connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  keys = openKeyStore(blobs);
});
after(async () => await azurite[Symbol.asyncDispose]());

function newRecord(createdAt = '2026-11-25T03:00:00.000Z'): ApiKeyRecord {
  const key = makeApiKey('test');
  const sha256 = digestOfKey(key).toString('hex');
  return { version: 1, id: key.id, sha256, tenant: 'acme', scopes: ['captions:write'], createdAt };
}

test('a key is found as it was made, and an unknown one is undefined', async () => {
  const record = newRecord();
  await keys.create(record);
  assert.deepEqual(await keys.find(record.id), { record, revoked: false });
  assert.equal(await keys.find(newRecord().id), undefined);
});

test('a key is made once: again is the same, and another of its id is refused', async () => {
  const record = newRecord();
  await keys.create(record);
  await keys.create(record);
  await assert.rejects(keys.create({ ...newRecord(), id: record.id, tenant: 'other' }), { code: 'INTERNAL' });
  assert.equal((await keys.find(record.id))?.record.tenant, 'acme');
});

test('a revocation is for good, twice is once, and there is none of a key that is unknown', async () => {
  const record = newRecord();
  await keys.create(record);
  assert.equal(await keys.revoke(record.id), true);
  assert.equal(await keys.revoke(record.id), true);
  await keys.create(record);
  assert.deepEqual(await keys.find(record.id), { record, revoked: true });
  assert.equal(await keys.revoke(newRecord().id), false);
});

test('the list has every key with the last day of its use, oldest first', async () => {
  const [late, early] = [newRecord('2031-01-02T00:00:00.000Z'), newRecord('2031-01-01T00:00:00.000Z')];
  for (const record of [late, early]) await keys.create(record);
  for (const day of ['2031-02-09', '2031-02-10', '2031-02-10', '2031-01-31']) await keys.noteUse(late.id, day);
  await keys.revoke(early.id);
  const listed = (await keys.list()).filter(({ record }) => [late.id, early.id].includes(record.id));
  assert.deepEqual(listed, [
    { record: early, revoked: true, lastUsed: undefined },
    { record: late, revoked: false, lastUsed: '2031-02-10' },
  ]);
});

test('a record that is damaged or of another key opens nothing', async () => {
  const [damaged, swapped] = [newRecord(), newRecord()];
  await blobs.putOnce(`keys/${damaged.id}.json`, Buffer.from('{"version":1'), 'application/json');
  await blobs.putOnce(`keys/${swapped.id}.json`, Buffer.from(JSON.stringify(damaged)), 'application/json');
  for (const { id } of [damaged, swapped]) await assert.rejects(keys.find(id), { code: 'INTERNAL' });
});

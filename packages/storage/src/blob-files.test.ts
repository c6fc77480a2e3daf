import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { startAzurite } from '../../../test/support/azurite.ts';
import { type BlobFiles, openBlobFiles } from './blob-files.ts';

const parts = new AsyncDisposableStack();
let files: BlobFiles;
let photos: ReturnType<BlobServiceClient['getContainerClient']>;
before(async () => {
  const { connectionString } = parts.use(await startAzurite());
  files = await openBlobFiles({ connectionString });
  photos = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('photos');
  await photos.create();
});
after(() => parts.disposeAsync());

const put = (name: string, metadata = {}) =>
  photos.getBlockBlobClient(name).upload(name, Buffer.byteLength(name), { metadata });

async function names(folder: string, after?: string): Promise<string[]> {
  const pages = await Array.fromAsync(files.listFolder('photos', folder, { after }));
  return pages.flat().map(({ name }) => name);
}

test('a folder has the blobs directly in it, in the order of their names, also after one of them', async () => {
  for (const name of ['a/2.csv', 'a/10.csv', 'a/b/1.csv', 'aa/1.csv', 'a/', 'top.csv']) await put(name);
  await put('a/b', { hdi_isfolder: 'true' });
  assert.deepEqual(await names('a/'), ['a/10.csv', 'a/2.csv']);
  assert.deepEqual(await names('a/', 'a/10.csv'), ['a/2.csv']);
  assert.deepEqual(await names('a/', 'a/2.csv'), []);
  assert.deepEqual(await names(''), ['top.csv']);
});

test('more blobs than a page are all listed, once', async () => {
  const many = Array.from({ length: 1_100 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
  for (let start = 0; start < many.length; start += 50)
    await Promise.all(many.slice(start, start + 50).map((name) => put(name)));
  assert.deepEqual(await names('many/'), many);
  assert.deepEqual(await names('many/', many[1_050]), many.slice(1_051));
});

test('a file is written once: again by its owner is none, and another one is told', async () => {
  const write = async (owner: string, ...content: string[]) => {
    async function* source() {
      yield* content;
    }
    return await files.writeOnce('photos', 'out/a.csv', source(), { owner, contentType: 'text/csv' });
  };
  assert.equal(await write('one', 'a,', 'b\n'), 'written');
  assert.equal(await write('one', 'other'), 'written');
  assert.equal(await write('two', 'other'), 'taken');
  assert.equal(await text((await files.read('photos', 'out/a.csv')) ?? assert.fail()), 'a,b\n');
  assert.equal(await files.read('photos', 'out/none.csv'), undefined);
});

test('content that fails is not written, and what it threw is thrown', async () => {
  // biome-ignore lint/correctness/useYield: it fails before it has anything.
  async function* source(): AsyncGenerator<string> {
    throw new TypeError('the content failed');
  }
  const owner = { owner: 'one', contentType: 'text/csv' };
  await assert.rejects(files.writeOnce('photos', 'out/b.csv', source(), owner), /TypeError: the content failed/);
  assert.equal(await files.read('photos', 'out/b.csv'), undefined);
});

test('names that could leave their container are refused', async () => {
  for (const name of ['a/../../other/b', 'a\\b', '..']) {
    await assert.rejects(files.read('photos', name), { code: 'SOURCE_NOT_FOUND' }, name);
  }
});

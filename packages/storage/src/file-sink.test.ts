import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { openFileSink } from './file-sink.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-sink-'));
});
after(async () => await rm(folder, { recursive: true }));

const failed = (message: string): ImageOutcome => ({
  status: 'failed',
  error: { code: 'IMAGE_CORRUPT', message, retryable: false },
});

test('of twenty writes of one name one stands, all return it, and no temporary file is left', async () => {
  const directory = join(folder, 'new', 'directory');
  const sink = await openFileSink(directory);
  const writes = Array.from({ length: 20 }, (_, writer) => sink.write('image', failed(`writer ${writer}`)));
  const [first, ...others] = await Promise.all(writes);
  for (const other of others) assert.deepEqual(other, first);
  assert.deepEqual(await readdir(directory), ['image.json']);
  assert.deepEqual(JSON.parse(await readFile(join(directory, 'image.json'), 'utf8')), first);
});

test('a name that leaves the directory is refused', async () => {
  const sink = await openFileSink(folder);
  for (const name of ['../a', 'a/b', 'a\\b', '..', '', 'a\u0000']) {
    await assert.rejects(sink.write(name, failed('a')), { code: 'REQUEST_INVALID' }, name);
  }
});

test('a foreign file of that name is an error that names it, and is left alone', async () => {
  const sink = await openFileSink(folder);
  await writeFile(join(folder, 'foreign.json'), 'my diary');
  await assert.rejects(sink.write('foreign', failed('a')), { code: 'STORAGE_UNAVAILABLE', message: /foreign\.json/ });
  assert.equal(await readFile(join(folder, 'foreign.json'), 'utf8'), 'my diary');
});

test('a directory that is a file is an error that names it', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(openFileSink(join(folder, 'file')), { code: 'STORAGE_UNAVAILABLE', message: /EEXIST/ });
});

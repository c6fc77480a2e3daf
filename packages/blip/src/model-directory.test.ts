import assert from 'node:assert/strict';
import { cp, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { editJson } from '../../../test/support/checkpoint-files.ts';
import { buildModel } from './build-model.ts';
import { readModelDirectory } from './model-directory.ts';

const golden = new URL('../../../test/fixtures/golden/captioner/', import.meta.url).pathname;
const signal = AbortSignal.timeout(60_000);
let scratch: string;
let model: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
  model = join(scratch, 'model');
  await buildModel({ checkpoint: golden, output: model, id: 'test/captioner', revision: '1', signal });
});
after(() => rm(scratch, { recursive: true }));

async function copy(): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'copy-'));
  await cp(model, directory, { recursive: true });
  return directory;
}

async function flipBit(path: string, position: number): Promise<void> {
  await using handle = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, position);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, position);
}

const rejection = (code: string, message: RegExp) => ({ name: 'CaptionfleetError', code, message });

test('a whole directory opens, and names its files by absolute paths', async () => {
  const directory = await readModelDirectory(model, { signal });
  assert.equal(directory.path, model);
  assert.equal(directory.file('weights.bin'), join(model, 'weights.bin'));
  assert.throws(() => directory.file('../weights.bin'), rejection('MODEL_NOT_FOUND', /names no file/));
});

test('one flipped bit in any file is found, and the error names the file', async () => {
  for (const file of await readdir(model)) {
    const directory = await copy();
    const { size } = await stat(join(directory, file));
    await flipBit(join(directory, file), Math.floor(size / 2));
    await assert.rejects(readModelDirectory(directory, { signal }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'MODEL_CORRUPT');
      assert.ok(error.message.startsWith(`${file}:`), error.message);
      return true;
    });
  }
});

test('a manifest that was edited differs from its own checksum', async () => {
  const directory = await copy();
  await editJson(join(directory, 'manifest.json'), (json) => {
    json['revision'] = '2';
  });
  await assert.rejects(
    readModelDirectory(directory, { signal }),
    rejection('MODEL_CORRUPT', /^manifest\.json: differs from its own checksum/),
  );
});

test('a missing directory, manifest or file is not found, and the error says what makes one', async () => {
  const makes = /captionfleet model build.*captionfleet model pull/;
  await assert.rejects(readModelDirectory(join(scratch, 'nowhere'), { signal }), rejection('MODEL_NOT_FOUND', makes));
  for (const file of await readdir(model)) {
    const directory = await copy();
    await rm(join(directory, file));
    const message = new RegExp(`has no ${file}; .*${makes.source}`);
    await assert.rejects(readModelDirectory(directory, { signal }), rejection('MODEL_NOT_FOUND', message));
  }
});

test('a truncated file is corrupt', async () => {
  const directory = await copy();
  await using handle = await open(join(directory, 'weights.bin'), 'r+');
  await handle.truncate(1000);
  await assert.rejects(
    readModelDirectory(directory, { signal }),
    rejection('MODEL_CORRUPT', /^weights\.bin: has 1000 bytes, the manifest says \d+/),
  );
});

test('a manifest of another schema version is unsupported', async () => {
  const directory = await copy();
  for (const version of [1, 3]) {
    await editJson(join(directory, 'manifest.json'), (json) => {
      json['schemaVersion'] = version;
    });
    await assert.rejects(
      readModelDirectory(directory, { signal }),
      rejection('MODEL_UNSUPPORTED', /^manifest\.json: schemaVersion: this version of captionfleet reads 2/),
    );
  }
});

test('verification stops when its signal aborts', async () => {
  const stopped = AbortSignal.abort(new Error('stopped by the test'));
  await assert.rejects(readModelDirectory(model, { signal: stopped }), /stopped by the test/);
});

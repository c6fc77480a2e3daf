import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildModel } from '@captionfleet/blip/build-model';
import { type ErrorCode, reportError } from '@captionfleet/protocol/errors';
import { editJson, shardCheckpoint } from '../../../test/support/checkpoint-files.ts';
import { type HubRepository, type HubRequestRecord, startHubServer } from '../../../test/support/hub-server.ts';
import { saveAsTorchFile } from '../../../test/support/torch-files.ts';
import { findFreePort } from './local-process.ts';
import { type PullOptions, pullModel } from './model-pull.ts';

const golden = fileURLToPath(new URL('../../../test/fixtures/golden/captioner', import.meta.url));
const id = 'owner/blip-small';
const commit = '0123456789abcdef0123456789abcdef01234567';
const weights = 'model.safetensors';

/** A hub with the golden checkpoint, changed by `edit`, and an empty cache. */
async function openHub(repository: Partial<HubRepository> = {}, edit?: (directory: string) => Promise<unknown>) {
  const scratch = await mkdtemp(join(tmpdir(), 'captionfleet-pull-'));
  const directory = join(scratch, 'repository');
  await cp(golden, directory, { recursive: true });
  await edit?.(directory);
  const hub = await startHubServer({ id, directory, commit, references: ['main', 'refs/pr/1'], ...repository });
  const cacheDirectory = join(scratch, 'cache');
  return {
    ...hub,
    directory,
    cacheDirectory,
    checkpoint: join(cacheDirectory, 'owner--blip-small', commit),
    partials: join(cacheDirectory, 'owner--blip-small', 'partials'),
    pull: (options: Partial<PullOptions> = {}) =>
      pullModel({
        ...{ id, revision: 'main', cacheDirectory, endpoint: hub.url, onProgress: () => undefined },
        signal: AbortSignal.timeout(60_000),
        ...options,
      }),
    [Symbol.asyncDispose]: async () => {
      await hub[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true });
    },
  };
}

const expectError = async (pull: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> => {
  const error = await pull.then(
    () => assert.fail('the pull succeeded'),
    (reason: unknown) => reason,
  );
  const report = reportError(error);
  assert.deepEqual(
    { code: report.code, message: message.test(report.message) || report.message },
    { code, message: true },
  );
};

async function expectSameFiles(directory: string, expected: string): Promise<void> {
  const names = (await readdir(expected)).sort();
  assert.deepEqual((await readdir(directory)).sort(), names);
  for (const name of names) {
    assert.deepEqual(await readFile(join(directory, name)), await readFile(join(expected, name)), name);
  }
}

const fromCdn = (requests: readonly HubRequestRecord[]) => requests.filter(({ origin }) => origin === 'cdn');

test('a pull brings every file of the checkpoint, from the commit that the branch names', async () => {
  await using hub = await openHub();
  const progress: number[] = [];
  const pulled = await hub.pull({ onProgress: ({ done, total }) => progress.push(done / total) });
  assert.deepEqual(pulled, { checkpointDirectory: hub.checkpoint, revision: commit });
  await expectSameFiles(hub.checkpoint, golden);
  assert.equal(progress.at(-1), 1);
  assert.deepEqual(await readdir(hub.partials), []);
  const resolved = hub.requests.filter(({ path }) => path.includes('/resolve/'));
  assert.ok(resolved.every(({ path }) => path.includes(commit)));
});

test('a second pull downloads nothing, and replaces a file that was damaged since', async () => {
  await using hub = await openHub();
  await hub.pull({ revision: 'refs/pr/1' });
  const before = hub.requests.length;
  await hub.pull();
  assert.deepEqual(
    hub.requests.slice(before).filter(({ path }) => !path.startsWith('/api/models/')),
    [],
  );
  const bytes = await readFile(join(hub.checkpoint, weights));
  bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
  await writeFile(join(hub.checkpoint, weights), bytes);
  await hub.pull();
  await expectSameFiles(hub.checkpoint, golden);
});

test('a connection that breaks costs only the bytes that had not arrived', async () => {
  await using hub = await openHub();
  hub.faults.set(weights, [{ cutAfterBytes: 300_000 }]);
  await hub.pull();
  await expectSameFiles(hub.checkpoint, golden);
  const { size } = await stat(join(golden, weights));
  const [first, second, ...more] = fromCdn(hub.requests);
  const start = Number(second?.range?.match(/^bytes=(\d+)-$/)?.[1]);
  assert.equal(more.length, 0);
  assert.ok(start > 0 && start <= 300_000, `resumed from ${start}`);
  assert.equal(first?.bytesSent, 300_000);
  assert.equal(second?.bytesSent, size - start);
});

test('a pull that was aborted ends at once, and the next one goes on where it stopped', async () => {
  await using hub = await openHub();
  const { size } = await stat(join(golden, weights));
  const stop = new AbortController();
  const stopped = hub.pull({
    signal: stop.signal,
    onProgress: ({ total, done }) => {
      if (total > size && done > total - size + 100_000) stop.abort(new Error('stopped by the test'));
    },
  });
  await assert.rejects(stopped, /stopped by the test/);
  assert.deepEqual(
    (await readdir(hub.partials)).map((name) => name.replace(/^[0-9a-f]{64}/, 'SHA256')),
    ['SHA256.partial'],
  );
  await assert.rejects(stat(join(hub.checkpoint, weights)));
  await hub.pull();
  await expectSameFiles(hub.checkpoint, golden);
  assert.match(fromCdn(hub.requests).at(-1)?.range ?? '', /^bytes=[1-9]\d{5}-$/);
});

test('what a killed pull left is claimed by the next; what a living one writes is not', async () => {
  await using hub = await openHub();
  await hub.pull();
  const { size } = await stat(join(hub.checkpoint, weights));
  const checksum = createHash('sha256')
    .update(await readFile(join(golden, weights)))
    .digest('hex');
  const leave = async (owner: string, bytes: number): Promise<string> => {
    const name = `${checksum}.partial.${owner}.0-0`;
    await cp(join(golden, weights), join(hub.partials, name));
    await truncate(join(hub.partials, name), bytes);
    return name;
  };
  const living = await leave(`elsewhere.1`, 500_000);
  const killed = await leave(`elsewhere.2`, 400_000);
  await utimes(join(hub.partials, killed), 0, 0);
  await rename(join(hub.checkpoint, weights), join(hub.checkpoint, 'aside'));
  await hub.pull();
  assert.deepEqual(await readdir(hub.partials), [living]);
  const last = fromCdn(hub.requests).at(-1);
  assert.deepEqual([last?.range, last?.bytesSent], ['bytes=400000-', size - 400_000]);
});

test('a server that sends the whole file instead of the rest does not corrupt it', async () => {
  await using hub = await openHub();
  hub.faults.set(weights, [{ cutAfterBytes: 300_000 }, { ignoresRange: true }]);
  await hub.pull();
  await expectSameFiles(hub.checkpoint, golden);
  const { range, status } = fromCdn(hub.requests).at(-1) ?? {};
  assert.deepEqual([typeof range, status], ['string', 200]);
});

test('a flipped byte is refused, leaves no file, and does not spoil the next pull', async () => {
  await using hub = await openHub();
  for (const name of [weights, 'config.json']) {
    hub.faults.set(name, [{ flippedByte: 700 }]);
    await expectError(hub.pull(), 'MODEL_CORRUPT', new RegExp(`^${name}: .*checksum`));
    await assert.rejects(stat(join(hub.checkpoint, name)));
    assert.deepEqual(await readdir(hub.partials), []);
    await rm(hub.cacheDirectory, { recursive: true });
  }
  await hub.pull();
  await expectSameFiles(hub.checkpoint, golden);
});

test('a hub that is busy or silent once, and storage whose address expired, are asked again', async () => {
  await using hub = await openHub();
  hub.faults.set('config.json', [{ status: 503 }, { hangs: true }]);
  hub.faults.set(weights, [{ status: 429 }, { status: 403 }]);
  await hub.pull({ silenceMs: 500 });
  await expectSameFiles(hub.checkpoint, golden);
});

test('a hub that stays busy or away fails with what it did and how often', async () => {
  await using hub = await openHub();
  hub.faults.set(
    'config.json',
    Array.from({ length: 10 }, () => ({ status: 503 })),
  );
  const port = await findFreePort();
  const nowhere = `http://127.0.0.1:${port}`;
  const unreachable = new RegExp(`^127.0.0.1:${port} could not be reached \\(5 tries\\)$`);
  await Promise.all([
    expectError(hub.pull(), 'MODEL_DOWNLOAD_FAILED', /^127.0.0.1:\d+ answered 503 \(5 tries\)$/),
    expectError(hub.pull({ endpoint: nowhere }), 'MODEL_DOWNLOAD_FAILED', unreachable),
  ]);
});

test('a sharded checkpoint comes with its index and every shard', async () => {
  await using hub = await openHub({}, (directory) => shardCheckpoint(directory, 3));
  await hub.pull();
  await expectSameFiles(hub.checkpoint, hub.directory);
  assert.equal((await readdir(hub.checkpoint)).filter((name) => name.endsWith('.safetensors')).length, 3);
});

test('two pulls at once both succeed', async () => {
  await using hub = await openHub();
  await Promise.all([hub.pull(), hub.pull()]);
  await expectSameFiles(hub.checkpoint, golden);
  assert.deepEqual(await readdir(hub.partials), []);
});

test('the token goes to the hub and to no other host, and a refusal without one says what to set', async () => {
  const token = 'hf_secretsecret';
  await using hub = await openHub({ token });
  await expectError(hub.pull(), 'MODEL_DOWNLOAD_FAILED', /answered 401: .*owner\/blip-small.*set HF_TOKEN/);
  await expectError(hub.pull({ token: 'other' }), 'MODEL_DOWNLOAD_FAILED', /the token in HF_TOKEN may not read it$/);
  const before = hub.requests.length;
  await hub.pull({ token });
  await expectSameFiles(hub.checkpoint, golden);
  for (const { origin, authorization } of hub.requests.slice(before)) {
    assert.equal(authorization, origin === 'hub' ? `Bearer ${token}` : undefined);
  }
  assert.ok(fromCdn(hub.requests).length > 0);
});

test('an unknown revision, an id that is none and an endpoint that is none are named', async () => {
  await using hub = await openHub();
  await expectError(hub.pull({ revision: 'v9' }), 'MODEL_DOWNLOAD_FAILED', /answered 404: .* has no revision v9$/);
  await expectError(hub.pull({ id: '../..' }), 'CONFIG_INVALID', /owner\/name/);
  await expectError(hub.pull({ revision: 'a b' }), 'CONFIG_INVALID', /branch, tag or commit/);
  await expectError(hub.pull({ endpoint: 'http://me:hunter2@x' }), 'CONFIG_INVALID', /^HF_ENDPOINT (?!.*hunter2)/);
});

test('a checkpoint that has only pytorch_model.bin is brought like any other and builds the same weights', async () => {
  await using hub = await openHub({}, saveAsTorchFile);
  const { checkpointDirectory } = await hub.pull();
  await expectSameFiles(checkpointDirectory, hub.directory);
  assert.ok((await readdir(checkpointDirectory)).includes('pytorch_model.bin'));
  const built = async (checkpoint: string, name: string): Promise<Buffer> => {
    const output = join(hub.cacheDirectory, name);
    await buildModel({ checkpoint, output, id, revision: commit, signal: AbortSignal.timeout(60_000) });
    return await readFile(join(output, 'weights.bin'));
  };
  const [pulled, original] = [await built(checkpointDirectory, 'pulled'), await built(golden, 'original')];
  assert.ok(pulled.equals(original));
});

test('a damaged pytorch_model.bin is refused by its checksum', async () => {
  await using hub = await openHub({}, saveAsTorchFile);
  hub.faults.set('pytorch_model.bin', [{ flippedByte: 700 }]);
  await expectError(hub.pull(), 'MODEL_CORRUPT', /^pytorch_model\.bin: .*checksum/);
  assert.equal((await readdir(hub.checkpoint)).includes('pytorch_model.bin'), false);
});

test('of a checkpoint saved in both ways only the safetensors are brought', async () => {
  await using hub = await openHub({}, async (directory) => {
    await saveAsTorchFile(directory);
    await cp(join(golden, weights), join(directory, weights));
  });
  await hub.pull();
  await expectSameFiles(hub.checkpoint, golden);
});

test('a checkpoint without weights, without a tokenizer, or of another model is refused before its weights', async () => {
  const changes: [RegExp, (directory: string) => Promise<unknown>][] = [
    [/has neither model.safetensors nor pytorch_model.bin$/, (at) => rm(join(at, weights))],
    [/has no tokenizer.json and no vocab.txt$/, (at) => rm(join(at, 'tokenizer.json'))],
    [/model_type/, (at) => editJson(join(at, 'config.json'), (config) => Object.assign(config, { model_type: 'git' }))],
  ];
  for (const [message, change] of changes) {
    await using hub = await openHub({}, change);
    await expectError(hub.pull(), 'MODEL_UNSUPPORTED', message);
    assert.equal(fromCdn(hub.requests).length, 0);
  }
});

test('weights that the disk has no room for are refused before their first byte', async () => {
  await using hub = await openHub({ listedBytes: { [weights]: 2 ** 52 } });
  await expectError(hub.pull(), 'CONFIG_INVALID', /has room for \d+ bytes; the download needs 4503599627370496$/);
  assert.equal(fromCdn(hub.requests).length, 0);
});

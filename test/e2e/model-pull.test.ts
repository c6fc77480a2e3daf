import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { captionfleet } from '../support/command-line.ts';
import { startHubServer } from '../support/hub-server.ts';
import { writeRandomCheckpoint } from '../support/random-checkpoint.ts';

const weights = 'model.safetensors';
const commit = 'fedcba9876543210fedcba9876543210fedcba98';

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

test("model pull brings and builds a checkpoint of the real model's size over a connection that breaks", async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'captionfleet-full-size-'));
  try {
    const repository = join(scratch, 'repository');
    await writeRandomCheckpoint(repository, { seed: 5 });
    const { size } = await stat(join(repository, weights));
    assert.ok(size > 890_000_000);
    const [id, token] = ['owner/blip-random', 'hf_abcdefgh'];
    await using hub = await startHubServer({ id, directory: repository, commit, references: ['main'], token });
    hub.faults.set(weights, [{ cutAfterBytes: 600_000_000 }]);
    const home = join(scratch, 'home');
    const env = { HF_ENDPOINT: hub.url, HF_TOKEN: token, CAPTIONFLEET_HOME: home };
    const model = join(scratch, 'model');
    const pull = await captionfleet(['model', 'pull', id, '--no-int8', '--out', model], env);
    assert.deepEqual(pull, { code: 0, stdout: `${model}\n`, stderr: '' });

    const pulled = join(home, 'hub', 'owner--blip-random', commit, weights);
    assert.equal(await sha256(pulled), await sha256(join(repository, weights)));
    const [first, second, ...more] = hub.requests.filter(({ origin }) => origin === 'cdn');
    assert.equal(more.length, 0);
    // What was on its way when the connection broke is all that is sent twice.
    const sent = (first?.bytesSent ?? 0) + (second?.bytesSent ?? 0);
    assert.ok(sent >= size && sent < size + 50_000_000, `${sent - size} bytes were sent twice`);

    const shown = await captionfleet(['model', 'show', model], env);
    const { revision, source, tasks } = JSON.parse(shown.stdout);
    assert.deepEqual({ revision, source, tasks }, { revision: commit, source: `${id}@${commit}`, tasks: ['caption'] });
  } finally {
    await rm(scratch, { recursive: true });
  }
});

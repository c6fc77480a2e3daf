import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';

const main = new URL('./main.ts', import.meta.url).pathname;

let azurite: TestAzurite;
before(async () => {
  azurite = await startAzurite();
});
after(() => azurite[Symbol.asyncDispose]());

/** Runs a worker that cannot start until it has ended. */
async function runWorker(env: NodeJS.ProcessEnv): Promise<{ code: unknown; output: string }> {
  const settings = { CAPTIONFLEET_HEALTH_PORT: '0', AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString, ...env };
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...settings } });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { code, output: stdout + stderr };
}

test('a worker without its settings names them and ends with 1', async () => {
  const { code, output } = await runWorker({ CAPTIONFLEET_LANES: 'fast' });
  assert.equal(code, 1);
  assert.match(output, /^CONFIG_INVALID: CAPTIONFLEET_LANES.0: .*; CAPTIONFLEET_MODEL_DIR: [^\n]*\n$/);
});

test('a worker whose model directory is none says so once and ends with 1', async () => {
  const { code, output } = await runWorker({
    CAPTIONFLEET_MODEL_DIR: '/nowhere',
    CAPTIONFLEET_INFERENCE_PROCESSES: '2',
  });
  assert.equal(code, 1);
  const lines = output.trim().split('\n');
  assert.equal(lines.length, 1, output);
  assert.match(JSON.parse(lines[0] ?? '').msg, /^MODEL_NOT_FOUND: \/nowhere has no manifest\.json/);
});

test('a worker on a size that it is not to run on names that and those that are right, and ends with 1', async () => {
  const { code, output } = await runWorker({
    CAPTIONFLEET_MODEL_DIR: '/nowhere',
    CAPTIONFLEET_MACHINE_SIZE: 'Standard_DS2_v2',
    CAPTIONFLEET_ALLOWED_SIZES: 'Standard_D4as_v6,Standard_D8as_v6',
  });
  assert.equal(code, 1);
  const [line, ...more] = output.trim().split('\n');
  assert.deepEqual(more, []);
  assert.match(
    JSON.parse(line ?? '').msg,
    /^MACHINE_NOT_ALLOWED: this machine is a Standard_DS2_v2; .* run on Standard_D4as_v6, Standard_D8as_v6$/,
  );
});

test('a worker of the gpu pool ends on a size without GPUs', async () => {
  const { code, output } = await runWorker({
    CAPTIONFLEET_MODEL_DIR: '/nowhere',
    CAPTIONFLEET_POOL: 'gpu',
    CAPTIONFLEET_MACHINE_SIZE: 'D4as_v6',
  });
  assert.equal(code, 1);
  assert.match(
    JSON.parse(output.trim()).msg,
    /^MACHINE_NOT_ALLOWED: this machine is a Standard_D4as_v6, which has no GPU/,
  );
});

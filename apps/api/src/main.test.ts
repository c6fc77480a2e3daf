// The API as a process: how it starts, and how it ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startAzurite } from '../../../test/support/azurite.ts';
import { startRedis } from '../../../test/support/redis.ts';

const shared = new AsyncDisposableStack();
let settings: NodeJS.ProcessEnv;

before(async () => {
  const [redis, azurite] = [shared.use(await startRedis()), shared.use(await startAzurite())];
  settings = { REDIS_URL: redis.url, AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString, PORT: '0' };
});
after(() => shared.disposeAsync());

const startProcess = (env: NodeJS.ProcessEnv) =>
  spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process that does not end by itself fails the test, and does not outlive it.
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });

/** How a process ends that is expected to end by itself. */
async function ending(env: NodeJS.ProcessEnv): Promise<{ code: number | null; errors: string }> {
  const started = startProcess(env);
  started.stdout.resume();
  let errors = '';
  started.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const [code] = await once(started, 'close');
  return { code, errors };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`it says where it listens, answers there, and ends with 0 on ${signal}`, async () => {
    const started = startProcess(settings);
    const closed = once(started, 'close');
    let url: string | undefined;
    for await (const line of createInterface(started.stdout)) {
      const { msg } = JSON.parse(line);
      assert.notEqual(msg, '');
      url = /^listening on (http:\S+)$/.exec(msg)?.[1];
      if (url !== undefined) break;
    }
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    started.kill(signal);
    assert.deepEqual(await closed, [0, null]);
  });
}

test('a port in use, a wrong setting and a storage that is away end it with 1 and one line that says so', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const busy = await ending({ ...settings, PORT: String(port) }).finally(() => other.close());
  assert.equal(busy.code, 1);
  assert.match(busy.errors, new RegExp(`^CONFIG_INVALID: HOST 127\\.0\\.0\\.1, PORT ${port} is in use\n$`));

  const wrong = await ending({ ...settings, LOG_LEVEL: 'loud' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.errors, /^CONFIG_INVALID: LOG_LEVEL: .*\n$/);

  const away = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:${port}/a;`;
  const lost = await ending({ ...settings, AZURE_STORAGE_CONNECTION_STRING: away });
  assert.equal(lost.code, 1);
  assert.match(lost.errors, /^STORAGE_UNAVAILABLE: .*\n$/);
  assert.doesNotMatch(lost.errors, /a2V5/);
});

// The API as a process: how it starts, and how it ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { defaultQueuePrefix, queueName } from '@captionfleet/protocol/queue-names';
import { openConsumer } from '@captionfleet/queue/consumer';
import { startAzurite } from '../../../test/support/azurite.ts';
import { captionfleet } from '../../../test/support/command-line.ts';
import { startRedis } from '../../../test/support/redis.ts';

const shared = new AsyncDisposableStack();
let settings: NodeJS.ProcessEnv;
const freePorts = { PORT: '0', CAPTIONFLEET_ADMIN_PORT: '0' };

before(async () => {
  const [redis, azurite] = [shared.use(await startRedis()), shared.use(await startAzurite())];
  settings = { REDIS_URL: redis.url, AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString, ...freePorts };
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

interface Started extends AsyncDisposable {
  /** Where it listens for callers. */
  readonly url: string;
  readonly adminUrl: string;
  /** What it wrote until then. */
  readonly lines: readonly Record<string, unknown>[];
  /** Ends it, and returns how it ended. */
  stop(signal: NodeJS.Signals): Promise<unknown[]>;
}

async function startListening(env: NodeJS.ProcessEnv): Promise<Started> {
  const started = startProcess(env);
  const closed = once(started, 'close');
  const lines: Record<string, unknown>[] = [];
  const urls: string[] = [];
  for await (const line of createInterface(started.stdout)) {
    const entry = JSON.parse(line);
    assert.notEqual(entry.msg, '');
    lines.push(entry);
    const url = /^listening (?:for operators )?on (http:\S+)$/.exec(entry.msg)?.[1];
    if (url !== undefined) urls.push(url);
    if (urls.length === 2) break;
  }
  const [adminUrl = '', url = ''] = urls;
  const stop = async (signal: NodeJS.Signals): Promise<unknown[]> => {
    started.kill(signal);
    return await closed;
  };
  return { url, adminUrl, lines, stop, [Symbol.asyncDispose]: async () => void (await stop('SIGKILL')) };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`it says where it listens, answers there, and ends with 0 on ${signal}`, async () => {
    await using started = await startListening(settings);
    assert.equal((await fetch(`${started.url}/readyz`)).status, 200);
    assert.match(await (await fetch(`${started.adminUrl}/metrics`)).text(), /captionfleet_queue_jobs/);
    assert.equal((await fetch(`${started.url}/metrics`)).status, 404);
    assert.deepEqual(await started.stop(signal), [0, null]);
  });
}

test('where anyone may call the log warns of it, and beyond this machine it does not start so', async () => {
  await using started = await startListening(settings);
  const warning = started.lines.find(({ level }) => level === 'warn');
  assert.match(String(warning?.['msg']), /CAPTIONFLEET_AUTH is off/);

  const open = await ending({ ...settings, HOST: '0.0.0.0' });
  assert.equal(open.code, 1);
  assert.match(open.errors, /^CONFIG_INVALID: CAPTIONFLEET_AUTH: is off.*\n$/);
});

test('with keys it lets in who shows one that the command line made, until it is revoked', async () => {
  await using started = await startListening({ ...settings, CAPTIONFLEET_AUTH: 'keys' });
  assert.ok(!started.lines.some(({ level }) => level === 'warn'));
  const env = { AZURE_STORAGE_CONNECTION_STRING: settings['AZURE_STORAGE_CONNECTION_STRING'] ?? '' };
  const made = await captionfleet(['key', 'create', '--tenant', 'acme', '--scope', 'captions:read'], env);
  const key = made.stdout.trim();
  const ask = async (headers: Record<string, string>) =>
    (await fetch(`${started.url}/v1/captions/${'0'.repeat(26)}`, { headers })).status;
  assert.equal(await ask({}), 401);
  assert.equal(await ask({ authorization: `Bearer ${key}` }), 404);
  assert.equal((await captionfleet(['key', 'revoke', key.split('_')[2] ?? ''], env)).code, 0);
  const deadline = Date.now() + 10_000;
  while ((await ask({ authorization: `Bearer ${key}` })) !== 401) {
    assert.ok(Date.now() < deadline, 'the revocation is not seen');
    await delay(50);
  }
});

test('with keys tenants take turns in the queue', { timeout: 60_000 }, async () => {
  await using started = await startListening({ ...settings, CAPTIONFLEET_AUTH: 'keys' });
  const env = { AZURE_STORAGE_CONNECTION_STRING: settings['AZURE_STORAGE_CONNECTION_STRING'] ?? '' };
  const submit = async (tenant: string, count: number): Promise<void> => {
    const made = await captionfleet(['key', 'create', '--tenant', tenant, '--scope', 'captions:write'], env);
    const response = await fetch(`${started.url}/v1/captions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${made.stdout.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        images: Array.from({ length: count }, () => ({ url: 'https://images.example.org/a.jpg' })),
      }),
    });
    assert.equal(response.status, 202);
  };
  await submit('acme', 20);
  await submit('zeta', 3);
  const order: string[] = [];
  const all = Promise.withResolvers<void>();
  const queue = queueName('interactive', 'cpu', 'caption');
  const options = { redisUrl: settings['REDIS_URL'] ?? '', queue, prefix: defaultQueuePrefix, concurrency: 1 };
  await using _ = await openConsumer(options, async ({ job }) => {
    order.push(job.tenant);
    if (order.length === 23) all.resolve();
  });
  await all.promise;
  assert.equal(order.lastIndexOf('zeta'), 5, order.join(' '));
});

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

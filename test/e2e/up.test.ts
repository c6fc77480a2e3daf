import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { captionfleet } from '../support/command-line.ts';
import { goldenDirectory, startFleet } from '../support/fleet.ts';
import { postCaptions, waitFor } from '../support/http.ts';
import { makePicture } from '../support/pictures.ts';

const main = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname;
const samples = new URL('../../models/demo/samples/', import.meta.url);

/** The processes of this machine that were started with the given home, whoever their parent is. */
async function processesOf(home: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')));
  return pids.filter((_, position) => environments[position]?.includes(`CAPTIONFLEET_HOME=${home}\0`));
}

/** By its parent: a Redis server writes its title over its environment. */
async function childrenOf(parent: number | undefined): Promise<readonly { pid: number; line: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (Number(/\) \S (\d+) /.exec(stat)?.[1]) !== parent) return [];
      return [{ pid: Number(pid), line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') }];
    }),
  );
  return found.flat();
}

async function startUp(home: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [main, 'up'], {
    env: { ...process.env, CAPTIONFLEET_HOME: home, CAPTIONFLEET_INFERENCE_PROCESSES: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  // Not `close`, which does not come for a child whose channel was closed from here.
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
  };
  assert.ok(child.stdout !== null && child.stderr !== null);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await waitFor('up to be up', 120_000, async () => {
    assert.equal(child.exitCode, null, lines.join('\n') + errors);
    return lines.some((line) => line.startsWith('up;'));
  });
  return { child, lines, errors: () => errors, [Symbol.asyncDispose]: stop };
}

test('up captions the sample images rightly, serves on another port when its own is taken, and leaves nothing running', async () => {
  const home = await mkdtemp(join(tmpdir(), 'captionfleet-up-'));
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const address = busy.address();
  assert.ok(typeof address === 'object' && address !== null);
  try {
    await using fleet = await startUp(home, { PORT: String(address.port) });
    const { child, lines } = fleet;
    const expected: Record<string, string> = JSON.parse(await readFile(new URL('captions.json', samples), 'utf8'));
    for (const [file, caption] of Object.entries(expected)) {
      const line = lines.find((printed) => printed.startsWith(file));
      assert.match(line ?? '', new RegExp(`\\s${caption}\\s`), `${file} in:\n${lines.join('\n')}`);
    }
    assert.ok(lines.some((line) => line.includes(`${address.port} is in use`)));
    const baseUrl = lines
      .map((line) => /^API\s+(http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1])
      .find((url) => url !== undefined);
    assert.ok(baseUrl);
    const { bytes } = await makePicture(1);
    const answer = await postCaptions(
      baseUrl,
      { images: [{ base64: bytes.toString('base64') }] },
      { prefer: 'wait=30' },
    );
    assert.equal(answer.status, 200);

    child.kill('SIGINT');
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    assert.equal(code, 0, lines.join('\n'));
    await waitFor('every process to be gone', 60_000, async () => (await processesOf(home)).length === 0);
  } finally {
    busy.close();
    await rm(home, { recursive: true, force: true });
  }
});

describe('a fleet', () => {
  let home: string;
  /** Small, built once, and of random words. */
  const env = { CAPTIONFLEET_MODEL_DIR: join(goldenDirectory, 'captioner'), PORT: '0' };
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'captionfleet-up-'));
  });
  after(() => rm(home, { recursive: true, force: true }));
  const upCommand = (environment: Readonly<Record<string, string>>) =>
    captionfleet(['up'], { CAPTIONFLEET_HOME: home, ...env, ...environment });

  for (const [command, sentence] of [
    ['redis-server', /^captionfleet: INTERNAL: Redis ended by itself \(SIGKILL\)$/m],
    ['azurite', /^captionfleet: INTERNAL: Azurite, the Blob storage, ended by itself \(SIGKILL\)$/m],
    [
      'apps/api/src/main.ts',
      /^captionfleet: INTERNAL: the API, whose log is .*\/logs\/api\.log, ended by itself \(SIGKILL\)$/m,
    ],
  ] as const) {
    test(`ends with a sentence when its ${command} does, and leaves nothing running`, async () => {
      await using fleet = await startUp(home, env);
      const { child, errors } = fleet;
      const part = (await childrenOf(child.pid)).find(({ line }) => line.includes(command)) ?? assert.fail(command);
      process.kill(part.pid, 'SIGKILL');
      assert.deepEqual(await once(child, 'close'), [1, null]);
      assert.match(errors(), sentence);
      await waitFor('every process to be gone', 60_000, async () => (await processesOf(home)).length === 0);
    });
  }

  test('stops when whoever started it is gone, and leaves nothing running', async () => {
    await using fleet = await startUp(home, env);
    fleet.child.disconnect();
    assert.deepEqual(await once(fleet.child, 'exit'), [0, null]);
    await waitFor('every process to be gone', 60_000, async () => (await processesOf(home)).length === 0);
  });

  test('does not start with a Redis that does not answer, and names it without its password', async () => {
    const { code, stderr } = await upCommand({ REDIS_URL: 'redis://:hunter2@127.0.0.1:1' });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^captionfleet: QUEUE_UNAVAILABLE: .*Redis at 127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED.*\n$/,
    );
    assert.doesNotMatch(stderr, /hunter2/);
    await waitFor('every process to be gone', 60_000, async () => (await processesOf(home)).length === 0);
  });

  test('does not start with a wrong setting, and says it once', async () => {
    const port = await upCommand({ PORT: 'abc' });
    assert.deepEqual([port.code, port.stdout], [1, '']);
    assert.equal(port.stderr, 'captionfleet: CONFIG_INVALID: PORT is "abc" and must be a number from 0 to 65535\n');
    const level = await upCommand({ LOG_LEVEL: 'loud' });
    assert.equal(level.code, 1);
    assert.match(level.stderr, /^captionfleet: CONFIG_INVALID: the api ended while starting: LOG_LEVEL: [^\n]*\n$/);
    assert.equal(level.stderr.match(/CONFIG_INVALID/g)?.length, 1);
  });

  test('that is set to hold fewer images than there are samples is up without them', async () => {
    await using fleet = await startUp(home, { ...env, CAPTIONFLEET_MAX_WAITING: '5' });
    const { child, lines } = fleet;
    assert.ok(
      lines.some((line) => line.startsWith('samples  left out: QUEUE_FULL: ')),
      lines.join('\n'),
    );
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });
});

test('a worker that is stopped finishes or hands back what it has, and the next one goes on', async () => {
  await using fleet = await startFleet({ workers: 2 });
  const { bytes } = await makePicture(3);
  const images = Array.from({ length: 64 }, () => ({ base64: bytes.toString('base64') }));
  const waiting = postCaptions(fleet.api.url, { images, options: { num_beams: 5 } }, { prefer: 'wait=60' });
  await waitFor('work to have begun', 60_000, async () => {
    const metrics = await (await fetch(`${fleet.workers[0]?.url}/metrics`)).text();
    return /captionfleet_images_in_flight(?:\{[^}]*\})? [1-9]/.test(metrics);
  });
  const stopped = fleet.workers[0];
  assert.ok(stopped);
  process.kill(stopped.pid, 'SIGTERM');
  await stopped.ended;
  assert.equal(stopped.child.exitCode, 0);
  const { status, body } = await waiting;
  assert.equal(status, 200);
  assert.equal((body as { counts: { succeeded: number } }).counts.succeeded, 64, JSON.stringify(body));
});

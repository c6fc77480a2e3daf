import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { startFleet } from '../support/fleet.ts';
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

async function startUp(home: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [main, 'up'], {
    env: { ...process.env, CAPTIONFLEET_HOME: home, CAPTIONFLEET_INFERENCE_PROCESSES: '1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await waitFor('up to be up', 120_000, async () => {
    assert.equal(child.exitCode, null, lines.join('\n'));
    return lines.some((line) => line.startsWith('up;'));
  });
  return { child, lines };
}

test('up captions the sample images rightly, serves on another port when its own is taken, and leaves nothing running', async () => {
  const home = await mkdtemp(join(tmpdir(), 'captionfleet-up-'));
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const address = busy.address();
  assert.ok(typeof address === 'object' && address !== null);
  try {
    const { child, lines } = await startUp(home, { PORT: String(address.port) });
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
    await waitFor('every process to be gone', 10_000, async () => (await processesOf(home)).length === 0);
  } finally {
    busy.close();
    await rm(home, { recursive: true, force: true });
  }
});

test('a worker that is stopped finishes or hands back what it has, and the next one goes on', async () => {
  await using fleet = await startFleet({ workers: 2 });
  const { bytes } = await makePicture(3);
  const images = Array.from({ length: 64 }, () => ({ base64: bytes.toString('base64') }));
  const waiting = postCaptions(fleet.api.url, { images, options: { num_beams: 5 } }, { prefer: 'wait=60' });
  await waitFor('work to have begun', 30_000, async () => {
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

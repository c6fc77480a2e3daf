// The first steps of `npm start` on a fresh clone, with an npm that only plays the install.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { waitFor } from '../support/http.ts';

const repository = new URL('../../', import.meta.url).pathname;
const scratch = await realpath(await mkdtemp(join(tmpdir(), 'captionfleet-bootstrap-')));
after(() => rm(scratch, { recursive: true, force: true }));

/** A clone with the bootstrap and an app that says where it was started and stays; each test has its own. */
let clone: string;
let clones = 0;

const app =
  "process.once('disconnect', () => process.exit(1)); console.log('started', process.pid, 'in', process.cwd()); setInterval(() => undefined, 1000);";
/** Writes its pid, and ends when the file `go` is there. A second one at the same time fails, as npm does. */
const npm = `#!/bin/sh
mkdir running || { echo ENOTEMPTY; exit 1; }
sleep 1000 &
echo "$$ $!" > npm.pids
echo install >> installs
while [ ! -e go ]; do sleep 0.05; done
kill $!
rmdir running
`;

beforeEach(async () => {
  clones += 1;
  clone = join(scratch, String(clones));
  for (const directory of ['scripts', 'bin', 'apps/cli/src', 'apps/cli/bin']) {
    await mkdir(join(clone, directory), { recursive: true });
  }
  for (const file of ['scripts/bootstrap.mjs', 'apps/cli/bin/captionfleet.mjs', 'package.json']) {
    await cp(join(repository, file), join(clone, file));
  }
  await writeFile(join(clone, 'package-lock.json'), '{}');
  await writeFile(join(clone, 'apps/cli/src/main.ts'), app);
  await writeFile(join(clone, 'bin/npm'), npm);
  await chmod(join(clone, 'bin/npm'), 0o755);
});

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(command: readonly string[], cwd = clone): Started {
  const [file = '', ...fileArguments] = command;
  const { npm_lifecycle_event: _, INIT_CWD: __, ...env } = process.env;
  const child = spawn(file, fileArguments, {
    cwd,
    env: { ...env, REDIS_URL: 'redis://none', PATH: [join(clone, 'bin'), process.env['PATH']].join(delimiter) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return { child, output: () => output };
}

const bootstrap = [process.execPath, 'scripts/bootstrap.mjs', 'start'];
const deadlineMs = 60_000;
const fromClone = (file: string): Promise<string> => readFile(join(clone, file), 'utf8').catch(() => '');

/** The pids of the install: npm's own and that of what it started. */
async function installing(): Promise<number[]> {
  await waitFor('the install to run', deadlineMs, async () => (await fromClone('npm.pids')) !== '');
  return (await fromClone('npm.pids')).trim().split(' ').map(Number);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const gone = (pids: readonly number[]): Promise<void> =>
  waitFor('every process to be gone', deadlineMs, async () => !pids.some(isRunning));

/** The pid of the app, once it runs. */
async function appOf({ output }: Started): Promise<number> {
  const started = () => /^started (\d+) in /m.exec(output())?.[1];
  await waitFor('the app to start', deadlineMs, async () => started() !== undefined);
  return Number(started());
}

test('a stop during the install ends the install too, and the next start installs anew', async () => {
  const first = start(bootstrap);
  const pids = await installing();
  first.child.kill('SIGINT');
  assert.deepEqual(await once(first.child, 'close'), [130, null]);
  await gone(pids);
  assert.match(first.output(), /installing dependencies.*: stopped/);

  await rm(join(clone, 'running'), { recursive: true });
  await writeFile(join(clone, 'go'), '');
  const second = start(bootstrap);
  await appOf(second);
  second.child.kill('SIGTERM');
  await once(second.child, 'close');
  assert.doesNotMatch(second.output(), /waiting/);
});

test('two starts in one clone install once: the second says that it waits', async () => {
  const first = start(bootstrap);
  await installing();
  const second = start(bootstrap);
  await waitFor('the second to wait', deadlineMs, async () => second.output().includes('another install runs'));
  await writeFile(join(clone, 'go'), '');
  await Promise.all([appOf(first), appOf(second)]);
  assert.equal(await fromClone('installs'), 'install\n');
  for (const { child } of [first, second]) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
});

test('the lock of an install that was killed holds nobody up', async () => {
  const first = start(bootstrap);
  const pids = await installing();
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  // Where the system does not end the install with its parent, this test does.
  if (process.platform !== 'linux') process.kill(-(pids[0] ?? 0), 'SIGKILL');
  await waitFor('npm to be gone', deadlineMs, async () => !isRunning(pids[0] ?? 0));
  if (isRunning(pids[1] ?? 0)) process.kill(pids[1] ?? 0);

  await rm(join(clone, 'running'), { recursive: true });
  await writeFile(join(clone, 'go'), '');
  const second = start(bootstrap);
  await appOf(second);
  second.child.kill('SIGTERM');
  await once(second.child, 'close');
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} to npm alone, or to the bootstrap alone, leaves nothing running`, async () => {
    await writeFile(join(clone, 'go'), '');
    const byBootstrap = start(bootstrap);
    const first = await appOf(byBootstrap);
    byBootstrap.child.kill(signal);
    await gone([first]);

    await rm(join(clone, 'bin'), { recursive: true });
    const byNpm = start(['npm', 'start']);
    const second = await appOf(byNpm);
    byNpm.child.kill(signal);
    await gone([second]);
  });
}

test('the bin takes relative paths from the directory where it is called', async () => {
  await writeFile(join(clone, 'go'), '');
  const elsewhere = join(clone, 'elsewhere');
  await mkdir(elsewhere);
  const called = start([process.execPath, join(clone, 'apps/cli/bin/captionfleet.mjs'), 'caption'], elsewhere);
  await appOf(called);
  called.child.kill('SIGTERM');
  await once(called.child, 'close');
  assert.match(called.output(), new RegExp(`^started \\d+ in ${elsewhere}$`, 'm'));
});

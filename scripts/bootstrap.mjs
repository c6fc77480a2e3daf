// Runs on whatever Node >= 18 a fresh machine has, with nothing installed yet: brings the dependencies, Node 24 and a
// Redis server, then hands over. Plain JavaScript without imports from node_modules for that reason.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.captionfleet-lockfile-sha256');

/** What each npm script runs once everything is there. `redis`: it needs a Redis server of its own. */
const commands = {
  start: { entry: 'apps/cli/src/main.ts', fixedArguments: ['up'], redis: true },
  test: { entry: 'scripts/test.ts', fixedArguments: [], redis: true },
  'test:contract': { entry: 'scripts/test.ts', fixedArguments: ['--contract'], redis: true },
  'test:kubernetes': { entry: 'scripts/test.ts', fixedArguments: ['--kubernetes'], redis: false },
  bench: { entry: 'test/bench/bench.ts', fixedArguments: [], redis: true },
  'bench:peers': { entry: 'test/bench/peers.ts', fixedArguments: [], redis: false },
  observe: { entry: 'test/observed-fleet/observe.ts', fixedArguments: [], redis: true },
  captionfleet: { entry: 'apps/cli/src/main.ts', fixedArguments: [], redis: false },
};

function fail(sentence) {
  process.stderr.write(`captionfleet: ${sentence}\n`);
  process.exit(1);
}

function say(sentence) {
  process.stderr.write(`captionfleet: ${sentence}\n`);
}

const parent = process.ppid;

/** Exit statuses of a process that a signal ended, as shells have them. */
const stopSignals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * Calls `stop` when this process is told to end, and when npm, which started it, is gone: a killed npm tells nobody.
 * Returns a function that ends the watch.
 */
function whenStopped(stop) {
  const handlers = Object.keys(stopSignals).map((signal) => [signal, () => stop(signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop('SIGTERM');
  }, 500);
  // Without npm in between the parent is a shell, which may end before what it started in the background.
  if (process.env.npm_lifecycle_event === undefined) clearInterval(watch);
  watch.unref();
  return () => {
    clearInterval(watch);
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

const succeeds = (command, commandArguments) =>
  spawnSync(command, commandArguments, { stdio: 'ignore', timeout: 10_000 }).status === 0;

/** Linux ends the step when this process dies by SIGKILL. */
const dyingWithUs = () =>
  process.platform === 'linux' && succeeds('setpriv', ['--pdeathsig', 'TERM', 'true'])
    ? ['setpriv', '--pdeathsig', 'TERM']
    : [];

/**
 * Runs a long step. Its output is shown only when it fails; meanwhile one line says that it goes on. It runs in a group of
 * its own, which is ended, to the last process, before this one ends by a signal.
 */
function runStep(what, command, commandArguments, options = {}) {
  return new Promise((resolve) => {
    const started = Date.now();
    const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
    let output = '';
    const [file, ...fileArguments] = [...dyingWithUs(), command, ...commandArguments];
    let stoppedBy;
    // Before the step is started: a signal that comes between the two would end this process and not the step.
    const unwatch = whenStopped((signal) => {
      stoppedBy ??= signal;
      killGroup(child, 'SIGTERM');
      setTimeout(killGroup, 5000, child, 'SIGKILL').unref();
    });
    const child = spawn(file, fileArguments, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      ...options,
    });
    const keep = (chunk) => {
      output = (output + chunk).slice(-8000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const terminal = process.stderr.isTTY === true;
    if (!terminal) say(`${what} ...`);
    const tick = setInterval(
      () =>
        process.stderr.write(
          terminal ? `\rcaptionfleet: ${what} ... ${elapsed()} ` : `captionfleet: ${what}, ${elapsed()}\n`,
        ),
      terminal ? 1000 : 15_000,
    );
    const finish = (ok) => {
      clearInterval(tick);
      unwatch();
      if (terminal) process.stderr.write('\r\x1b[K');
      if (stoppedBy !== undefined) {
        killGroup(child, 'SIGKILL');
        say(`${what}: stopped`);
        process.exit(stopSignals[stoppedBy]);
      }
      if (ok) say(`${what}: done in ${elapsed()}`);
      resolve({ ok, output: output.trimEnd().split('\n').slice(-20).join('\n') });
    };
    child.on('error', (error) => {
      output += String(error);
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

/** Signals a step and all that it started; what is gone already needs none. */
function killGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  } catch {
    // Nobody is left.
  }
}

const lockFile = join(root, '.captionfleet', 'install.lock');

/** Only one process of a clone installs at a time: npm takes what another npm is just writing for rubbish. */
async function installAlone(isInstalled, install) {
  if (isInstalled()) return;
  mkdirSync(dirname(lockFile), { recursive: true });
  for (let told = false; !takeLock(); told = true) {
    if (!told) say(`another install runs in this clone (${lockFile} names its process); waiting for it to end`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  process.once('exit', releaseLock);
  if (!isInstalled()) await install();
  releaseLock();
  process.off('exit', releaseLock);
}

function takeLock() {
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readLock(lockFile);
    if (holder === undefined) continue;
    if (isRunning(holder)) return false;
    putAside(holder);
  }
}

/** Removes the lock of a process that is gone, but not one that another process has taken since it was read. */
function putAside(holder) {
  const aside = `${lockFile}.${process.pid}`;
  try {
    renameSync(lockFile, aside);
    if (readLock(aside) !== holder) linkSync(aside, lockFile);
    unlinkSync(aside);
  } catch {
    // Another process was faster; the next round sees what it did.
  }
}

function readLock(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function releaseLock() {
  if (readLock(lockFile) === process.pid) unlinkSync(lockFile);
}

const lockfileHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

const dependenciesAreThere = () => existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockfileHash();

async function installDependencies() {
  // No dependency needs its install script: native parts come as packages of their own.
  const { ok, output } = await runStep(
    'installing dependencies (about 1 GB, once)',
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', NODE_ENV: '' },
      shell: process.platform === 'win32',
    },
  );
  if (!ok) fail(`npm ci failed; the end of what it printed:\n${output}`);
  writeFileSync(stampFile, lockfileHash());
}

/** Node 24 strips the types of our TypeScript; older ones cannot. */
function findNode24() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  if (major > 24 || (major === 24 && minor >= 12)) return process.execPath;
  return fail(
    `Node 24.12 or newer is needed and this is ${process.versions.node}; no packaged Node exists for ${process.platform}-${process.arch}, so install Node 24 from nodejs.org and run the command again.`,
  );
}

const redisIsThere = () =>
  process.env.REDIS_URL || succeeds('redis-server', ['--version']) || succeeds('docker', ['info']);

async function installRedis() {
  if (process.getuid?.() === 0 && succeeds('apt-get', ['--version'])) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const update = await runStep('reading the list of system packages', 'apt-get', ['update'], { env });
    const install = await runStep(
      'installing redis-server',
      'apt-get',
      ['install', '-y', '--no-install-recommends', 'redis-server'],
      { env },
    );
    if (install.ok) return;
    fail(`apt-get could not install redis-server; the end of what it printed:\n${update.output}\n${install.output}`);
  }
  fail(
    'no Redis server was found: install redis-server (Debian: apt-get install redis-server), or start Docker, or set REDIS_URL.',
  );
}

function handOver(node, { entry, fixedArguments }, extraArguments) {
  const environment = {
    ...process.env,
    PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
  };
  const child = spawn(node, [join(root, entry), ...fixedArguments, ...extraArguments], {
    cwd: process.env.INIT_CWD && entry.startsWith('apps/cli') ? process.env.INIT_CWD : root,
    env: environment,
    // Nothing is sent over the channel: it closes when this process dies, and the child then ends by itself.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends Ctrl-C to the whole group; the child decides when to end, and this process ends with it.
  whenStopped((signal) => child.kill(signal));
  child.on('error', (error) => fail(`could not start ${entry}: ${error.message}`));
  child.on('close', (code, signal) => process.exit(code ?? stopSignals[signal] ?? 1));
}

const [name, ...extraArguments] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) fail(`usage: bootstrap.mjs ${Object.keys(commands).join('|')} [ARGUMENTS]`);
mkdirSync(join(root, 'node_modules'), { recursive: true });
await installAlone(dependenciesAreThere, installDependencies);
const node = findNode24();
if (command.redis) await installAlone(redisIsThere, installRedis);
handOver(node, command, extraArguments);

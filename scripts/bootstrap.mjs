// Runs on whatever Node >= 18 a fresh machine has, with nothing installed yet: brings the dependencies, Node 24 and a
// Redis server, then hands over. Plain JavaScript without imports from node_modules for that reason.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.captionfleet-lockfile-sha256');

/** What each npm script runs once everything is there. `redis`: it needs a Redis server of its own. */
const commands = {
  start: { entry: 'apps/cli/src/main.ts', fixedArguments: ['up'], redis: true },
  test: { entry: 'scripts/test.ts', fixedArguments: [], redis: true },
  bench: { entry: 'test/bench/bench.ts', fixedArguments: [], redis: true },
  'bench:peers': { entry: 'test/bench/peers.ts', fixedArguments: [], redis: false },
  captionfleet: { entry: 'apps/cli/src/main.ts', fixedArguments: [], redis: false },
};

function fail(sentence) {
  process.stderr.write(`captionfleet: ${sentence}\n`);
  process.exit(1);
}

function say(sentence) {
  process.stderr.write(`captionfleet: ${sentence}\n`);
}

/** Runs a long step. Its output is shown only when it fails; meanwhile one line says that it goes on. */
function runStep(what, command, commandArguments, options = {}) {
  return new Promise((resolve) => {
    const started = Date.now();
    const elapsed = () => `${Math.round((Date.now() - started) / 1000)} s`;
    let output = '';
    const child = spawn(command, commandArguments, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
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
      if (terminal) process.stderr.write('\r\x1b[K');
      if (ok) say(`${what}: done in ${elapsed()}`);
      resolve({ ok, output });
    };
    child.on('error', (error) => {
      output += String(error);
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

async function installDependencies() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockfile) return;
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
  if (!ok) fail(`npm ci failed; it printed:\n${output}`);
  writeFileSync(stampFile, lockfile);
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

const succeeds = (command, commandArguments) =>
  spawnSync(command, commandArguments, { stdio: 'ignore', timeout: 10_000 }).status === 0;

async function ensureRedis() {
  if (process.env.REDIS_URL || succeeds('redis-server', ['--version']) || succeeds('docker', ['info'])) return;
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
    fail(`apt-get could not install redis-server; it printed:\n${update.output}${install.output}`);
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
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to the whole group; the child decides when to end, and this process ends with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`could not start ${entry}: ${error.message}`));
  child.on('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

const [name, ...extraArguments] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) fail(`usage: bootstrap.mjs ${Object.keys(commands).join('|')} [ARGUMENTS]`);
mkdirSync(join(root, 'node_modules'), { recursive: true });
await installDependencies();
const node = findNode24();
if (command.redis) await ensureRedis();
handOver(node, command, extraArguments);

import { spawnSync } from 'node:child_process';
import { announce } from './containers.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const find = (): string | undefined =>
  names
    .map((name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim())
    .find((path) => path !== '');

function run(command: string, ...commandArguments: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, commandArguments, { env, stdio: 'ignore', timeout: 300_000 }).status === 0;
}

/** The path of a Chromium; installs Debian's where there is none and this process may. */
export function findChromium(): string {
  const found = find();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) {
    announce('installing chromium');
    run('apt-get', 'update');
    run('apt-get', 'install', '-y', '--no-install-recommends', 'chromium');
  }
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error('no Chromium was found: install it (Debian: apt-get install chromium) and run the test again');
}

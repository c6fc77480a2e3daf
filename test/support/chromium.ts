import { spawnSync } from 'node:child_process';
import { installPackage } from './system-package.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const find = (): string | undefined =>
  names
    .map((name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim())
    .find((path) => path !== '');

/** The path of a Chromium; installs Debian's where there is none and this process may. */
export function findChromium(): string {
  const found = find();
  if (found !== undefined) return found;
  installPackage('chromium');
  const installed = find();
  if (installed !== undefined) return installed;
  throw new Error('no Chromium was found: install it (Debian: apt-get install chromium) and run the test again');
}

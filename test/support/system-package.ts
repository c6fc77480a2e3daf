import { spawnSync } from 'node:child_process';
import { announce } from './containers.ts';

/** Installs a package of Debian's where this process may; whoever needs it looks afterwards whether it is there. */
export function installPackage(name: string): void {
  if (process.getuid?.() !== 0) return;
  announce(`installing ${name}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...words: readonly string[]) =>
    spawnSync('apt-get', words, { env, stdio: 'ignore', timeout: 300_000 });
  aptGet('update');
  // Two test files may meet here: the later one waits for the other.
  aptGet('-o', 'DPkg::Lock::Timeout=240', 'install', '-y', '--no-install-recommends', name);
}

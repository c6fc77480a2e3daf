import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../', import.meta.url).pathname;

/** Builds packages/client as it is published, and puts it where programs in a directory find it by its name. */
export function installClient(directory: string): void {
  const modules = join(directory, 'node_modules');
  const home = join(modules, '@captionfleet/client');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  cpSync(join(root, 'packages/client/package.json'), join(home, 'package.json'));
  const tsc = join(root, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['--project', join(root, 'packages/client/tsconfig.json'), '--outDir', join(home, 'dist')]);
  for (const dependency of ['openapi-fetch', 'openapi-typescript-helpers']) {
    cpSync(join(root, 'node_modules', dependency), join(modules, dependency), { recursive: true });
  }
}

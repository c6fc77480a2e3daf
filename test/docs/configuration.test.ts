import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readPage } from '../../scripts/reference-pages.ts';

const root = new URL('../../', import.meta.url).pathname;

test('docs/reference/configuration.md names every variable that the code reads, and no other', () => {
  const sources = globSync(['apps/*/src/**/*.ts', 'packages/protocol/src/{settings,tracing-settings}.ts'], {
    cwd: root,
  }).filter((file) => !file.endsWith('.test.ts'));
  const code = sources.map((file) => readFileSync(root + file, 'utf8')).join('\n');
  const pattern = /\b(?:CAPTIONFLEET|OTEL)_[A-Z_]+\b/g;
  const inCode = new Set(code.match(pattern));
  const page = readPage('docs/reference/configuration.md').replaceAll(
    /`(CAPTIONFLEET_\w+)_HOST`, `_PORT`/g,
    '`$1_HOST`, `$1_PORT`',
  );
  assert.deepEqual([...new Set(page.match(pattern))].sort(), [...inCode].sort());
});

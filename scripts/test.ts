// `npm test [-- FILE...]`: the static checks, then every test file, then one line that counts both. The files of test/contract,
// which install what they compare with, run with `npm run test:contract`, and those of test/kubernetes, which build a
// kube-apiserver, with `npm run test:kubernetes`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const checks = ['types', 'lint', 'deps', 'dead-code'];
const testFiles = [
  'packages/*/src/**/*.test.ts',
  'apps/*/src/**/*.test.ts',
  'models/**/*.test.ts',
  'test/**/*.test.ts',
];
const filesOf = { '--contract': 'test/contract/*.test.ts', '--kubernetes': 'test/kubernetes/*.test.ts' } as const;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function runChecks(counts: Counts): Promise<void> {
  for (const check of checks) {
    const started = Date.now();
    const child = spawn('npm', ['run', '--silent', check], { stdio: 'inherit' });
    const [code] = await once(child, 'close');
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${code === 0 ? '✔' : '✖'} npm run ${check} (${seconds} s)\n`);
    if (code === 0) counts.passed += 1;
    else counts.failed += 1;
  }
}

async function runTests(files: string[], counts: Counts): Promise<void> {
  const reporter = new spec();
  // The channel to the bootstrap closes when it dies, also by a signal that it could not pass on.
  const abandoned = new AbortController();
  process.once('disconnect', () => abandoned.abort());
  process.channel?.unref();
  const { signal } = abandoned;
  const stream = run({ files, concurrency: availableParallelism(), timeout: testMinutes * 60_000, signal });
  stream.on('test:summary', (summary) => {
    if (summary.file !== undefined) return;
    counts.passed += summary.counts.passed;
    counts.failed += summary.counts.tests - summary.counts.passed - summary.counts.skipped - summary.counts.todo;
    counts.skipped += summary.counts.skipped + summary.counts.todo;
  });
  const output = stream.compose(reporter);
  output.pipe(process.stdout, { end: false });
  await finished(output);
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const given = process.argv.slice(2);
const chosen = given.flatMap((file) =>
  file in filesOf ? globSync(filesOf[file as keyof typeof filesOf]).sort() : file,
);
// Building a kube-apiserver takes the first run a quarter of an hour on two busy cores.
const testMinutes = given.includes('--kubernetes') ? 60 : 10;
const files =
  chosen.length > 0
    ? chosen
    : testFiles.flatMap((pattern) => globSync(pattern, { exclude: Object.values(filesOf) })).sort();
if (chosen.length === 0) await runChecks(counts);
await runTests(files, counts);
if (counts.passed + counts.failed === 0) counts.failed = 1;
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;

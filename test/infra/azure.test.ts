// infra/azure has a lockfile of its own: Pulumi's description of Azure is 250 MB, which nobody needs who only starts a fleet.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const azure = join(root, 'infra', 'azure');

/** Runs a command in infra/azure, with this Node.js first. @throws AssertionError with its output unless it ends with 0. */
async function run(command: string, commandArguments: readonly string[], timeoutMs: number): Promise<string> {
  const child = spawn(command, commandArguments, {
    cwd: azure,
    // Without node --test's own variables the test files run as of a run of their own.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(timeoutMs),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  const [status, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  assert.equal(status, 0, `${command} ${commandArguments.join(' ')}\n${out.slice(-6000)}${err.slice(-2000)}`);
  return out;
}

describe('infra/azure', () => {
  before(async () => {
    const want = createHash('sha256')
      .update(readFileSync(join(azure, 'package-lock.json')))
      .digest('hex');
    const stamp = join(azure, 'node_modules', '.captionfleet-lockfile-sha256');
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return;
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], 240_000);
    writeFileSync(stamp, want);
  });

  test('has the right types', async () => {
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], 120_000);
  });

  test('keeps its policies in every flavour, and finds planted violations', async (context) => {
    const out = await run(process.execPath, ['--test', '--test-reporter=tap'], 240_000);
    const passed = Number(/^# pass (\d+)$/m.exec(out)?.[1]);
    assert.ok(passed > 100, `${passed} tests passed:\n${out.slice(-2000)}`);
    context.diagnostic(`${passed} tests passed`);
  });
});

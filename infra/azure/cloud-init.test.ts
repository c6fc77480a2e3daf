import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { parse } from 'yaml';
import { cloudInit, type Machine } from './cloud-init.ts';

const machine: Machine = {
  role: 'worker',
  storageUrl: 'https://captionfleet.blob.core.windows.net',
  vaultName: 'captionfleet',
  clientId: '44444444-4444-4444-8444-444444444444',
  archive: 'captionfleet-0.1.0.tar.gz',
  archiveSha256: 'ab'.repeat(32),
  model: 'blip.tar.gz',
  modelSha256: 'cd'.repeat(32),
  drainSeconds: 15,
};

interface CloudConfig {
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
  readonly runcmd: readonly (readonly string[])[];
}
const read = (text: string): CloudConfig => {
  assert.match(text, /^#cloud-config\n/);
  return parse(text) as CloudConfig;
};
const file = ({ write_files }: CloudConfig, path: string) => {
  const found = write_files.find((each) => each.path === path);
  assert.ok(found, path);
  return found.content;
};

test('a worker installs release and model by their hashes, then starts', () => {
  const { runcmd } = read(cloudInit(machine));
  assert.deepEqual(runcmd.slice(0, 2), [
    ['captionfleet-fetch', 'blob', machine.archive, machine.archiveSha256, '/opt/captionfleet'],
    ['captionfleet-fetch', 'blob', machine.model, machine.modelSha256, '/var/lib/captionfleet/model'],
  ]);
  assert.deepEqual(runcmd.at(-1), ['systemctl', 'enable', '--now', 'captionfleet.service']);
});

test('systemd waits longer than the worker drains', () => {
  const config = read(cloudInit(machine));
  const drainMs = Number(/CAPTIONFLEET_DRAIN_MS=(\d+)/.exec(file(config, '/etc/captionfleet/settings'))?.[1]);
  const stopS = Number(/TimeoutStopSec=(\d+)/.exec(file(config, '/etc/systemd/system/captionfleet.service'))?.[1]);
  assert.ok(stopS * 1000 > drainMs, `${stopS} s, ${drainMs} ms`);
  assert.ok(stopS <= 30, 'an eviction leaves 30 s');
});

test('the API publishes for every scale set, and has no model', () => {
  const config = read(
    cloudInit({ ...machine, role: 'api', publishTo: { region: 'westeurope', scaleSets: ['/a', '/b'] } }),
  );
  assert.match(file(config, '/etc/systemd/system/captionfleet-publish.service'), /^Environment=SCALE_SETS=\/a,\/b$/m);
  assert.match(file(config, '/etc/captionfleet/settings'), /^CAPTIONFLEET_AUTH=keys$/m);
  assert.equal(
    config.runcmd.some((command) => command.includes(machine.model)),
    false,
  );
});

test('the script that fetches is one for sh', () => {
  const script = file(read(cloudInit(machine)), '/usr/local/sbin/captionfleet-fetch');
  const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

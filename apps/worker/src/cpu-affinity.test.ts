import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { planAffinity } from './cpu-affinity.ts';

test('without affinity a process is started as it is', () => {
  assert.deepEqual(planAffinity({ cpuAffinity: 'off', threadsPerProcess: 1 })(0), []);
});

test('cores are dealt in turn, as many as a process has threads, and the kernel keeps it on them', {
  skip: process.platform !== 'linux',
}, () => {
  const auto = planAffinity({ cpuAffinity: 'auto', threadsPerProcess: 1 });
  const [command = '', ...prefix] = auto(0);
  const status = execFileSync(command, [...prefix, 'cat', '/proc/self/status'], { encoding: 'utf8' });
  const core = /^Cpus_allowed_list:\s*(\d+)$/m.exec(status)?.[1];
  assert.deepEqual(auto(0), ['taskset', '--cpu-list', core]);

  const only = planAffinity({ cpuAffinity: [Number(core)], threadsPerProcess: 2 });
  assert.deepEqual([only(0), only(1)], [auto(0), auto(0)]);
});

test('a core that this process may not use is refused by its number', { skip: process.platform !== 'linux' }, () => {
  assert.throws(() => planAffinity({ cpuAffinity: [99_999], threadsPerProcess: 1 }), {
    code: 'CONFIG_INVALID',
    message: /CAPTIONFLEET_CPU_AFFINITY: names core 99999/,
  });
});

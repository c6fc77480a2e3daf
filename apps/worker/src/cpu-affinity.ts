import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { WorkerConfig } from './config.ts';

/**
 * The command that keeps inference process number `slot` on its cores: as many as it has threads, dealt in turn, so that
 * neighbours share a core only when there are fewer cores than threads. Empty when affinity is off.
 *
 * @throws CONFIG_INVALID when affinity is asked for where it cannot be had
 */
export function planAffinity({
  cpuAffinity,
  threadsPerProcess,
}: Pick<WorkerConfig, 'cpuAffinity' | 'threadsPerProcess'>): (slot: number) => readonly string[] {
  if (cpuAffinity === 'off') return () => [];
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) {
    throw invalid('needs Linux and the command taskset (package util-linux); set it to off');
  }
  const allowed = allowedCores();
  const cores = cpuAffinity === 'auto' ? allowed : cpuAffinity;
  const missing = cores.find((core) => !allowed.includes(core));
  if (missing !== undefined) throw invalid(`names core ${missing}; this process may use ${allowed.join(',')}`);
  return (slot) => {
    const first = slot * threadsPerProcess;
    const own = Array.from({ length: threadsPerProcess }, (_, thread) => cores[(first + thread) % cores.length]);
    return ['taskset', '--cpu-list', [...new Set(own)].join(',')];
  };
}

/** The cores that the kernel lets this process use, which a container may have narrowed. */
function allowedCores(): readonly number[] {
  const ranges = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return ranges.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

const invalid = (problem: string): CaptionfleetError =>
  new CaptionfleetError('CONFIG_INVALID', `CAPTIONFLEET_CPU_AFFINITY: ${problem}`);

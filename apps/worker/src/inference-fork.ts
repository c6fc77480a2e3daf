import { type ChildProcess, fork } from 'node:child_process';

/**
 * What keeps memory that a process has for itself small beside the weights, which all map: one heap for the C library instead of
 * one a thread (images and tensors go from thread to thread), and little room for what JavaScript drops at once, which is
 * little: its arrays lie outside. An operator's own MALLOC_ARENA_MAX wins.
 */
const memory = { environment: { MALLOC_ARENA_MAX: '1' }, flags: ['--max-semi-space-size=2'] } as const;

/** Starts a process that runs a model. @param affinity the command that keeps it on its cores, as `planAffinity` gives it */
export function forkInference(script: string | URL, affinity: readonly string[]): ChildProcess {
  const [execPath = process.execPath, ...execArgv] = [...affinity, process.execPath, ...memory.flags];
  const env = { ...memory.environment, ...process.env };
  return fork(script, { execPath, execArgv, env, serialization: 'advanced' });
}

// Engine processes of the benchmark, started and asked.
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { planAffinity } from '../../apps/worker/src/cpu-affinity.ts';
import { forkInference } from '../../apps/worker/src/inference-fork.ts';
import type { EngineSetup, EngineTask, FromEngine } from './engine-process.ts';

export interface Engines extends Disposable {
  readonly processes: number;
  readonly loadMs: number;
  readonly warmUpMs: number;
  /** Captions the images on the first `processes` of them, dealt out in equal parts. */
  caption(images: readonly Uint8Array[], options: GenerationOptions, limits: RunLimits): Promise<EngineRun>;
  /** Of the first process while it is alone, and of all. */
  memory(): Promise<number>;
}

export interface RunLimits {
  readonly processes: number;
  readonly groupSize: number;
}

export interface EngineRun {
  readonly seconds: number;
  /** In the order of the images. */
  readonly tokens: readonly (readonly number[])[];
}

/** Each process stays on a core of its own (CAPTIONFLEET_CPU_AFFINITY=auto), where the machine lets it. */
const pinned = process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;

/** Starts `processes` of them, as a worker's pool has them. */
export async function startEngines(setup: EngineSetup, processes: number): Promise<Engines> {
  const script = new URL('./engine-process.ts', import.meta.url);
  const affinity = planAffinity({ cpuAffinity: pinned ? 'auto' : 'off', threadsPerProcess: setup.threads });
  const children = Array.from({ length: processes }, (_, slot) => forkInference(script, affinity(slot)));
  for (const child of children) child.send(setup);
  const ready = await Promise.all(children.map((child) => answerOf(child, 'ready')));
  return {
    processes,
    loadMs: Math.max(...ready.map(({ loadMs }) => loadMs)),
    warmUpMs: Math.max(...ready.map(({ warmUpMs }) => warmUpMs)),
    async caption(images, options, limits) {
      const started = performance.now();
      const parts = await Promise.all(
        children.slice(0, limits.processes).map((child, position) => {
          const own = images.filter((_, index) => index % limits.processes === position);
          const task: EngineTask = { images: own, options, groupSize: limits.groupSize };
          child.send(task);
          return answerOf(child, 'done');
        }),
      );
      const seconds = (performance.now() - started) / 1000;
      const tokens = images.map(
        (_, index) => parts[index % limits.processes]?.tokens[Math.floor(index / limits.processes)] ?? [],
      );
      return { seconds, tokens };
    },
    async memory() {
      for (const child of children) child.send('memory');
      const answers = await Promise.all(children.map((child) => answerOf(child, 'memory')));
      return answers.reduce((sum, { pssMiB }) => sum + pssMiB, 0);
    },
    [Symbol.dispose]() {
      for (const child of children) child.disconnect();
    },
  };
}

async function answerOf<Type extends FromEngine['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<FromEngine, { type: Type }>> {
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(`an engine process of the benchmark ended with ${code}`);
  });
  exit.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message'), exit])) as [FromEngine];
  if (message.type !== type) throw new Error(`an engine process said ${message.type}, and ${type} was awaited`);
  return message as Extract<FromEngine, { type: Type }>;
}

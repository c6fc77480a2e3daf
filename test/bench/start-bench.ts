// How long a worker takes until it captions: the first time on a machine, and later.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Variant } from '@captionfleet/blip/model-directory';
import { prepareModel } from '../../apps/worker/src/prepare-model.ts';
import type { BenchModel } from './bench-model.ts';
import { startEngines } from './engines.ts';

export interface StartFigures {
  readonly name: string;
  /** Milliseconds to verify, prepare, load and warm up, and in all. */
  readonly parts: readonly [number, number, number, number, number];
}

export async function measureStart(
  { directory, cache }: BenchModel,
  variants: readonly Variant[],
): Promise<readonly StartFigures[]> {
  const rows: StartFigures[] = [];
  const empty = await mkdtemp(join(tmpdir(), 'captionfleet-bench-'));
  try {
    for (const variant of variants) {
      rows.push(await start(`${variant}, new on this machine`, directory, variant, join(empty, variant)));
      rows.push(await start(`${variant}, prepared before`, directory, variant, cache));
    }
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
  return rows;
}

/** The page cache is warm: the bench has just read these files. */
async function start(name: string, modelDirectory: string, variant: Variant, cache: string): Promise<StartFigures> {
  const started = performance.now();
  const signal = new AbortController().signal;
  const { choice, timings } = await prepareModel({ modelDirectory, variant, cache }, signal);
  if (!('directory' in choice)) throw new Error(choice.reason);
  const setup = { modelDirectory, prepared: choice, threads: 1 };
  using engines = await startEngines(setup, availableParallelism());
  const all = performance.now() - started;
  return { name, parts: [timings.verifyMs, timings.prepareMs, engines.loadMs, engines.warmUpMs, all] };
}

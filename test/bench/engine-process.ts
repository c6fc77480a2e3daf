// One process of the benchmark's bare engine: bytes to captions, with no queue, HTTP or Blob around it.
import { readFileSync } from 'node:fs';
import { type Engine, openEngine } from '@captionfleet/blip/engine';
import { readModelDirectory } from '@captionfleet/blip/model-directory';
import type { PreparedVariant } from '@captionfleet/blip/prepared-model';
import { prepareImage } from '@captionfleet/blip/preprocess';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';

export interface EngineSetup {
  readonly modelDirectory: string;
  readonly prepared: PreparedVariant;
  readonly threads: number;
}

export interface EngineTask {
  readonly images: readonly Uint8Array[];
  readonly options: GenerationOptions;
  /** Images that are decoded together at most. */
  readonly groupSize: number;
}

export type FromEngine =
  | { readonly type: 'ready'; readonly loadMs: number; readonly warmUpMs: number }
  | { readonly type: 'done'; readonly tokens: readonly (readonly number[])[]; readonly preprocessMs: number }
  /** Proportional set size: pages that several processes map count for their share. */
  | { readonly type: 'memory'; readonly pssMiB: number };

const never = new AbortController().signal;
const send = (message: FromEngine): void => void process.send?.(message);

process.once('message', async ({ modelDirectory, prepared, threads }: EngineSetup) => {
  const started = performance.now();
  const model = await readModelDirectory(modelDirectory, { verify: false, signal: never });
  const engine = await openEngine(model, { intraOpThreads: threads, prepared });
  const loaded = performance.now();
  await engine.warmUp();
  process.on('message', (task: EngineTask | 'memory') => {
    if (task === 'memory') send({ type: 'memory', pssMiB: readPss() });
    else void captionAll(engine, task).then(send);
  });
  send({ type: 'ready', loadMs: loaded - started, warmUpMs: performance.now() - loaded });
});
process.on('disconnect', () => process.exit(0));

async function captionAll(engine: Engine, { images, options, groupSize }: EngineTask): Promise<FromEngine> {
  const tokens: (readonly number[])[] = [];
  let preprocessMs = 0;
  for (let start = 0; start < images.length; start += groupSize) {
    const before = performance.now();
    const group = images.slice(start, start + groupSize);
    const prepared = await Promise.all(group.map((bytes) => prepareImage(bytes, engine.imageSide, { signal: never })));
    preprocessMs += performance.now() - before;
    const answers = await engine.run(
      prepared.map(({ pixels }) => ({ pixels, task: { type: 'caption', options } })),
      { signal: never },
    );
    for (const answer of answers) {
      if ('error' in answer) throw answer.error;
      tokens.push('captions' in answer ? (answer.captions[0]?.tokens ?? []) : []);
    }
  }
  return { type: 'done', tokens, preprocessMs };
}

function readPss(): number {
  const kibibytes = /^Pss:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1];
  return Number(kibibytes) / 1024;
}

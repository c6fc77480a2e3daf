// One process of the benchmark's bare engine: bytes to captions, with no queue, HTTP or Blob around it.
import { openEngine } from '@captionfleet/blip/engine';
import { readModelDirectory } from '@captionfleet/blip/model-directory';
import { prepareImage } from '@captionfleet/blip/preprocess';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';

export interface EngineTask {
  readonly images: readonly Uint8Array[];
  readonly options: GenerationOptions;
  readonly groupSize: number;
}

const [modelDirectory = ''] = process.argv.slice(2);
const never = new AbortController().signal;
const model = await readModelDirectory(modelDirectory, { signal: never });
const engine = await openEngine(model, { intraOpThreads: 1 });
await engine.warmUp();
process.send?.('ready');

process.on('message', ({ images, options, groupSize }: EngineTask) => {
  void captionAll(images, options, groupSize).then((tokens) => process.send?.(tokens));
});
process.on('disconnect', () => process.exit(0));

async function captionAll(
  images: readonly Uint8Array[],
  options: GenerationOptions,
  groupSize: number,
): Promise<number[][]> {
  const tokens: number[][] = [];
  for (let start = 0; start < images.length; start += groupSize) {
    const group = images.slice(start, start + groupSize);
    const prepared = await Promise.all(group.map((bytes) => prepareImage(bytes, engine.imageSide, { signal: never })));
    const answers = await engine.run(
      prepared.map(({ pixels }) => ({ pixels, task: { type: 'caption' as const, options } })),
      { signal: never },
    );
    for (const answer of answers) {
      if ('error' in answer) throw answer.error;
      if ('captions' in answer) tokens.push(answer.captions[0]?.tokens ?? []);
    }
  }
  return tokens;
}

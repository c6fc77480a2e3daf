import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '@captionfleet/protocol/task';
import { z } from 'zod';
import { openEngine } from './engine.ts';
import { type InstructionSet, readInstructionSet } from './instruction-set.ts';
import type { ModelDirectory, ModelManifest, Variant } from './model-directory.ts';
import { type PreparedVariant, type PrepareOptions, prepareVariant } from './prepared-model.ts';

/** auto: int8 where it passed the parity gate and is worth it on this machine, else fp32. */
export type VariantWish = Variant | 'auto';

export interface VariantChoice extends PreparedVariant {
  /** For people: why this one. */
  readonly reason: string;
  /** Images a second on one core of this machine, of each variant that was measured. */
  readonly speeds: Readonly<Partial<Record<Variant, number>>>;
}

/** `cache` also keeps the speeds that were measured. */
type ChoiceOptions = PrepareOptions;

/**
 * Chooses a variant and prepares it. int8 is chosen only where it was accepted and the processor multiplies bytes; asked for
 * elsewhere, fp32 is served and the reason says so.
 *
 * @throws what `prepareVariant` throws
 */
export async function chooseVariant(
  model: ModelDirectory,
  wish: VariantWish,
  options: ChoiceOptions,
): Promise<VariantChoice> {
  const fp32 = async (reason: string): Promise<VariantChoice> => ({
    ...(await prepareVariant(model, 'fp32', options)),
    reason,
    speeds: {},
  });
  if (wish === 'fp32') return await fp32('it was asked for');
  const refusal = refusalOfInt8(model.manifest, readInstructionSet());
  if (refusal !== undefined) return await fp32(refusal);
  if (wish === 'int8') {
    return { ...(await prepareVariant(model, 'int8', options)), reason: 'it was asked for', speeds: {} };
  }
  const speeds = { fp32: await speedOf(model, 'fp32', options), int8: await speedOf(model, 'int8', options) };
  const gain = speeds.int8 / speeds.fp32;
  const variant = gain >= worthwhileGain ? 'int8' : 'fp32';
  const reason = `int8, which passed the parity gate, is ${gain.toFixed(2)} times as fast here`;
  return { ...(await prepareVariant(model, variant, options)), reason, speeds };
}

/** fp32 is exact: what is given up for less is given up for noise. */
export const worthwhileGain = 1.2;

/** Why int8 cannot be served; undefined when it can. */
export function refusalOfInt8({ int8 }: Pick<ModelManifest, 'int8'>, machine: InstructionSet): string | undefined {
  if (int8 === undefined) return 'the model has no int8 variant';
  if (!int8.parity.accepted) return `int8 was refused by the parity gate: ${int8.parity.reason}`;
  if (!machine.multipliesBytes) return `this processor (${machine.name}) has no instructions for int8 products`;
  return undefined;
}

const speedFile = 'speed.json';
const SpeedSchema = z.object({ imagesPerSecond: z.number().positive() });

/** Images a second on one core: measured once, kept beside the prepared variant. */
export async function speedOf(model: ModelDirectory, variant: Variant, options: ChoiceOptions): Promise<number> {
  const prepared = await prepareVariant(model, variant, options);
  const path = join(prepared.directory, speedFile);
  try {
    return SpeedSchema.parse(JSON.parse(await readFile(path, 'utf8'))).imagesPerSecond;
  } catch {
    options.signal.throwIfAborted();
  }
  const imagesPerSecond = await measureSpeed(model, prepared, options.signal);
  await writeFile(path, JSON.stringify({ imagesPerSecond })).catch(() => undefined);
  return imagesPerSecond;
}

/** Enough for the decoder to work on several images together, as it does in a worker. */
const imagesTimed = 4;
/** Of tokens, as many as captions of photographs have. */
const tokensTimed = 12;

async function measureSpeed(model: ModelDirectory, prepared: PreparedVariant, signal: AbortSignal): Promise<number> {
  await using engine = await openEngine(model, { intraOpThreads: 1, prepared });
  await engine.warmUp();
  const task = timedTask(engine.tasks.includes('caption'));
  const items = Array.from({ length: imagesTimed }, (_, image) => ({ pixels: noise(engine.imageSide, image), task }));
  const started = performance.now();
  const answers = await engine.run(items, { signal });
  for (const answer of answers) if ('error' in answer) throw answer.error;
  return imagesTimed / ((performance.now() - started) / 1000);
}

const timedTask = (captions: boolean): Task =>
  captions
    ? { type: 'caption', options: { min_new_tokens: tokensTimed, max_new_tokens: tokensTimed } }
    : { type: 'embed', texts: [] };

/** Speed does not depend on what a picture shows, only on its being none of another. */
const noise = (side: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: side * side * 3 }, (_, place) => (Math.imul(place + seed, 0x9e3779b1) >>> 13) & 255);

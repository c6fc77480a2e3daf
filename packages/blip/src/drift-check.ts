import { type Engine, openEngine } from './engine.ts';
import { type ModelDirectory, type ModelManifest, sealManifest, type Variant } from './model-directory.ts';
import { judgeParity, type ParityReport, type ParityThresholds, type ProbeAnswer } from './parity-gate.ts';
import type { PreparedVariant } from './prepared-model.ts';
import { askProbes } from './probes.ts';

/**
 * What a machine may differ by from the one that built the model, on the same variant: the last bits, and now and then a token
 * where two were nearly as probable. What other instructions, a damaged weight or a failing memory would do is far beyond.
 */
const driftThresholds: Readonly<Record<Variant, ParityThresholds>> = {
  fp32: { tokenAgreement: 0.5, logProbabilityDifference: 0.05, matchDifference: 0.01, similarityDifference: 0.01 },
  int8: { tokenAgreement: 0.5, logProbabilityDifference: 0.1, matchDifference: 0.05, similarityDifference: 0.05 },
};

/** What a variant says of the reference picture: the manifest keeps it, and every worker asks for it again. */
export const askReference = async (engine: Engine, signal: AbortSignal): Promise<ProbeAnswer> => {
  const [answer] = await askProbes(engine, [referencePicture(engine.imageSide)], signal);
  return answer as ProbeAnswer;
};

/** Keeps in the manifest what fp32 says of the reference picture, for a model that is built without another variant. */
export async function recordReference(
  model: ModelDirectory,
  { intraOpThreads, signal }: { readonly intraOpThreads: number; readonly signal: AbortSignal },
): Promise<ModelManifest> {
  await using engine = await openEngine(model, { intraOpThreads });
  const { checksum: _, ...facts } = model.manifest;
  return await sealManifest(model.path, { ...facts, references: { fp32: await askReference(engine, signal) } });
}

/** Asks a prepared variant what it said when the model was built. Undefined where the manifest does not know. */
export async function checkDrift(
  model: ModelDirectory,
  prepared: PreparedVariant,
  signal: AbortSignal,
): Promise<ParityReport | undefined> {
  const reference = model.manifest.references?.[prepared.variant];
  if (reference === undefined) return undefined;
  await using engine = await openEngine(model, { intraOpThreads: 1, prepared });
  return judgeParity([reference], [await askReference(engine, signal)], driftThresholds[prepared.variant]);
}

/** Slopes of light, a disc and stripes, by arithmetic alone: the same bytes everywhere. RGB [side, side, 3] */
function referencePicture(side: number): Uint8Array {
  const pixels = new Uint8Array(side * side * 3);
  for (let place = 0; place < side * side; place += 1) {
    const [x, y] = [(place % side) / side, Math.floor(place / side) / side];
    const inDisc = (x - 0.4) ** 2 + (y - 0.45) ** 2 < 0.06;
    const inStripe = y > 0.75 && Math.floor(x * 12) % 2 === 0;
    const colour = inDisc ? [220, 40, 40] : inStripe ? [30, 90, 200] : [255 * y, 200 - 100 * x, 80 + 120 * x];
    pixels.set(colour, place * 3);
  }
  return pixels;
}

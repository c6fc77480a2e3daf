import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { rankLayersByHarm } from './calibration.ts';
import { Checkpoint } from './checkpoint.ts';
import { type CheckpointConfig, readCheckpointConfig } from './checkpoint-config.ts';
import { askReference } from './drift-check.ts';
import { type EngineOptions, openEngine } from './engine.ts';
import { type WriteProgress, writeGraphs } from './graph-files.ts';
import { type LinearKernel, linear } from './layers.ts';
import {
  describeFile,
  type ModelDirectory,
  type ModelManifest,
  modelFiles,
  readModelDirectory,
  sealManifest,
  type Variant,
  variantFile,
} from './model-directory.ts';
import { buildGraphs, type GraphKernels } from './model-graphs.ts';
import { judgeParity, type ParityReport, type ParityThresholds, type ProbeAnswer } from './parity-gate.ts';
import { askProbes } from './probes.ts';
import { dynamicInt8, rowwiseInt8 } from './quantized-linear.ts';

export interface QuantizeOptions {
  /** Directory of a model that was built from the checkpoint. */
  readonly model: string;
  readonly checkpoint: string;
  /** Pictures that both variants are asked about: RGB bytes [side, side, 3] each, as `prepareImage` gives them. */
  readonly probes: readonly Uint8Array[];
  readonly intraOpThreads: number;
  /** @defaultValue parityThresholds */
  readonly thresholds?: ParityThresholds;
  /** How the vision encoder's products take bytes. @defaultValue dynamicInt8 */
  readonly visionKernel?: LinearKernel;
  readonly onProgress?: (progress: WriteProgress) => void;
  readonly signal: AbortSignal;
}

/** How many of the encoder's layers are kept in fp32, until the gate is passed. */
const exactCounts = [0, 1, 4, 16] as const;
/** The layers are ranked on this many of the probes. */
const calibrationProbes = 8;

/**
 * Adds the int8 variant to a model: the vision encoder's products take bytes with one scale an image, the text towers'
 * with one scale a row. Both variants are then asked about the probes. While the answers differ by more than
 * the gate allows, more of the layers that eight bits harm most stay in fp32. What was found stands in the manifest,
 * accepted or refused; a refused variant leaves no files.
 *
 * @throws MODEL_NOT_FOUND, MODEL_CORRUPT or MODEL_UNSUPPORTED for the model or the checkpoint; the signal's reason
 */
export async function quantizeModel(options: QuantizeOptions): Promise<ModelManifest> {
  const { signal, probes } = options;
  const model = await readModelDirectory(options.model, { signal });
  const config = await readCheckpointConfig(options.checkpoint);
  await using checkpoint = await Checkpoint.open(options.checkpoint);
  const scratch = join(model.path, `.int8-${randomUUID()}`);
  await mkdir(scratch);
  try {
    const exact = await ask(model, options, 'fp32');
    const { visionKernel = dynamicInt8 } = options;
    const some = probes.slice(0, calibrationProbes);
    const ranking = await rankLayersByHarm(checkpoint, config, visionKernel, some, { scratch, signal });
    const counts = exactCounts.filter((count) => count < ranking.length);
    const tried = await tryUntilAccepted(counts, async (count) => {
      const exactLayers = ranking.slice(0, count);
      await writeInt8(checkpoint, config, model.manifest, { exactLayers, scratch, ...options });
      const rounded = {
        ...model,
        file: (name: string, variant?: Variant) => roundedFile(model, scratch, name, variant),
      };
      const { answers, reference } = await ask(rounded, options, 'int8');
      return { exactLayers, reference, parity: judgeParity(exact.answers, answers, options.thresholds) };
    });
    return await adopt(model, scratch, tried, exact.reference, signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Tried {
  readonly exactLayers: readonly string[];
  readonly parity: ParityReport;
  readonly reference: ProbeAnswer;
}

async function tryUntilAccepted(counts: readonly number[], attempt: (count: number) => Promise<Tried>): Promise<Tried> {
  let tried: Tried | undefined;
  for (const count of counts) {
    tried = await attempt(count);
    if (tried.parity.accepted) break;
  }
  if (tried === undefined) throw new CaptionfleetError('MODEL_UNSUPPORTED', 'the vision encoder has no layers');
  return tried;
}

async function ask(
  model: ModelDirectory,
  { probes, intraOpThreads, signal }: QuantizeOptions,
  variant: Variant,
): Promise<{ readonly answers: readonly ProbeAnswer[]; readonly reference: ProbeAnswer }> {
  const options: EngineOptions = { intraOpThreads, variant };
  await using engine = await openEngine(model, options);
  return { answers: await askProbes(engine, probes, signal), reference: await askReference(engine, signal) };
}

/** Before the variant is accepted its files lie in the scratch directory. */
const roundedFile = (model: ModelDirectory, scratch: string, name: string, variant: Variant = 'fp32'): string =>
  variant === 'int8' ? join(scratch, variantFile(name, variant)) : model.file(name);

const rowwise: GraphKernels['decoder'] = { linear: rowwiseInt8, head: rowwiseInt8 };

async function writeInt8(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  { tasks }: ModelManifest,
  {
    exactLayers,
    scratch,
    visionKernel = dynamicInt8,
    onProgress,
    signal,
  }: { readonly exactLayers: readonly string[]; readonly scratch: string } & QuantizeOptions,
): Promise<void> {
  const kept = new Set(exactLayers);
  const mixed: LinearKernel = (graph, x, layer) =>
    (kept.has(layer.weight.name) ? linear : visionKernel)(graph, x, layer);
  const graphs = buildGraphs(checkpoint, config, tasks, { vision: mixed, text: rowwiseInt8, decoder: rowwise });
  for (const file of await readdir(scratch)) await rm(join(scratch, file));
  const named = Object.entries(graphs).map(([file, graph]) => [variantFile(file, 'int8'), graph] as const);
  const weights = variantFile(modelFiles.weights, 'int8');
  await writeGraphs(Object.fromEntries(named), scratch, {
    weights,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** The files first, then the manifest that names them: an interruption leaves the model as it was. */
async function adopt(
  { path, manifest }: ModelDirectory,
  scratch: string,
  { exactLayers, parity, reference }: Tried,
  exact: ProbeAnswer,
  signal: AbortSignal,
): Promise<ModelManifest> {
  const { checksum: _, files: before, ...facts } = manifest;
  const files = Object.fromEntries(Object.entries(before).filter(([file]) => !file.includes('.int8.')));
  if (parity.accepted) {
    for (const file of (await readdir(scratch)).sort()) {
      files[file] = await describeFile(join(scratch, file), signal);
      await rename(join(scratch, file), join(path, file));
    }
  }
  const references = { fp32: exact, ...(parity.accepted ? { int8: reference } : {}) };
  return await sealManifest(path, { ...facts, int8: { exactLayers: [...exactLayers], parity }, references, files });
}

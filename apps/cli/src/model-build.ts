import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { type BuildOptions, buildModel } from '@captionfleet/blip/build-model';
import { recordReference } from '@captionfleet/blip/drift-check';
import { readInstructionSet } from '@captionfleet/blip/instruction-set';
import { type ModelManifest, readModelDirectory } from '@captionfleet/blip/model-directory';
import { makeProbes } from '@captionfleet/blip/probes';
import { quantizeModel } from '@captionfleet/blip/quantize-model';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { createDirectory } from './create-directory.ts';
import { listImages } from './image-inputs.ts';
import { startProgress } from './progress.ts';
import { defaultProbes } from './state-directory.ts';

export interface VariantFlags {
  /** False: fp32 only. */
  readonly int8: boolean;
  /** Also the captioner as one graph, for GPUs. */
  readonly oneGraph?: boolean;
  /** Directory of the pictures that variants are compared on. */
  readonly probes?: string | undefined;
}

/**
 * Builds a model directory and, on a machine whose processor multiplies bytes, its int8 variant. Elsewhere int8 gains
 * nothing and what the parity gate saw would not hold for the machines where it does.
 */
export async function buildWithVariants(
  options: Omit<BuildOptions, 'oneGraph' | 'onProgress' | 'signal'>,
  { int8, oneGraph = false, probes = defaultProbes }: VariantFlags,
  signal: AbortSignal,
): Promise<ModelManifest> {
  await createDirectory(dirname(options.output), 'the output');
  const progress = startProgress(`building ${options.id}`, 0);
  try {
    const manifest = await buildModel({ ...options, oneGraph, onProgress: progress.update, signal });
    if (!int8 || !readInstructionSet().multipliesBytes) {
      const model = await readModelDirectory(options.output, { verify: false, signal });
      return await recordReference(model, { intraOpThreads: availableParallelism(), signal });
    }
    return await quantizeModel({
      model: options.output,
      checkpoint: options.checkpoint,
      probes: await readProbes(probes, manifest.image.side, signal),
      intraOpThreads: availableParallelism(),
      onProgress: progress.update,
      signal,
    });
  } finally {
    progress.stop();
  }
}

async function readProbes(directory: string, side: number, signal: AbortSignal): Promise<readonly Uint8Array[]> {
  const files = await listImages(directory);
  if (files.length === 0) throw new CaptionfleetError('SOURCE_NOT_FOUND', `no images in ${directory}`);
  const probes: Uint8Array[] = [];
  for (const file of files) probes.push(...(await makeProbes(await readFile(file), side, { signal })));
  return probes;
}

/** One line on what became of a model's variants, for people. */
export function describeVariants({ int8 }: ModelManifest): string {
  if (int8 === undefined) return 'fp32';
  const { accepted, probes, equalCaptions, tokenAgreement, logProbabilityDifference, reason } = int8.parity;
  if (!accepted) return `fp32; int8 refused: ${reason}`;
  const kept = int8.exactLayers.length === 0 ? '' : `, ${int8.exactLayers.length} layers kept in fp32`;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return `fp32, int8 (${percent(equalCaptions)} of ${probes} captions and ${percent(tokenAgreement)} of tokens equal, log-probabilities ${logProbabilityDifference.toFixed(4)} apart${kept})`;
}

// The models of the benchmark: the real shape with random weights, or any checkpoint; fp32 and int8, prepared for this machine.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { builderVersion, buildModel } from '@captionfleet/blip/build-model';
import { readInstructionSet } from '@captionfleet/blip/instruction-set';
import { type ModelDirectory, readModelDirectory, type Variant } from '@captionfleet/blip/model-directory';
import { type PreparedVariant, prepareVariant } from '@captionfleet/blip/prepared-model';
import { makeProbes } from '@captionfleet/blip/probes';
import { quantizeModel } from '@captionfleet/blip/quantize-model';
import { stateDirectory } from '../../apps/cli/src/state-directory.ts';
import { makePicture } from '../support/pictures.ts';
import { writeRandomCheckpoint } from '../support/random-checkpoint.ts';

export interface BenchModel {
  readonly checkpoint: string;
  readonly directory: string;
  readonly cache: string;
  readonly model: ModelDirectory;
  readonly prepared: Readonly<Partial<Record<Variant, PreparedVariant>>>;
}

export const benchDirectory = join(stateDirectory(process.env), 'bench');
const signal = new AbortController().signal;

/** Random weights pass no gate of tokens; what is timed here is the same whether a variant is accepted or not. */
const anything = { tokenAgreement: 0, logProbabilityDifference: 1000, matchDifference: 1, similarityDifference: 2 };

export async function openBenchModel(say: (line: string) => void): Promise<BenchModel> {
  const checkpoint = join(benchDirectory, 'checkpoint');
  const directory = join(benchDirectory, `model-${builderVersion}`);
  const cache = join(benchDirectory, 'prepared');
  await mkdir(benchDirectory, { recursive: true });
  if (!existsSync(join(checkpoint, 'model.safetensors'))) {
    say('writing a checkpoint of the real shape with random weights (once) ...');
    await writeRandomCheckpoint(checkpoint, { seed: 1 });
  }
  const { multipliesBytes } = readInstructionSet();
  if (!existsSync(join(directory, 'manifest.json'))) {
    say('building the model (once) ...');
    await buildModel({ checkpoint, output: directory, id: 'bench/random', revision: '1', force: true, signal });
    if (multipliesBytes) {
      const { bytes } = await makePicture(7, 640, 480);
      const probes = (await makeProbes(bytes, 384, { signal })).slice(0, 1);
      const intraOpThreads = availableParallelism();
      await quantizeModel({ model: directory, checkpoint, probes, intraOpThreads, thresholds: anything, signal });
    }
  }
  const model = await readModelDirectory(directory, { signal });
  const prepare = (variant: Variant) => prepareVariant(model, variant, { cache, signal });
  const fp32 = await prepare('fp32');
  const int8 = model.manifest.int8 === undefined ? {} : { int8: await prepare('int8') };
  return { checkpoint, directory, cache, model, prepared: { fp32, ...int8 } };
}

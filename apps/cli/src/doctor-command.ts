import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { readInstructionSet } from '@captionfleet/blip/instruction-set';
import type { ModelDirectory, Variant } from '@captionfleet/blip/model-directory';
import { chooseVariant, refusalOfInt8, speedOf } from '@captionfleet/blip/variant-choice';
import { openModel } from './model-commands.ts';
import { stateDirectory } from './state-directory.ts';

interface DoctorFlags {
  readonly model?: string | undefined;
  readonly json: boolean;
}

interface VariantReport {
  readonly variant: Variant;
  readonly imagesPerSecondPerCore?: number;
  /** Why it is not served here. */
  readonly refused?: string;
}

/** What this machine is, which variants of the model it can serve and how fast, and which one a worker would take. */
export async function doctorCommand(flags: DoctorFlags, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const machine = {
    ...readInstructionSet(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  const model = await openModel(flags.model, signal, env);
  const cache = env['CAPTIONFLEET_CACHE_DIR'] ?? join(stateDirectory(env), 'prepared');
  const variants = await examineVariants(model, { cache, signal });
  const { variant, reason } = await chooseVariant(model, 'auto', { cache, signal });
  const { id, revision, tasks } = model.manifest;
  if (flags.json) {
    const report = { machine, model: { id, revision, tasks }, variants, chosen: { variant, reason }, cache };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const lines = [
    `machine  ${machine.model}, ${machine.name}${machine.multipliesBytes ? ', multiplies bytes' : ''}; ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    `model    ${id}@${revision}: ${tasks.join(', ')}`,
    ...variants.map(describeVariant),
    `worker   takes ${variant}: ${reason}`,
    `cache    ${cache}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function examineVariants(
  model: ModelDirectory,
  options: { readonly cache: string; readonly signal: AbortSignal },
): Promise<readonly VariantReport[]> {
  const fp32 = { variant: 'fp32' as const, imagesPerSecondPerCore: await speedOf(model, 'fp32', options) };
  const refused = refusalOfInt8(model.manifest, readInstructionSet());
  if (refused !== undefined) return [fp32, { variant: 'int8', refused }];
  return [fp32, { variant: 'int8', imagesPerSecondPerCore: await speedOf(model, 'int8', options) }];
}

function describeVariant({ variant, imagesPerSecondPerCore, refused }: VariantReport): string {
  const name = variant.padEnd(8);
  return imagesPerSecondPerCore === undefined
    ? `${name} not served: ${refused}`
    : `${name} ${imagesPerSecondPerCore.toFixed(2)} images/s on one core`;
}

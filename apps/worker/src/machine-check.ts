import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { findMachineSize, isOnAllowList, isSameSize } from '@captionfleet/protocol/machine-sizes';
import {
  describeShortfalls,
  type MachineCapacity,
  type MinimumMachine,
  shortfallsOf,
} from '@captionfleet/protocol/minimum-machine';
import type { MachineConfig } from './machine-config.ts';

const gibibyte = 2 ** 30;

/**
 * What this process may use: cores within its quota, memory within the limit of its cgroup, NVIDIA's device files, and the size of
 * the file system that keeps prepared models.
 */
export function measureMachine(cacheDirectory: string): MinimumMachine {
  const limit = process.constrainedMemory();
  const { blocks, bsize } = statfsSync(nearestExisting(resolve(cacheDirectory)));
  return {
    vcpus: availableParallelism(),
    gpus: deviceFiles().filter((name) => /^nvidia\d+$/.test(name)).length,
    // 0 or beyond all memory: there is no limit.
    memoryGiB: Math.min(totalmem(), limit > 0 ? limit : Number.POSITIVE_INFINITY) / gibibyte,
    diskGiB: (blocks * bsize) / gibibyte,
  };
}

/** The directory is made by whoever first writes into it. */
const nearestExisting = (path: string): string =>
  existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));

function deviceFiles(): readonly string[] {
  try {
    return readdirSync('/dev');
  } catch {
    return [];
  }
}

/**
 * Whether a worker may run here at all: on one of the sizes that its operator names, and in the gpu pool on one with GPUs.
 *
 * @throws MACHINE_NOT_ALLOWED
 */
export function assertPinned(
  { size, allowedSizes }: Pick<MachineConfig, 'size' | 'allowedSizes'>,
  pool: 'cpu' | 'gpu',
): void {
  const isListed = (name: string) => allowedSizes.some((allowed) => isSameSize(allowed, name));
  if (allowedSizes.length > 0 && (size === undefined || !isListed(size))) {
    const found =
      size === undefined
        ? 'the size of this machine is not known; name it in CAPTIONFLEET_MACHINE_SIZE'
        : `this machine is a ${size}`;
    const right = `CAPTIONFLEET_ALLOWED_SIZES lets this worker run on ${allowedSizes.join(', ')}`;
    throw new CaptionfleetError('MACHINE_NOT_ALLOWED', `${found}; ${right}`);
  }
  const known = size === undefined ? undefined : findMachineSize(size);
  if (pool === 'gpu' && known !== undefined && known.gpus === undefined) {
    const right =
      'run workers of the gpu pool on a size with GPUs, such as Standard_NC4as_T4_v3, or set CAPTIONFLEET_POOL to cpu';
    throw new CaptionfleetError('MACHINE_NOT_ALLOWED', `this machine is a ${known.name}, which has no GPU; ${right}`);
  }
}

export interface CheckedModel {
  readonly id: string;
  readonly minimum?: MinimumMachine | undefined;
}

/**
 * What speaks against serving a model on this machine, in sentences that say what would be right; empty when nothing does. Sizes that
 * the operator names himself are not held against the list of the model's publisher.
 */
export function objectionsTo(
  machine: MachineCapacity,
  { size, allowedSizes }: Pick<MachineConfig, 'size' | 'allowedSizes'>,
  { id, minimum }: CheckedModel,
): readonly string[] {
  const shortfalls = minimum === undefined ? [] : shortfallsOf(machine, minimum, { measured: true });
  const tooSmall =
    shortfalls.length === 0
      ? []
      : [`the card of ${id} asks for more than this machine has: ${describeShortfalls(shortfalls)}`];
  const isListed = size === undefined || allowedSizes.length > 0 || isOnAllowList(id, size) !== false;
  const unlisted = isListed
    ? []
    : [
        `${size} is not on the list of sizes that the publisher of ${id} allows; name the sizes that you accept in CAPTIONFLEET_ALLOWED_SIZES`,
      ];
  return [...tooSmall, ...unlisted];
}

/**
 * Holds the machine against a model's card.
 *
 * @returns what is wrong with it, for the log; undefined when nothing is
 * @throws MACHINE_UNSUITABLE when that is to be enforced
 */
export function checkMachine(
  config: Pick<MachineConfig, 'size' | 'allowedSizes' | 'check'>,
  model: CheckedModel,
  cacheDirectory: string,
): string | undefined {
  if (config.check === 'off') return undefined;
  const objections = objectionsTo(measureMachine(cacheDirectory), config, model).join('; ');
  if (objections === '') return undefined;
  if (config.check === 'enforce') throw new CaptionfleetError('MACHINE_UNSUITABLE', objections);
  return objections;
}

import type { MachineSize } from './machine-sizes.ts';

/** What a model's card asks of a machine, in the words of Azure Machine Learning: `2|0|7|14`. */
export interface MinimumMachine {
  readonly vcpus: number;
  readonly gpus: number;
  readonly memoryGiB: number;
  readonly diskGiB: number;
}

/** What a machine has; without `diskGiB` that is not known, and not judged. */
export interface MachineCapacity extends Omit<MinimumMachine, 'diskGiB'> {
  readonly diskGiB?: number | undefined;
}

export interface Shortfall {
  readonly what: 'vCPUs' | 'GPUs' | 'GiB of memory' | 'GiB of disk';
  readonly has: number;
  readonly needs: number;
}

/**
 * What the kernel and the file system keep for themselves: a machine of 7 GiB shows less than that, and a disk of 14 GiB holds
 * less. What was measured counts as what was sold when no more than this part of it is missing.
 */
const keptBack = 0.1;

/**
 * Everything that a machine has too little of, exactly; empty when it meets the minimum.
 *
 * @param measured The machine's memory and disk were measured on it, as opposed to read in the catalogue.
 */
export function shortfallsOf(
  machine: MachineCapacity,
  minimum: MinimumMachine,
  { measured = false }: { readonly measured?: boolean } = {},
): readonly Shortfall[] {
  const part = measured ? 1 - keptBack : 1;
  const compared: readonly (Shortfall & { readonly part: number })[] = [
    { what: 'vCPUs', has: machine.vcpus, needs: minimum.vcpus, part: 1 },
    { what: 'GPUs', has: machine.gpus, needs: minimum.gpus, part: 1 },
    { what: 'GiB of memory', has: machine.memoryGiB, needs: minimum.memoryGiB, part },
    { what: 'GiB of disk', has: machine.diskGiB ?? minimum.diskGiB, needs: minimum.diskGiB, part },
  ];
  return compared
    .filter(({ has, needs, part }) => has < needs * part)
    .map(({ what, has, needs }) => ({ what, has, needs }));
}

/** A size without a temp disk works on its OS disk, whose size is chosen with the machine: it says nothing of the disk. */
export const capacityOf = ({ vcpus, gpus, memoryGiB, tempDiskGiB }: MachineSize): MachineCapacity => ({
  vcpus,
  gpus: gpus?.count ?? 0,
  memoryGiB,
  diskGiB: tempDiskGiB === 0 ? undefined : tempDiskGiB,
});

/** Such as "1 vCPUs of 2, 3.5 GiB of memory of 7". */
export const describeShortfalls = (shortfalls: readonly Shortfall[]): string =>
  shortfalls.map(({ what, has, needs }) => `${round(has)} ${what} of ${round(needs)}`).join(', ');

const round = (amount: number): number => Math.round(amount * 10) / 10;

import { findMachineSize } from '@captionfleet/protocol/machine-sizes';
import { list, optional, withDefault } from '@captionfleet/protocol/settings';
import { z } from 'zod';
import type { Instance } from './instance-metadata.ts';

const sizeName = z
  .string()
  .trim()
  .regex(/^(?:standard_)?[a-z]+\d+\w*$/i, 'must be a machine size of Azure such as Standard_D4as_v6')
  .transform((name) => findMachineSize(name)?.name ?? name);

const priceForm = 'must be a price in USD an hour such as 0.192, or catalogue';
const price = z.union(
  [z.literal('catalogue'), z.coerce.number<string>(priceForm).positive(priceForm).max(10_000, priceForm)],
  priceForm,
);

/** What a worker is told of the machine that it runs on, and which machines it accepts. */
export const machineVariables = {
  /** What Azure calls the machine; without it, and without an answer of Azure's metadata service, the size is not known. */
  CAPTIONFLEET_MACHINE_SIZE: optional(sizeName),
  CAPTIONFLEET_MACHINE_ZONE: optional(z.string().trim().min(1)),
  CAPTIONFLEET_MACHINE_PRIORITY: optional(z.enum(['regular', 'spot'])),
  /** What this machine costs; catalogue: what the catalogue estimates, although nobody verified it. */
  CAPTIONFLEET_USD_PER_HOUR: optional(price),
  /** off, warn: a line in the log, enforce: the worker ends when the machine is less than the model's card asks. */
  CAPTIONFLEET_MACHINE_CHECK: withDefault(z.enum(['off', 'warn', 'enforce']), 'warn'),
  /** Sizes that the worker runs on, with commas between them; none: on any. */
  CAPTIONFLEET_ALLOWED_SIZES: list(sizeName),
};
type MachineVariables = z.infer<z.ZodObject<typeof machineVariables>>;

export const machineConfig = (settings: MachineVariables) => ({
  size: settings.CAPTIONFLEET_MACHINE_SIZE,
  zone: settings.CAPTIONFLEET_MACHINE_ZONE,
  priority: settings.CAPTIONFLEET_MACHINE_PRIORITY,
  usdPerHour: settings.CAPTIONFLEET_USD_PER_HOUR,
  check: settings.CAPTIONFLEET_MACHINE_CHECK,
  allowedSizes: settings.CAPTIONFLEET_ALLOWED_SIZES,
});
export type MachineConfig = ReturnType<typeof machineConfig>;

/** What the operator says of the machine, and what Azure's metadata service says where the operator says nothing. */
export function machineFrom(config: MachineConfig, instance: Instance | undefined): MachineConfig {
  const { vmSize, zone, priority } = instance ?? {};
  return {
    ...config,
    size: config.size ?? (vmSize === undefined ? undefined : (findMachineSize(vmSize)?.name ?? vmSize)),
    zone: config.zone ?? zone,
    priority: config.priority ?? (priority === undefined ? undefined : priority === 'Spot' ? 'spot' : 'regular'),
  };
}

/**
 * USD an hour of this machine: what the operator says, else what the catalogue has if it was verified, or if the operator accepts
 * its estimate. Undefined when nobody knows.
 */
export function hourlyPrice({ size, priority, usdPerHour }: Pick<MachineConfig, 'size' | 'priority' | 'usdPerHour'>) {
  if (typeof usdPerHour === 'number') return usdPerHour;
  const listed = size === undefined ? undefined : findMachineSize(size)?.price;
  if (listed === undefined || !(listed.verified || usdPerHour === 'catalogue')) return undefined;
  return priority === 'spot' ? listed.spotUsdPerHour : listed.usdPerHour;
}

import { z } from 'zod';
import catalogueFile from './machine-sizes.json' with { type: 'json' };

/**
 * What decides how fast BLIP runs on a processor: the widest vectors, and whether they multiply bytes (vnni, dotprod) or
 * tiles (amx). Derived from the processors that the maker of a size names: a host may offer its guests less.
 */
export const instructionSets = ['avx2', 'avx512', 'avx512-vnni', 'amx', 'neon-dotprod'] as const;

/**
 * current      new subscriptions can deploy it
 * end-of-life  its capacity is restricted: new subscriptions cannot deploy it, and no quota grows
 * retired      nobody can start it
 */
export const lifeCycleStates = ['current', 'end-of-life', 'retired'] as const;

const asOf = z.string().describe('When the source said so.');
const usdPerHour = z.number().positive();

const LifeCycleSchema = z.strictObject({
  state: z.enum(lifeCycleStates),
  restrictedFrom: z.string().optional(),
  retiresOn: z.iso.date().optional(),
  asOf,
});

const PriceSourceSchema = z.strictObject({
  says: z.string(),
  asOf,
  /** False: an estimate, which is nowhere given out as a price. */
  verified: z.boolean(),
});

const SizeSchema = z.strictObject({
  name: z.string().regex(/^Standard_\w+$/),
  vcpus: z.int().positive(),
  memoryGiB: z.number().positive(),
  /** 0: none; such a machine works on its OS disk, whose size is chosen with the machine. */
  tempDiskGiB: z.number().min(0),
  /** `memoryGiB` of each. */
  gpus: z.strictObject({ count: z.int().positive(), model: z.string(), memoryGiB: z.number().positive() }).optional(),
  price: z.strictObject({ usdPerHour, spotUsdPerHour: usdPerHour.optional(), source: z.string() }).optional(),
});

const CatalogueSchema = z.strictObject({
  allowLists: z.array(
    z.strictObject({ models: z.array(z.string()), source: z.string(), asOf, sizes: z.array(z.string()) }),
  ),
  priceSources: z.record(z.string(), PriceSourceSchema),
  families: z.array(
    z.strictObject({
      name: z.string(),
      processors: z.string(),
      /** More than one: which of them a machine gets is not known before it runs. */
      isa: z.array(z.enum(instructionSets)).nonempty(),
      lifeCycle: LifeCycleSchema,
      source: z.url(),
      note: z.string().optional(),
      sizes: z.array(SizeSchema).nonempty(),
    }),
  ),
});

/** As the data file has it: Azure's machine sizes by family, and the sizes that publishers of models allow. */
export const machineCatalogue = CatalogueSchema.parse(catalogueFile);

export type MachineFamily = (typeof machineCatalogue.families)[number];
export type Priority = 'regular' | 'spot';

export interface MachinePrice {
  readonly usdPerHour: number;
  readonly spotUsdPerHour?: number | undefined;
  /** Who says so, and what for. */
  readonly says: string;
  readonly asOf: string;
  readonly verified: boolean;
}

/** A size with what it has of its family. */
export interface MachineSize extends Omit<z.infer<typeof SizeSchema>, 'price'> {
  readonly family: Omit<MachineFamily, 'sizes'>;
  /** Of pay as you go; absent where none is known. */
  readonly price?: MachinePrice | undefined;
}

export const machineSizes: readonly MachineSize[] = machineCatalogue.families.flatMap(({ sizes, ...family }) =>
  sizes.map(({ price, ...size }) => ({ ...size, family, price: price && withSource(price) })),
);

function withSource({ source, ...price }: { usdPerHour: number; spotUsdPerHour?: number | undefined; source: string }) {
  const found = machineCatalogue.priceSources[source];
  if (found === undefined) throw new Error(`machine-sizes.json: priceSources has no ${source}`);
  return { ...price, ...found };
}

const byName = new Map(machineSizes.map((size) => [size.name.toLowerCase(), size]));

/** A size by its name, such as Standard_D4as_v5, in any case, with or without the `Standard_`. */
export function findMachineSize(name: string): MachineSize | undefined {
  const key = name.trim().toLowerCase();
  return byName.get(key) ?? byName.get(`standard_${key}`);
}

/** Whether two names mean the same size, also where the catalogue does not have it. */
export const isSameSize = (one: string, other: string): boolean => bare(one) === bare(other);
const bare = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/^standard_/, '');

/**
 * Whether the publisher of a model, by its id, allows a size; undefined for a model without such a list. The lists are old: two
 * fifths of what they name is at its end of life or retired, and none names a size of v5 or later.
 */
export function isOnAllowList(model: string, size: string): boolean | undefined {
  const list = machineCatalogue.allowLists.find(({ models }) => models.includes(model));
  return list?.sizes.some((allowed) => isSameSize(allowed, size));
}

import { readFileSync } from 'node:fs';
import { z } from 'zod';

// Of the fleet's catalogue only what counts here: this package stands alone, without the fleet's other dependencies.
const CatalogueSchema = z.object({
  allowLists: z.array(z.object({ models: z.array(z.string()), sizes: z.array(z.string()) })),
  priceSources: z.record(z.string(), z.object({ says: z.string(), asOf: z.string() })),
  families: z.array(
    z.object({
      isa: z.array(z.string()),
      lifeCycle: z.object({
        state: z.enum(['current', 'end-of-life', 'retired']),
        retiresOn: z.string().optional(),
      }),
      sizes: z.array(
        z.object({
          name: z.string(),
          vcpus: z.number(),
          memoryGiB: z.number(),
          gpus: z.object({ count: z.number(), model: z.string() }).optional(),
          price: z
            .object({ usdPerHour: z.number(), spotUsdPerHour: z.number().optional(), source: z.string() })
            .optional(),
        }),
      ),
    }),
  ),
});

const catalogue = CatalogueSchema.parse(
  JSON.parse(readFileSync(new URL('../../packages/protocol/src/machine-sizes.json', import.meta.url), 'utf8')),
);
const sizes = new Map(
  catalogue.families.flatMap(({ isa, lifeCycle, sizes }) =>
    sizes.map((size) => [size.name, { ...size, isa, lifeCycle }]),
  ),
);

export function findSize(name: string) {
  return sizes.get(name);
}

/** What the model asks of a machine: 2 vCPU and 7 GiB. Disks are chosen here, and large enough. */
const minimum = { vcpus: 2, memoryGiB: 7 } as const;

/** What a worker, a worker with a GPU, or anything else of the fleet runs on. */
export type MachineUse = 'worker' | 'gpu-worker' | 'other';

/** Why a size may not be used, and what would be right; undefined: it may. */
export function refusal(
  name: string,
  use: MachineUse,
  fleet: { readonly model: string; readonly acceptedSizes: readonly string[] },
): string | undefined {
  const found = findSize(name);
  if (found === undefined) return `${name} is not in the catalogue, packages/protocol/src/machine-sizes.json`;
  const accepted = fleet.acceptedSizes.includes(name);
  const why = unavailable(found, accepted) ?? (use === 'other' ? undefined : unfit(found, use));
  if (why !== undefined || use === 'other' || accepted) return why && `${name} ${why}`;
  const lists = catalogue.allowLists.filter(({ models }) => models.includes(fleet.model));
  return lists.length === 0 || lists.some((list) => list.sizes.includes(name))
    ? undefined
    : `${name} is not on the allow-list of ${fleet.model}. acceptedSizes accepts it`;
}

type Size = Exclude<ReturnType<typeof findSize>, undefined>;

function unavailable({ lifeCycle: { state, retiresOn }, isa }: Size, accepted: boolean): string | undefined {
  if (state === 'retired') return 'is retired: Azure starts none';
  if (state === 'end-of-life' && !accepted) {
    const end = retiresOn === undefined ? '' : `, which is ${retiresOn}`;
    return `is at its end of life${end}: new subscriptions cannot deploy it. acceptedSizes accepts it`;
  }
  if (isa.includes('neon-dotprod')) return 'has Arm processors; the fleet’s images and releases are for x86-64';
  return undefined;
}

function unfit({ vcpus, memoryGiB, gpus }: Size, use: 'worker' | 'gpu-worker'): string | undefined {
  if (vcpus < minimum.vcpus || memoryGiB < minimum.memoryGiB) {
    return `has ${vcpus} vCPU and ${memoryGiB} GiB; the model needs ${minimum.vcpus} and ${minimum.memoryGiB}`;
  }
  if (use === 'gpu-worker' && gpus === undefined) return 'has no GPU';
  if (use === 'worker' && gpus !== undefined) return 'has a GPU, which this pool would not use';
  return undefined;
}

/** USD an hour, and who says so. */
export function priceOf(
  name: string,
): { usdPerHour: number; spotUsdPerHour?: number | undefined; says: string; asOf: string } | undefined {
  const price = findSize(name)?.price;
  const source = price && catalogue.priceSources[price.source];
  return price && source && { usdPerHour: price.usdPerHour, spotUsdPerHour: price.spotUsdPerHour, ...source };
}

import { z } from 'zod';
import { refusal } from './machine-size.ts';

const size = z.string().regex(/^Standard_\w+$/, 'a size of Azure, such as Standard_D4as_v4');
const count = z.int().min(0).max(1000);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits, as sha256sum prints them');
const cidr = z.cidrv4('an IPv4 range such as 203.0.113.0/24');

/** Machines of one kind: their size, and between how many the autoscaler may have. */
const pool = (defaults: { size: string; min: number; max: number }) =>
  z
    .strictObject({
      size: size.default(defaults.size),
      min: count.default(defaults.min),
      max: count.min(1).default(defaults.max),
    })
    .refine(({ min, max }) => min <= max, 'min is above max')
    .prefault({});

const spotPool = z
  .strictObject({
    size: size.default('Standard_D8as_v4'),
    min: count.default(0),
    max: count.min(1).default(20),
    /** USD an hour at most; -1: whatever a regular machine costs. Azure takes no other value back once the pool is there. */
    maxUsdPerHour: z.union([z.literal(-1), z.number().positive()]).default(-1),
  })
  .refine(({ min, max }) => min <= max, 'min is above max');

const release = z.strictObject({
  /** Blobs of the container `releases`, and what their bytes must hash to. */
  archive: z.string().regex(/^[\w.-]+[.]tar[.]gz$/, 'the name of a blob that ends in .tar.gz'),
  archiveSha256: sha256,
  model: z.string().regex(/^[\w.-]+[.]tar[.]gz$/, 'the name of a blob that ends in .tar.gz'),
  modelSha256: sha256,
  sshPublicKey: z.string().regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) /, 'an SSH public key'),
});

const FleetConfigSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9]{1,11}$/, '2 to 12 lower-case letters and digits, a letter first')
      .default('captionfleet'),
    location: z.string().regex(/^[a-z0-9]+$/, 'a region such as westeurope'),
    zones: z
      .array(z.enum(['1', '2', '3']))
      .min(1)
      .default(['1', '2', '3']),
    /** The Entra tenant whose identities and people are meant. */
    tenantId: z.guid(),
    subscriptionId: z.guid(),
    tags: z.record(z.string().max(512), z.string().max(256)).default({}),
    flavour: z.enum(['kubernetes', 'scale-sets']).default('kubernetes'),
    /** Entra groups whose people run the cluster and Grafana. */
    adminGroupIds: z.array(z.guid()).min(1),
    /** Without any the API server of the cluster has no public address. */
    authorizedIpRanges: z.array(cidr).max(200).default([]),
    /** Peered networks or a VPN's, from which people reach Grafana, blobs and secrets. */
    operatorRanges: z.array(cidr).max(100).default([]),
    /** Such as 1.34; Azure's default where absent. Patches follow by themselves. */
    kubernetesVersion: z
      .string()
      .regex(/^1[.]\d+$/, 'a minor version such as 1.34')
      .optional(),
    registry: z
      .strictObject({
        id: z.string().regex(/^[/]subscriptions[/].+[/]Microsoft[.]ContainerRegistry[/]registries[/]\w+$/),
        loginServer: z.string().regex(/^[\w-]+[.]azurecr[.]io$/),
      })
      .optional(),
    systemPool: pool({ size: 'Standard_D4as_v5', min: 2, max: 4 }),
    cpuPool: pool({ size: 'Standard_D4as_v4', min: 1, max: 10 }),
    spotPool: spotPool.optional(),
    gpuPool: pool({ size: 'Standard_NC4as_T4_v3', min: 0, max: 2 }).unwrap().optional(),
    apiMachines: pool({ size: 'Standard_D2as_v4', min: 2, max: 4 }),
    /** The model whose publisher's allow-list counts. */
    model: z.string().default('Salesforce/blip-image-captioning-base'),
    /** Sizes that are meant although they are not on that list, or at their end of life. */
    acceptedSizes: z.array(size).default([]),
    addressSpace: z
      .string()
      .regex(/^10[.]\d{1,3}[.]0[.]0[/]16$/, 'a /16 of 10.0.0.0/8, such as 10.240.0.0/16')
      .default('10.240.0.0/16'),
    redis: z
      .strictObject({
        /** NoCluster ends at 25 GB: https://learn.microsoft.com/azure/redis/architecture */
        sku: z
          .enum(['Balanced_B1', 'Balanced_B3', 'Balanced_B5', 'Balanced_B10', 'Balanced_B20'])
          .default('Balanced_B3'),
        highAvailability: z.boolean().default(true),
      })
      .prefault({}),
    storage: z
      .strictObject({
        replication: z.enum(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS']).default('Standard_ZRS'),
        /** Requests, outcomes and images are deleted after so many days. */
        keepDays: z.int().min(1).max(3650).default(30),
        /** Deleted blobs can be had back for so many days. */
        softDeleteDays: z.int().min(7).max(365).default(14),
        /** Other containers of the account, whose blobs may be captioned. */
        imageContainers: z.array(z.string().regex(/^[a-z0-9](-?[a-z0-9]){2,62}$/)).default([]),
      })
      .prefault({}),
    scaleSets: release.optional(),
  })
  .superRefine((fleet, context) => {
    if (fleet.flavour === 'scale-sets' && fleet.scaleSets === undefined) {
      context.addIssue({ code: 'custom', path: ['scaleSets'], message: 'flavour scale-sets needs a release to run' });
    }
    if (fleet.flavour === 'scale-sets' && fleet.gpuPool !== undefined) {
      context.addIssue({ code: 'custom', path: ['gpuPool'], message: 'scale sets run CPU workers alone' });
    }
    if (/^10[.]24[45][.]/.test(fleet.addressSpace)) {
      context.addIssue({
        code: 'custom',
        path: ['addressSpace'],
        message: '10.244.0.0/16 is of pods, 10.245.0.0/16 of services',
      });
    }
    if (fleet.systemPool.min < 1) {
      context.addIssue({
        code: 'custom',
        path: ['systemPool', 'min'],
        message: 'a cluster needs a machine for its own pods',
      });
    }
    for (const path of ['authorizedIpRanges', 'operatorRanges'] as const) {
      if (fleet[path].includes('0.0.0.0/0')) {
        context.addIssue({ code: 'custom', path: [path], message: '0.0.0.0/0 is everybody' });
      }
    }
    for (const { path, size, use } of machines(fleet)) {
      const why = refusal(size, use, fleet);
      if (why !== undefined) context.addIssue({ code: 'custom', path: [path, 'size'], message: why });
    }
  });

export type FleetConfig = z.infer<typeof FleetConfigSchema>;
export type Pool = FleetConfig['cpuPool'];

/** The sizes that a flavour uses; a worker's must be fit for the model, the others need only be there. */
export function machines(
  fleet: Pick<FleetConfig, 'flavour' | 'systemPool' | 'cpuPool' | 'spotPool' | 'gpuPool' | 'apiMachines'>,
) {
  const of = (path: string, pool: { size: string } | undefined, use: 'worker' | 'gpu-worker' | 'other') =>
    pool === undefined ? [] : [{ path, size: pool.size, use }];
  return [
    ...(fleet.flavour === 'kubernetes'
      ? of('systemPool', fleet.systemPool, 'other')
      : of('apiMachines', fleet.apiMachines, 'other')),
    ...of('cpuPool', fleet.cpuPool, 'worker'),
    ...of('spotPool', fleet.spotPool, 'worker'),
    ...of('gpuPool', fleet.gpuPool, 'gpu-worker'),
  ];
}

/** The fleet as the stack's configuration has it. @throws Error naming every setting that is wrong, and what would be right. */
export function readFleetConfig(settings: unknown): FleetConfig {
  const parsed = FleetConfigSchema.safeParse(settings);
  if (!parsed.success) throw new Error(`captionfleet:fleet is wrong\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

// For tests: what the program declares of a configuration, without Azure, Pulumi's engine or its plugins.
import { output, runtime } from '@pulumi/pulumi';
import { type FleetConfig, readFleetConfig } from './config.ts';
import { buildFleet } from './fleet.ts';
import type { Declared } from './policy.ts';

export const subscriptionId = '11111111-1111-4111-8111-111111111111';

/** The least that a configuration must have. */
export const leastSettings = {
  location: 'westeurope',
  tenantId: '22222222-2222-4222-8222-222222222222',
  subscriptionId,
  adminGroupIds: ['33333333-3333-4333-8333-333333333333'],
};

const sha256 = 'ab'.repeat(32);
export const leastScaleSets = {
  ...leastSettings,
  flavour: 'scale-sets',
  scaleSets: {
    archive: 'captionfleet-0.1.0.tar.gz',
    archiveSha256: sha256,
    model: 'blip.tar.gz',
    modelSha256: sha256,
    sshPublicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE operator',
  },
};

/** An id as Azure Resource Manager forms it, as far as roles and policies look at it. */
function idOf(type: string, name: string, inputs: Record<string, unknown>): string {
  const group = `/subscriptions/${subscriptionId}/resourceGroups/captionfleet`;
  if (type === 'azure-native:resources:ResourceGroup') return group;
  const kind = type.split(':').slice(1).join('/');
  if (kind === 'storage/BlobContainer') {
    return `${group}/providers/storage/StorageAccount/${inputs['accountName']}/blobServices/default/containers/${name}`;
  }
  if (kind === 'keyvault/Secret') return `${group}/providers/keyvault/Vault/${inputs['vaultName']}/secrets/${name}`;
  return `${group}/providers/${kind}/${name}`;
}

/** What only Azure knows: outputs that the program reads. */
const outputs: Record<string, Record<string, unknown>> = {
  'azure-native:storage:StorageAccount': { primaryEndpoints: { blob: 'https://captionfleet.blob.core.windows.net/' } },
  'azure-native:redisenterprise:RedisEnterprise': { hostName: 'captionfleet.westeurope.redis.azure.net' },
  'azure-native:managedidentity:UserAssignedIdentity': {
    clientId: '44444444-4444-4444-8444-444444444444',
    principalId: '55555555-5555-4555-8555-555555555555',
  },
  'azure-native:containerservice:ManagedCluster': {
    oidcIssuerProfile: { enabled: true, issuerURL: 'https://issuer.example.org/' },
  },
  'azure-native:dashboard:Grafana': {
    identity: { type: 'SystemAssigned', principalId: '66666666-6666-4666-8666-666666666666' },
  },
};

export interface DeclaredStack {
  readonly config: FleetConfig;
  readonly resources: readonly Declared[];
  readonly outputs: Record<string, unknown>;
}

/** Runs the program with Pulumi's mocks. One at a time: Pulumi has one stack in a process. */
export async function declare(settings: unknown): Promise<DeclaredStack> {
  const config = readFleetConfig(settings);
  const resources: Declared[] = [];
  const isProtected = new Set<string>();
  await runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const id = idOf(type, name, inputs);
        resources.push({ type, name, id, inputs, protected: isProtected.has(`${type} ${name}`) });
        // Zones are called what they are zones of; other names are Pulumi's.
        return { id, state: { ...inputs, name: inputs['privateZoneName'] ?? name, ...outputs[type] } };
      },
      call: () => ({ primaryKey: 'redis/key=', secondaryKey: '' }),
    },
    'captionfleet',
    'test',
  );
  const monitor = runtime.getMonitor();
  if (monitor === undefined) throw new Error('Pulumi has no mocks');
  // Mocks are not told whether a resource is protected; the request has it.
  const register = monitor.registerResource.bind(monitor);
  const watch = (request: Parameters<typeof register>[0], ...rest: unknown[]) => {
    if (request.getProtect()) isProtected.add(`${request.getType()} ${request.getName()}`);
    return Reflect.apply(register, monitor, [request, ...rest]);
  };
  monitor.registerResource = watch as typeof monitor.registerResource;

  const stackOutputs: Record<string, unknown> = {};
  output(buildFleet(config)).apply((known) => Object.assign(stackOutputs, known));
  await runtime.disconnect();
  return { config, resources, outputs: stackOutputs };
}

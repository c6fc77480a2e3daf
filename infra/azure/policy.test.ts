import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { declare, leastScaleSets, leastSettings } from './declared-stack.ts';
import { type Declared, policies } from './policy.ts';

const registry = {
  id: '/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/shared/providers/Microsoft.ContainerRegistry/registries/captions',
  loginServer: 'captions.azurecr.io',
};
const flavours = {
  'the least that is asked for': await declare(leastSettings),
  'a cluster with spot and GPU pools': await declare({
    ...leastSettings,
    registry,
    spotPool: { size: 'Standard_D8as_v4', max: 40, maxUsdPerHour: 0.2 },
    gpuPool: { size: 'Standard_NC8as_T4_v3', min: 0, max: 4 },
    storage: { imageContainers: ['photos'] },
  }),
  'a cluster for named ranges': await declare({
    ...leastSettings,
    authorizedIpRanges: ['203.0.113.0/24'],
    operatorRanges: ['10.9.0.0/24'],
  }),
  'scale sets': await declare(leastScaleSets),
  'scale sets with spot': await declare({ ...leastScaleSets, spotPool: {}, storage: { imageContainers: ['photos'] } }),
};

describe('every flavour keeps every policy', () => {
  for (const [flavour, { config, resources }] of Object.entries(flavours)) {
    for (const [name, policy] of Object.entries(policies)) {
      test(`${flavour}: ${name}`, () => assert.deepEqual(policy(resources, config), []));
    }
  }
});

type Flavour = keyof typeof flavours;
interface Planted {
  readonly in?: Flavour;
  /** Of this type, and by this name where there are several. */
  readonly into: string;
  readonly named?: string;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of any of Azure's resources.
  readonly plant: (inputs: any, resource: { -readonly [key in keyof Declared]: Declared[key] }) => void;
  readonly says: RegExp;
}

const full: Flavour = 'a cluster with spot and GPU pools';
const sets: Flavour = 'scale sets with spot';
const account = 'storage:StorageAccount';
const pool = 'containerservice:AgentPool';
const set = 'compute:VirtualMachineScaleSet';
const role = 'authorization:RoleAssignment';
const contributor = '/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c';

/** A violation of each policy at least, as somebody could write it, and what is said of it. */
const planted: Record<keyof typeof policies, readonly Planted[]> = {
  storageIsPrivate: [
    { into: account, plant: (inputs) => (inputs.publicNetworkAccess = 'Enabled'), says: /public network access/ },
    { into: account, plant: (inputs) => (inputs.networkRuleSet.defaultAction = 'Allow'), says: /firewall/ },
    { into: account, plant: (inputs) => (inputs.allowBlobPublicAccess = true), says: /blobs must not be public/ },
  ],
  containersArePrivate: [
    {
      into: 'storage:BlobContainer',
      plant: (inputs) => (inputs.publicAccess = 'Blob'),
      says: /captionfleet: a container/,
    },
  ],
  redisIsPrivate: [
    {
      into: 'redisenterprise:RedisEnterprise',
      plant: (inputs) => (inputs.publicNetworkAccess = 'Enabled'),
      says: /public network access/,
    },
  ],
  vaultIsPrivate: [
    { into: 'keyvault:Vault', plant: ({ properties }) => (properties.publicNetworkAccess = 'Enabled'), says: /public/ },
    { into: 'keyvault:Vault', plant: ({ properties }) => delete properties.networkAcls, says: /firewall/ },
    {
      into: 'keyvault:Vault',
      plant: ({ properties }) => (properties.enableRbacAuthorization = false),
      says: /by roles/,
    },
  ],
  grafanaIsPrivate: [
    { into: 'dashboard:Grafana', plant: ({ properties }) => delete properties.publicNetworkAccess, says: /public/ },
    { into: 'dashboard:Grafana', plant: ({ properties }) => (properties.apiKey = 'Enabled'), says: /API keys/ },
  ],
  clusterIsPrivate: [
    {
      into: 'containerservice:ManagedCluster',
      plant: (inputs) => (inputs.apiServerAccessProfile = { enablePrivateCluster: false }),
      says: /API server/,
    },
    {
      in: 'a cluster for named ranges',
      into: 'containerservice:ManagedCluster',
      plant: ({ apiServerAccessProfile }) => apiServerAccessProfile.authorizedIPRanges.push('0.0.0.0/0'),
      says: /API server/,
    },
    {
      into: 'containerservice:ManagedCluster',
      plant: (inputs) => delete inputs.disableLocalAccounts,
      says: /local accounts/,
    },
    {
      into: 'containerservice:ManagedCluster',
      plant: ({ networkProfile }) => (networkProfile.networkPolicy = 'none'),
      says: /network policies/,
    },
  ],
  onlyEgressIsPublic: [
    {
      into: 'network:PublicIPAddress',
      plant: (_, resource) => (resource.id = 'another'),
      says: /egress: a public address/,
    },
    {
      into: pool,
      named: 'cpu',
      plant: (inputs) => (inputs.enableNodePublicIP = true),
      says: /AgentPool cpu: machines/,
    },
    {
      in: sets,
      into: 'network:LoadBalancer',
      plant: (inputs) => (inputs.frontendIPConfigurations[0].publicIPAddress = { id: 'x' }),
      says: /load balancer/,
    },
  ],
  nobodyComesIn: [
    {
      into: 'network:NetworkSecurityGroup',
      named: 'machines',
      plant: ({ securityRules }) =>
        securityRules.push({ name: 'ssh', direction: 'Inbound', access: 'Allow', sourceAddressPrefix: '*' }),
      says: /rule ssh lets everybody in/,
    },
  ],
  subnetsAreGuarded: [
    { into: 'network:Subnet', named: 'machines', plant: (inputs) => delete inputs.networkSecurityGroup, says: /group/ },
    {
      into: 'network:Subnet',
      named: 'endpoints',
      plant: (inputs) => delete inputs.defaultOutboundAccess,
      says: /way out/,
    },
  ],
  storageTakesTls: [
    { into: account, plant: (inputs) => (inputs.minimumTlsVersion = 'TLS1_0'), says: /TLS 1.2/ },
    { into: account, plant: (inputs) => (inputs.enableHttpsTrafficOnly = false), says: /HTTPS/ },
  ],
  redisTakesTls: [
    { into: 'redisenterprise:Database', plant: (inputs) => (inputs.clientProtocol = 'Plaintext'), says: /encrypted/ },
    { into: 'redisenterprise:RedisEnterprise', plant: (inputs) => delete inputs.minimumTlsVersion, says: /TLS 1.2/ },
  ],
  noAccountKeys: [{ into: account, plant: (inputs) => (inputs.allowSharedKeyAccess = true), says: /shared keys/ }],
  rolesAreNarrow: [
    {
      into: role,
      named: 'api-fleet-blobs',
      plant: (inputs) => (inputs.roleDefinitionId = contributor),
      says: /Contributor/,
    },
    {
      into: role,
      named: 'worker-fleet-blobs',
      plant: (inputs) => (inputs.scope = inputs.scope.replace(/[/]blobServices.*/, '')),
      says: /worker-fleet-blobs: roles on blobs are for a container/,
    },
    {
      into: role,
      named: 'api-redis-url',
      plant: (inputs) => (inputs.scope = '/subscriptions/1/resourceGroups/captionfleet'),
      says: /scope must be a resource/,
    },
  ],
  sizesAreCurrent: [
    { into: pool, named: 'cpu', plant: (inputs) => (inputs.vmSize = 'Standard_F8s_v2'), says: /F8s_v2 is end-of-life/ },
    { in: full, into: pool, named: 'gpu', plant: (inputs) => (inputs.vmSize = 'Standard_NC6s_v3'), says: /retired/ },
    { in: sets, into: set, named: 'worker', plant: (inputs) => (inputs.sku.name = 'Standard_D9'), says: /catalogue/ },
  ],
  spotIsMarked: [
    { in: full, into: pool, named: 'spot', plant: (inputs) => (inputs.nodeTaints = []), says: /taint .* is missing/ },
    { in: full, into: pool, named: 'spot', plant: (inputs) => delete inputs.nodeLabels, says: /label .* is missing/ },
    {
      in: full,
      into: pool,
      named: 'spot',
      plant: (inputs) => (inputs.scaleSetEvictionPolicy = 'Deallocate'),
      says: /quota/,
    },
    {
      in: full,
      into: pool,
      named: 'spot',
      plant: (inputs) => (inputs.scaleSetPriority = 'Regular'),
      says: /regular pool/,
    },
  ],
  gpuIsMarked: [
    { in: full, into: pool, named: 'gpu', plant: (inputs) => (inputs.nodeTaints = []), says: /taints sku=gpu/ },
  ],
  poolsScale: [{ into: pool, named: 'cpu', plant: (inputs) => (inputs.enableAutoScaling = false), says: /autoscaler/ }],
  notices: [
    {
      in: sets,
      into: set,
      named: 'worker-spot',
      plant: ({ virtualMachineProfile }) =>
        (virtualMachineProfile.scheduledEventsProfile = { terminateNotificationProfile: { enable: true } }),
      says: /refuses terminate notifications on spot/,
    },
    {
      in: sets,
      into: set,
      named: 'worker',
      plant: ({ virtualMachineProfile }) => delete virtualMachineProfile.scheduledEventsProfile,
      says: /must be told/,
    },
    {
      in: sets,
      into: set,
      named: 'api',
      plant: ({ virtualMachineProfile }) => (virtualMachineProfile.extensionProfile.extensions = []),
      says: /readyz/,
    },
  ],
  noSecretsAtStart: [
    {
      in: sets,
      into: set,
      named: 'worker',
      plant: ({ virtualMachineProfile: { osProfile } }) =>
        (osProfile.customData = Buffer.from('REDIS_URL=rediss://:key@host').toString('base64')),
      says: /secret/,
    },
  ],
  redisKeepsJobs: [
    {
      into: 'redisenterprise:Database',
      plant: (inputs) => (inputs.evictionPolicy = 'VolatileLRU'),
      says: /evict nothing/,
    },
    {
      into: 'redisenterprise:Database',
      plant: (inputs) => (inputs.clusteringPolicy = 'OSSCluster'),
      says: /NoCluster/,
    },
    { into: 'redisenterprise:Database', plant: (inputs) => delete inputs.persistence, says: /disk/ },
  ],
  privateEndpointsResolve: [
    {
      into: 'network:PrivateEndpoint',
      named: 'redis',
      plant: (inputs) => (inputs.privateLinkServiceConnections[0].privateLinkServiceId = 'another'),
      says: /RedisEnterprise captionfleet: no private endpoint/,
    },
    {
      into: 'network:PrivateDnsZoneGroup',
      named: 'vault',
      plant: (inputs) => (inputs.privateEndpointName = 'another'),
      says: /PrivateEndpoint vault: no zone/,
    },
    {
      into: 'privatedns:VirtualNetworkLink',
      named: 'storage',
      plant: (inputs) => (inputs.privateZoneName = 'another'),
      says: /does not see the zone/,
    },
  ],
  tagged: [{ into: 'keyvault:Vault', plant: (inputs) => delete inputs.tags, says: /Vault captionfleet: tags/ }],
  logged: [
    {
      into: 'monitor:DiagnosticSetting',
      named: 'storage',
      plant: (inputs) => (inputs.logs = []),
      says: /StorageAccount/,
    },
    {
      into: 'monitor:DiagnosticSetting',
      named: 'cluster',
      plant: (inputs) => (inputs.resourceUri = ''),
      says: /Cluster/,
    },
  ],
  dataOutlivesMistakes: [
    {
      into: 'storage:BlobServiceProperties',
      plant: (inputs) => (inputs.deleteRetentionPolicy = { enabled: false }),
      says: /deleted blobs/,
    },
    { into: 'keyvault:Vault', plant: ({ properties }) => delete properties.enablePurgeProtection, says: /purged/ },
    { into: 'authorization:ManagementLockByScope', plant: (inputs) => (inputs.level = 'ReadOnly'), says: /lock/ },
    {
      into: 'redisenterprise:Database',
      plant: (_, resource) => (resource.protected = false),
      says: /kept from deleting/,
    },
  ],
};

describe('a planted violation is found', () => {
  for (const [name, violations] of Object.entries(planted)) {
    for (const { in: flavour = 'the least that is asked for', into, named, plant, says } of violations) {
      test(`${name}: ${says.source}`, (context) => {
        const { config, resources } = structuredClone(flavours[flavour]);
        const target = resources.find(
          (resource) => resource.type === `azure-native:${into}` && (named === undefined || resource.name === named),
        );
        assert.ok(target, `${flavour} has ${into} ${named ?? ''}`);
        plant(target.inputs, target);
        const found = policies[name as keyof typeof policies](resources, config);
        assert.equal(found.length >= 1, true, 'nothing was found');
        assert.match(found.join('\n'), says);
        context.diagnostic(found.join('; '));
      });
    }
  }
});

test('an accepted size at its end of life is let through, a retired one never', () => {
  const { resources } = structuredClone(flavours[full]);
  const cpu = resources.find(({ type, name }) => type.endsWith(':AgentPool') && name === 'cpu');
  assert.ok(cpu);
  cpu.inputs.vmSize = 'Standard_F8s_v2';
  assert.deepEqual(policies.sizesAreCurrent(resources, { acceptedSizes: ['Standard_F8s_v2'] }), []);
  cpu.inputs.vmSize = 'Standard_NC6s_v3';
  assert.equal(policies.sizesAreCurrent(resources, { acceptedSizes: ['Standard_NC6s_v3'] }).length, 1);
});

const kubernetes = (path: string) => readFileSync(new URL(`../kubernetes/${path}`, import.meta.url), 'utf8');

test('what the stack puts out fills settings.env of infra/kubernetes', () => {
  const { outputs } = flavours[full];
  const wanted = [...kubernetes('components/azure/settings.env').matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
  assert.ok(wanted.length >= 7, wanted.join());
  assert.deepEqual(
    wanted.filter((name) => typeof outputs[name] !== 'string' || outputs[name] === ''),
    [],
  );
});

test('infra/kubernetes knows the secret, the taints and the default range of private endpoints by the same names', () => {
  const { resources, outputs } = flavours[full];
  const names = (type: string, field: string) =>
    resources.filter((each) => each.type === `azure-native:${type}`).map(({ inputs }) => inputs[field]);
  for (const secret of names('keyvault:Secret', 'secretName')) {
    assert.match(kubernetes('components/azure/secrets.yaml'), new RegExp(`objectName: ${secret}\\b`));
  }
  assert.match(
    kubernetes('components/azure/private-endpoints.yaml'),
    new RegExp(`cidr: ${outputs['PRIVATE_ENDPOINTS_CIDR']}`),
  );
  assert.match(
    kubernetes('overlays/spot/worker-on-spot.yaml'),
    /key: kubernetes[.]azure[.]com[/]scalesetpriority\n\s+operator: Equal\n\s+value: spot/,
  );
  assert.match(kubernetes('components/gpu/worker-gpu.yaml'), /key: sku\n\s+operator: Equal\n\s+value: gpu/);
});

test('Redis’ URL is TLS, with its key escaped, and only in the vault', () => {
  const { resources } = flavours[full];
  const holders = resources.filter(({ inputs }) => JSON.stringify(inputs).includes('rediss://'));
  assert.deepEqual(
    holders.map(({ type }) => type),
    ['azure-native:keyvault:Secret'],
  );
  assert.equal(
    holders[0]?.inputs.properties.value.value,
    'rediss://:redis%2Fkey%3D@captionfleet.westeurope.redis.azure.net:10000',
  );
});

test('service accounts of infra/kubernetes sign in as the identities', () => {
  const subjects = flavours[full].resources
    .filter(({ type }) => type === 'azure-native:managedidentity:FederatedIdentityCredential')
    .map(({ inputs }) => inputs.subject);
  assert.deepEqual(subjects.sort(), [
    'system:serviceaccount:captionfleet:captionfleet-api',
    'system:serviceaccount:captionfleet:captionfleet-worker',
  ]);
});

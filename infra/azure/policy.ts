import { findSize } from './machine-size.ts';
import { roles } from './roles.ts';

/** A resource as the program declared it: `azure-native:storage:StorageAccount`, its name in the stack, its arguments. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of any of Azure's resources.
  readonly inputs: any;
  /** Whether Pulumi refuses to delete it. */
  readonly protected: boolean;
}

/** Returns a sentence for each violation, none where there is none. */
export type Policy = (resources: readonly Declared[], context: PolicyContext) => string[];

export interface PolicyContext {
  /** Sizes that the stack's configuration accepts by name. */
  readonly acceptedSizes: readonly string[];
}

const of = (resources: readonly Declared[], type: string) =>
  resources.filter((resource) => resource.type === `azure-native:${type}`);

const violation = (resource: Declared, says: string) => `${resource.type.split(':').at(-1)} ${resource.name}: ${says}`;

/** Checks every resource of a type, each by what must hold. */
const each =
  (type: string, rules: Record<string, (inputs: Declared['inputs']) => boolean>): Policy =>
  (resources) =>
    of(resources, type).flatMap((resource) =>
      Object.entries(rules)
        .filter(([, holds]) => !holds(resource.inputs))
        .map(([says]) => violation(resource, says)),
    );

const storageIsPrivate = each('storage:StorageAccount', {
  'public network access must be Disabled': ({ publicNetworkAccess }) => publicNetworkAccess === 'Disabled',
  'the firewall must deny by default': ({ networkRuleSet }) => networkRuleSet?.defaultAction === 'Deny',
  'blobs must not be public': ({ allowBlobPublicAccess }) => allowBlobPublicAccess === false,
});
const containersArePrivate = each('storage:BlobContainer', {
  'a container must not be public': ({ publicAccess }) => publicAccess === 'None',
});
const redisIsPrivate = each('redisenterprise:RedisEnterprise', {
  'public network access must be Disabled': ({ publicNetworkAccess }) => publicNetworkAccess === 'Disabled',
});
const vaultIsPrivate = each('keyvault:Vault', {
  'public network access must be Disabled': ({ properties }) => properties.publicNetworkAccess === 'Disabled',
  'the firewall must deny by default': ({ properties }) => properties.networkAcls?.defaultAction === 'Deny',
  'access must be by roles, not by access policies': ({ properties }) => properties.enableRbacAuthorization === true,
});
const grafanaIsPrivate = each('dashboard:Grafana', {
  'public network access must be Disabled': ({ properties }) => properties.publicNetworkAccess === 'Disabled',
  'API keys must be off': ({ properties }) => properties.apiKey === 'Disabled',
});

const everybody = ['0.0.0.0/0', '0.0.0.0', '::/0', '*', 'Internet'];
const clusterIsPrivate = each('containerservice:ManagedCluster', {
  'the API server must be private, or open to named ranges alone': ({ apiServerAccessProfile: access }) =>
    access?.enablePrivateCluster === true ||
    (access?.authorizedIPRanges?.length > 0 &&
      !access.authorizedIPRanges.some((range: string) => everybody.includes(range))),
  'local accounts must be off': ({ disableLocalAccounts }) => disableLocalAccounts === true,
  'Azure must decide who may do what (Azure RBAC)': ({ aadProfile }) => aadProfile?.enableAzureRBAC === true,
  'workload identity and its issuer must be on': ({ securityProfile, oidcIssuerProfile }) =>
    securityProfile?.workloadIdentity?.enabled === true && oidcIssuerProfile?.enabled === true,
  'network policies must be enforced': ({ networkProfile }) => networkProfile?.networkPolicy === 'cilium',
  'node images must be upgraded': ({ autoUpgradeProfile }) => autoUpgradeProfile?.nodeOSUpgradeChannel === 'NodeImage',
});

/** The one public address is the NAT gateway's, which lets nobody in. */
const onlyEgressIsPublic: Policy = (resources) => {
  const used = new Set(
    of(resources, 'network:NatGateway').flatMap(({ inputs }) =>
      inputs.publicIpAddresses.map(({ id }: { id: string }) => id),
    ),
  );
  const addresses = of(resources, 'network:PublicIPAddress')
    .filter(({ id }) => !used.has(id))
    .map((address) => violation(address, 'a public address that is not a NAT gateway’s'));
  const machines = resources
    .filter(({ inputs }) => /"(enableNodePublicIP":true|publicIPAddressConfiguration")/.test(JSON.stringify(inputs)))
    .map((machine) => violation(machine, 'machines must not have public addresses'));
  const balancers = of(resources, 'network:LoadBalancer')
    .filter(({ inputs }) => inputs.frontendIPConfigurations.some((front: Declared['inputs']) => front.publicIPAddress))
    .map((balancer) => violation(balancer, 'a load balancer must not have a public address'));
  return [...addresses, ...machines, ...balancers];
};

const nobodyComesIn: Policy = (resources) =>
  of(resources, 'network:NetworkSecurityGroup').flatMap((group) =>
    group.inputs.securityRules
      .filter(
        (rule: Declared['inputs']) =>
          rule.direction === 'Inbound' && rule.access === 'Allow' && everybody.includes(rule.sourceAddressPrefix),
      )
      .map((rule: Declared['inputs']) => violation(group, `rule ${rule.name} lets everybody in`)),
  );

const subnetsAreGuarded = each('network:Subnet', {
  'a subnet must have a security group': ({ networkSecurityGroup }) => networkSecurityGroup?.id !== undefined,
  'a subnet must have no way out of its own': ({ defaultOutboundAccess }) => defaultOutboundAccess === false,
});

const storageTakesTls = each('storage:StorageAccount', {
  'TLS 1.2 at least': ({ minimumTlsVersion }) => ['TLS1_2', 'TLS1_3'].includes(minimumTlsVersion),
  'HTTPS alone': ({ enableHttpsTrafficOnly }) => enableHttpsTrafficOnly === true,
});
const redisTakesTls: Policy = (resources, context) => [
  ...each('redisenterprise:RedisEnterprise', {
    'TLS 1.2 at least': ({ minimumTlsVersion }) => ['1.2', '1.3'].includes(minimumTlsVersion),
  })(resources, context),
  ...each('redisenterprise:Database', {
    'encrypted connections alone': ({ clientProtocol }) => clientProtocol === 'Encrypted',
  })(resources, context),
];

const noAccountKeys = each('storage:StorageAccount', {
  'shared keys must be off': ({ allowSharedKeyAccess }) => allowSharedKeyAccess === false,
  'local users must be off': ({ isLocalUserEnabled }) => isLocalUserEnabled === false,
});

/** Owner, Contributor, User Access Administrator, Role Based Access Control Administrator. */
const broadRoles = [
  '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
  'b24988ac-6180-42a0-ab88-20f7382dd24c',
  '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9',
  'f58310d9-a9f6-439a-9e8d-f62e7b41a168',
];
const dataRoles: readonly string[] = [roles.storageBlobDataContributor, roles.storageBlobDataReader];
const rolesAreNarrow: Policy = (resources) =>
  of(resources, 'authorization:RoleAssignment').flatMap((assignment) => {
    const { roleDefinitionId, scope } = assignment.inputs;
    const role = String(roleDefinitionId).split('/').at(-1) ?? '';
    const says: string[] = [];
    if (broadRoles.includes(role)) says.push('Owner, Contributor and their kin are nobody’s');
    if (!Object.values<string>(roles).includes(role)) says.push(`role ${role} is not one of roles.ts`);
    if (!String(scope).includes('/providers/')) says.push(`the scope must be a resource, not ${scope}`);
    if (dataRoles.includes(role) && !/[/]containers[/]/.test(scope)) says.push('roles on blobs are for a container');
    if (role === roles.keyVaultSecretsUser && !/[/]secrets[/]/.test(scope))
      says.push('the role on secrets is for a secret');
    return says.map((sentence) => violation(assignment, sentence));
  });

/** The sizes of pools and scale sets, with whether what runs there is a worker. */
function sizesIn(resources: readonly Declared[]) {
  const pools = of(resources, 'containerservice:AgentPool').map((pool) => ({
    resource: pool,
    size: pool.inputs.vmSize,
  }));
  const system = of(resources, 'containerservice:ManagedCluster').flatMap((cluster) =>
    cluster.inputs.agentPoolProfiles.map((pool: Declared['inputs']) => ({ resource: cluster, size: pool.vmSize })),
  );
  const sets = of(resources, 'compute:VirtualMachineScaleSet').map((set) => ({
    resource: set,
    size: set.inputs.sku.name,
  }));
  return [...pools, ...system, ...sets];
}

const sizesAreCurrent: Policy = (resources, { acceptedSizes }) =>
  sizesIn(resources).flatMap(({ resource, size }) => {
    const state = findSize(size)?.lifeCycle.state;
    if (state === undefined) return [violation(resource, `${size} is not in the catalogue`)];
    if (state === 'current' || (state === 'end-of-life' && acceptedSizes.includes(size))) return [];
    return [violation(resource, `${size} is ${state}`)];
  });

const spotLabel = 'kubernetes.azure.com/scalesetpriority';
const spotIsMarked: Policy = (resources) =>
  of(resources, 'containerservice:AgentPool').flatMap((pool) => {
    const {
      scaleSetPriority,
      nodeTaints = [],
      nodeLabels = {},
      mode,
      upgradeSettings,
      scaleSetEvictionPolicy,
    } = pool.inputs;
    if (scaleSetPriority !== 'Spot') {
      return nodeTaints.includes(`${spotLabel}=spot:NoSchedule`)
        ? [violation(pool, 'a regular pool has the taint of spot')]
        : [];
    }
    const says: string[] = [];
    if (!nodeTaints.includes(`${spotLabel}=spot:NoSchedule`))
      says.push(`taint ${spotLabel}=spot:NoSchedule is missing`);
    if (nodeLabels[spotLabel] !== 'spot') says.push(`label ${spotLabel}=spot is missing`);
    if (mode !== 'User') says.push('a spot pool cannot be a system pool');
    if (scaleSetEvictionPolicy !== 'Delete')
      says.push('evicted machines must be deleted: stopped ones count against the quota');
    if (upgradeSettings !== undefined) says.push('Azure takes no surge settings on spot');
    return says.map((sentence) => violation(pool, sentence));
  });

const gpuTaints = ['sku=gpu:NoSchedule', 'nvidia.com/gpu=present:NoSchedule'];
const gpuIsMarked: Policy = (resources) =>
  of(resources, 'containerservice:AgentPool')
    .filter(({ inputs }) => findSize(inputs.vmSize)?.gpus !== undefined)
    .filter(({ inputs }) => !inputs.nodeTaints?.some((taint: string) => gpuTaints.includes(taint)))
    .map((pool) => violation(pool, `machines with GPUs need one of the taints ${gpuTaints.join(', ')}`));

const poolsScale = each('containerservice:AgentPool', {
  'the autoscaler must be on, between bounds': ({ enableAutoScaling, minCount, maxCount }) =>
    enableAutoScaling === true && minCount <= maxCount,
});

const notices: Policy = (resources) =>
  of(resources, 'compute:VirtualMachineScaleSet').flatMap((set) => {
    const { virtualMachineProfile: profile } = set.inputs;
    const notified = profile.scheduledEventsProfile?.terminateNotificationProfile?.enable === true;
    const says: string[] = [];
    if (profile.priority === 'Spot' && notified) says.push('Azure refuses terminate notifications on spot');
    if (profile.priority === 'Spot' && profile.evictionPolicy !== 'Delete')
      says.push('evicted machines must be deleted');
    if (profile.priority !== 'Spot' && !notified) says.push('machines must be told that they end');
    const health = profile.extensionProfile?.extensions?.find(
      ({ type }: { type: string }) => type === 'ApplicationHealthLinux',
    );
    if (health?.settings?.requestPath !== '/readyz') says.push('the health extension must ask /readyz');
    if (profile.osProfile.linuxConfiguration.disablePasswordAuthentication !== true) says.push('passwords must be off');
    return says.map((sentence) => violation(set, sentence));
  });

const noSecretsAtStart: Policy = (resources) =>
  of(resources, 'compute:VirtualMachineScaleSet')
    .filter(({ inputs }) =>
      /rediss:[/][/]|AccountKey=|cap_[a-z0-9]+_/.test(
        Buffer.from(inputs.virtualMachineProfile.osProfile.customData, 'base64').toString(),
      ),
    )
    .map((set) => violation(set, 'a secret is in its cloud-init'));

const redisKeepsJobs = each('redisenterprise:Database', {
  'it must evict nothing': ({ evictionPolicy }) => evictionPolicy === 'NoEviction',
  'BullMQ’s scripts need NoCluster': ({ clusteringPolicy }) => clusteringPolicy === 'NoCluster',
  'it must write to disk': ({ persistence }) => persistence?.aofEnabled === true,
});

const privateKinds = [
  'storage:StorageAccount',
  'redisenterprise:RedisEnterprise',
  'keyvault:Vault',
  'dashboard:Grafana',
];
const privateEndpointsResolve: Policy = (resources) => {
  const endpoints = of(resources, 'network:PrivateEndpoint');
  const unreached = privateKinds
    .flatMap((type) => of(resources, type))
    .filter(
      ({ id }) => !endpoints.some(({ inputs }) => inputs.privateLinkServiceConnections[0].privateLinkServiceId === id),
    )
    .map((service) => violation(service, 'no private endpoint'));
  const groups = of(resources, 'network:PrivateDnsZoneGroup');
  const unnamed = endpoints
    .filter(({ name }) => !groups.some(({ inputs }) => inputs.privateEndpointName === name))
    .map((endpoint) => violation(endpoint, 'no zone has its name'));
  const links = of(resources, 'privatedns:VirtualNetworkLink');
  const unlinked = of(resources, 'privatedns:PrivateZone')
    .filter(({ inputs }) => !links.some((link) => link.inputs.privateZoneName === inputs.privateZoneName))
    .map((zone) => violation(zone, 'the network does not see the zone'));
  return [...unreached, ...unnamed, ...unlinked];
};

const taggedKinds = [
  'resources:ResourceGroup',
  'storage:StorageAccount',
  'redisenterprise:RedisEnterprise',
  'keyvault:Vault',
  'containerservice:ManagedCluster',
  'containerservice:AgentPool',
  'compute:VirtualMachineScaleSet',
  'network:VirtualNetwork',
];

const tagged: Policy = (resources) =>
  resources
    .filter(
      ({ type, inputs }) => inputs.tags !== undefined || taggedKinds.some((kind) => type === `azure-native:${kind}`),
    )
    .filter(({ inputs }) => inputs.tags?.application !== 'captionfleet' || inputs.tags.fleet === undefined)
    .map((resource) => violation(resource, 'tags application and fleet are missing'));

const logged: Policy = (resources) => {
  const settings = of(resources, 'monitor:DiagnosticSetting');
  const watched = [
    ...of(resources, 'keyvault:Vault').map((resource) => ({ resource, uri: resource.id })),
    ...of(resources, 'storage:StorageAccount').map((resource) => ({
      resource,
      uri: `${resource.id}/blobServices/default`,
    })),
    ...of(resources, 'redisenterprise:Database').map((resource) => ({ resource, uri: resource.id })),
    ...of(resources, 'containerservice:ManagedCluster').map((resource) => ({ resource, uri: resource.id })),
  ];
  return watched
    .filter(({ uri }) => !settings.some(({ inputs }) => inputs.resourceUri === uri && inputs.logs.length > 0))
    .map(({ resource }) => violation(resource, 'no diagnostic setting keeps its logs'));
};

const dataOutlivesMistakes: Policy = (resources, context) => [
  ...each('storage:BlobServiceProperties', {
    'deleted blobs and containers must be kept for 7 days at least': ({
      deleteRetentionPolicy,
      containerDeleteRetentionPolicy,
    }) =>
      [deleteRetentionPolicy, containerDeleteRetentionPolicy].every(
        (policy) => policy?.enabled === true && policy.days >= 7,
      ),
  })(resources, context),
  ...each('keyvault:Vault', {
    'a deleted vault must be kept, and purged by nobody': ({ properties }) =>
      properties.enableSoftDelete === true && properties.enablePurgeProtection === true,
  })(resources, context),
  ...of(resources, 'storage:StorageAccount')
    .filter(
      ({ id }) =>
        !of(resources, 'authorization:ManagementLockByScope').some(
          ({ inputs }) => inputs.scope === id && inputs.level === 'CanNotDelete',
        ),
    )
    .map((account) => violation(account, 'no lock keeps it from being deleted')),
  ...['storage:StorageAccount', 'storage:BlobContainer', 'redisenterprise:Database', 'keyvault:Vault']
    .flatMap((type) => of(resources, type))
    .filter((resource) => !resource.protected)
    .map((resource) => violation(resource, 'Pulumi must be kept from deleting it')),
];

/** What every stack of this program keeps, whatever its configuration. */
export const policies = {
  storageIsPrivate,
  containersArePrivate,
  redisIsPrivate,
  vaultIsPrivate,
  grafanaIsPrivate,
  clusterIsPrivate,
  onlyEgressIsPublic,
  nobodyComesIn,
  subnetsAreGuarded,
  storageTakesTls,
  redisTakesTls,
  noAccountKeys,
  rolesAreNarrow,
  sizesAreCurrent,
  spotIsMarked,
  gpuIsMarked,
  poolsScale,
  notices,
  noSecretsAtStart,
  redisKeepsJobs,
  privateEndpointsResolve,
  tagged,
  logged,
  dataOutlivesMistakes,
} satisfies Record<string, Policy>;

import { AgentPool, type AgentPoolArgs } from '@pulumi/azure-native/containerservice/agentPool.js';
import { MaintenanceConfiguration } from '@pulumi/azure-native/containerservice/maintenanceConfiguration.js';
import { ManagedCluster } from '@pulumi/azure-native/containerservice/managedCluster.js';
import { UserAssignedIdentity } from '@pulumi/azure-native/managedidentity/userAssignedIdentity.js';
import type { Network } from './network.ts';
import type { Place } from './place.ts';
import { grant } from './roles.ts';

/** How AKS marks spot nodes, and how ours with GPUs are: infra/kubernetes tolerates both. */
export const spotTaint = 'kubernetes.azure.com/scalesetpriority=spot:NoSchedule';
export const gpuTaint = 'sku=gpu:NoSchedule';

/** The cluster, without public address unless `authorizedIpRanges` names who may come, and its pools. */
export function buildCluster(place: Place, network: Network): ManagedCluster {
  const { fleet, resourceGroupName, location, tags } = place;
  const { subscriptionId, systemPool, authorizedIpRanges } = fleet;
  const common = { resourceGroupName, location, tags };

  // Identities before the cluster: what it needs in the network must be granted when it comes.
  const controlPlane = new UserAssignedIdentity('control-plane', common);
  const kubelet = new UserAssignedIdentity('kubelet', common);
  const toControlPlane = { to: controlPlane.principalId, kind: 'ServicePrincipal', subscriptionId } as const;
  const granted = [
    grant('control-plane-machines', { ...toControlPlane, role: 'networkContributor', on: network.machines.id }),
  ];
  if (fleet.registry !== undefined) {
    const toKubelet = { to: kubelet.principalId, kind: 'ServicePrincipal', subscriptionId } as const;
    granted.push(grant('kubelet-images', { ...toKubelet, role: 'acrPull', on: fleet.registry.id }));
  }
  granted.push(grantKubelet(controlPlane, kubelet, subscriptionId));

  const cluster = new ManagedCluster(
    fleet.name,
    {
      ...common,
      dnsPrefix: fleet.name,
      ...(fleet.kubernetesVersion !== undefined && { kubernetesVersion: fleet.kubernetesVersion }),
      sku: { name: 'Base', tier: 'Standard' },
      identity: { type: 'UserAssigned', userAssignedIdentities: [controlPlane.id] },
      identityProfile: {
        kubeletidentity: { resourceId: kubelet.id, clientId: kubelet.clientId, objectId: kubelet.principalId },
      },
      enableRBAC: true,
      disableLocalAccounts: true,
      aadProfile: { managed: true, enableAzureRBAC: true, tenantID: fleet.tenantId },
      apiServerAccessProfile:
        authorizedIpRanges.length === 0
          ? {
              enablePrivateCluster: true,
              enablePrivateClusterPublicFQDN: false,
              privateDNSZone: 'system',
            }
          : { enablePrivateCluster: false, authorizedIPRanges: authorizedIpRanges },
      oidcIssuerProfile: { enabled: true },
      securityProfile: {
        workloadIdentity: { enabled: true },
        imageCleaner: { enabled: true, intervalHours: 168 },
      },
      workloadAutoScalerProfile: { keda: { enabled: true } },
      azureMonitorProfile: { metrics: { enabled: true, kubeStateMetrics: {} } },
      addonProfiles: {
        azureKeyvaultSecretsProvider: {
          enabled: true,
          config: { enableSecretRotation: 'true', rotationPollInterval: '10m' },
        },
        azurepolicy: { enabled: true },
      },
      autoUpgradeProfile: { upgradeChannel: 'patch', nodeOSUpgradeChannel: 'NodeImage' },
      // A node that nothing runs on goes after 5 minutes: the fleet pays for machines, not for pods.
      autoScalerProfile: { expander: 'least-waste', scaleDownUnneededTime: '5m', skipNodesWithLocalStorage: 'false' },
      networkProfile: {
        networkPlugin: 'azure',
        networkPluginMode: 'overlay',
        networkPolicy: 'cilium',
        networkDataplane: 'cilium',
        podCidr: '10.244.0.0/16',
        serviceCidr: '10.245.0.0/16',
        dnsServiceIP: '10.245.0.10',
        loadBalancerSku: 'standard',
        outboundType: 'userAssignedNATGateway',
      },
      agentPoolProfiles: [
        {
          name: 'system',
          mode: 'System',
          nodeTaints: ['CriticalAddonsOnly=true:NoSchedule'],
          ...pool(systemPool, fleet.zones, network),
          ...rolling,
        },
      ],
    },
    { protect: true, dependsOn: granted },
  );
  fleet.adminGroupIds.forEach((group, index) => {
    grant(`cluster-admins-${index}`, {
      role: 'kubernetesClusterAdmin',
      to: group,
      kind: 'Group',
      on: cluster.id,
      subscriptionId,
    });
  });
  buildPools(place, network, cluster);
  buildMaintenance(place, cluster);
  return cluster;
}

/** The cluster hands the kubelet's identity to its machines, which takes a role on that identity. */
function grantKubelet(controlPlane: UserAssignedIdentity, kubelet: UserAssignedIdentity, subscriptionId: string) {
  return grant('control-plane-kubelet', {
    role: 'managedIdentityOperator',
    to: controlPlane.principalId,
    kind: 'ServicePrincipal',
    on: kubelet.id,
    subscriptionId,
  });
}

const rolling = { upgradeSettings: { maxSurge: '33%', drainTimeoutInMinutes: 30 } };

const pool = ({ size, min, max }: { size: string; min: number; max: number }, zones: string[], network: Network) => ({
  vmSize: size,
  osType: 'Linux',
  osSKU: 'AzureLinux',
  osDiskSizeGB: 128,
  type: 'VirtualMachineScaleSets',
  availabilityZones: zones,
  enableAutoScaling: true,
  minCount: min,
  maxCount: max,
  count: Math.max(min, 0),
  enableNodePublicIP: false,
  vnetSubnetID: network.machines.id,
});

function buildPools({ fleet, resourceGroupName, tags }: Place, network: Network, cluster: ManagedCluster): void {
  const { zones, cpuPool, spotPool, gpuPool } = fleet;
  const add = (name: string, settings: Omit<AgentPoolArgs, 'resourceGroupName' | 'resourceName'>) =>
    new AgentPool(name, {
      resourceGroupName,
      resourceName: cluster.name,
      agentPoolName: name,
      mode: 'User',
      tags,
      ...settings,
    });
  add('cpu', { ...pool(cpuPool, zones, network), ...rolling, nodeLabels: { 'captionfleet/pool': 'cpu' } });
  if (spotPool !== undefined) {
    // Spot nodes take no surge settings: Azure replaces them without.
    add('spot', {
      ...pool(spotPool, zones, network),
      scaleSetPriority: 'Spot',
      scaleSetEvictionPolicy: 'Delete',
      spotMaxPrice: spotPool.maxUsdPerHour,
      nodeLabels: { 'captionfleet/pool': 'cpu', 'kubernetes.azure.com/scalesetpriority': 'spot' },
      nodeTaints: [spotTaint],
    });
  }
  if (gpuPool !== undefined) {
    add('gpu', {
      ...pool(gpuPool, zones, network),
      ...rolling,
      osSKU: 'Ubuntu',
      gpuProfile: { driver: 'Install' },
      nodeLabels: { 'captionfleet/pool': 'gpu' },
      nodeTaints: [gpuTaint],
    });
  }
}

/** Upgrades of the cluster and of its nodes come on Sundays, and end before people come. */
function buildMaintenance({ resourceGroupName }: Place, cluster: ManagedCluster): void {
  for (const configName of ['aksManagedAutoUpgradeSchedule', 'aksManagedNodeOSUpgradeSchedule']) {
    new MaintenanceConfiguration(configName, {
      resourceGroupName,
      resourceName: cluster.name,
      configName,
      maintenanceWindow: {
        schedule: { weekly: { dayOfWeek: 'Sunday', intervalWeeks: 1 } },
        startTime: '01:00',
        utcOffset: '+00:00',
        durationHours: 6,
      },
    });
  }
}

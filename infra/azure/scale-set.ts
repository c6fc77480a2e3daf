import { VirtualMachineScaleSet } from '@pulumi/azure-native/compute/virtualMachineScaleSet.js';
import type { UserAssignedIdentity } from '@pulumi/azure-native/managedidentity/userAssignedIdentity.js';
import { AutoscaleSetting } from '@pulumi/azure-native/monitor/autoscaleSetting.js';
import { LoadBalancer } from '@pulumi/azure-native/network/loadBalancer.js';
import { all, type Input, interpolate, type Output } from '@pulumi/pulumi';
import { cloudInit, type Machine, workerHealthPort } from './cloud-init.ts';
import type { FleetConfig, Pool } from './config.ts';
import type { Identities } from './identities.ts';
import { apiPort, type Network } from './network.ts';
import type { Place } from './place.ts';
import { grant } from './roles.ts';
import type { Storage } from './storage.ts';
import type { Vault } from './vault.ts';

/** Seconds that work may take once Azure said that the machine goes: Terminate is announced 10 minutes ahead, Preempt 30 s. */
const drainSeconds = { regular: 300, spot: 15 } as const;

interface Kind {
  readonly pool: Pool;
  readonly identity: UserAssignedIdentity;
  readonly machine: Output<Machine>;
  readonly healthPort: number;
  readonly spotMaxPrice?: number;
  readonly backendPool?: Input<string>;
}

/** The fleet without Kubernetes: a scale set for the API behind an inner load balancer, one for workers, one for spot workers. */
export function buildScaleSets(
  place: Place,
  network: Network,
  storage: Storage,
  vault: Vault,
  identities: Identities,
): void {
  const { fleet } = place;
  const { api, worker } = identities;
  const machine = (role: 'api' | 'worker', identity: UserAssignedIdentity, priority: 'regular' | 'spot') =>
    all([storage.url, vault.vault.name, identity.clientId]).apply(
      ([storageUrl, vaultName, clientId]): Machine => ({
        role,
        storageUrl,
        vaultName,
        clientId,
        drainSeconds: drainSeconds[priority],
        ...releaseOf(fleet),
      }),
    );
  const workers = [
    buildScaleSet('worker', place, network, {
      pool: fleet.cpuPool,
      identity: worker,
      machine: machine('worker', worker, 'regular'),
      healthPort: workerHealthPort,
    }),
  ];
  if (fleet.spotPool !== undefined) {
    const { maxUsdPerHour, ...pool } = fleet.spotPool;
    const spot = { pool, identity: worker, machine: machine('worker', worker, 'spot') };
    workers.push(
      buildScaleSet('worker-spot', place, network, {
        ...spot,
        healthPort: workerHealthPort,
        spotMaxPrice: maxUsdPerHour,
      }),
    );
  }
  workers.forEach((scaleSet, index) => {
    grant(`api-publishes-${index}`, {
      role: 'monitoringMetricsPublisher',
      to: api.principalId,
      kind: 'ServicePrincipal',
      on: scaleSet.id,
      subscriptionId: fleet.subscriptionId,
    });
  });
  scaleByDrainTime('worker', place, workers[0], fleet.cpuPool);
  if (fleet.spotPool !== undefined) scaleByDrainTime('worker-spot', place, workers[1], fleet.spotPool);

  const published = all([machine('api', api, 'regular'), all(workers.map(({ id }) => id))]).apply(
    ([each, scaleSets]): Machine => ({ ...each, publishTo: { region: fleet.location, scaleSets } }),
  );
  buildScaleSet('api', place, network, {
    pool: fleet.apiMachines,
    identity: api,
    machine: published,
    healthPort: apiPort,
    backendPool: interpolate`${buildLoadBalancer(place, network).id}/backendAddressPools/api`,
  });
}

function releaseOf({ scaleSets }: FleetConfig) {
  if (scaleSets === undefined)
    throw new Error('the configuration of scale sets is not there: its schema let it through');
  const { archive, archiveSha256, model, modelSha256 } = scaleSets;
  return { archive, archiveSha256, model, modelSha256 };
}

/**
 * Flexible rather than Uniform: Azure's choice for new scale sets, whose machines are spread over fault domains one by one, so
 * that each is told of its own events, where Uniform tells a whole placement group of each one's.
 */
function buildScaleSet(name: string, place: Place, network: Network, kind: Kind): VirtualMachineScaleSet {
  const { fleet, resourceGroupName, location, tags } = place;
  const { pool, identity, machine, healthPort, spotMaxPrice, backendPool } = kind;
  const spot = spotMaxPrice !== undefined;
  return new VirtualMachineScaleSet(
    name,
    {
      resourceGroupName,
      location,
      tags,
      zones: fleet.zones,
      orchestrationMode: 'Flexible',
      platformFaultDomainCount: 1,
      sku: { name: pool.size, tier: 'Standard', capacity: pool.min },
      identity: { type: 'UserAssigned', userAssignedIdentities: [identity.id] },
      // A spot machine that is gone is not repaired but replaced, when there is one to be had.
      ...(!spot && { automaticRepairsPolicy: { enabled: true, gracePeriod: 'PT30M', repairAction: 'Replace' } }),
      virtualMachineProfile: {
        ...(spot
          ? { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: spotMaxPrice } }
          : {
              priority: 'Regular',
              // Not on spot: Azure refuses it there, and tells of evictions 30 s ahead by itself.
              scheduledEventsProfile: { terminateNotificationProfile: { enable: true, notBeforeTimeout: 'PT10M' } },
            }),
        osProfile: {
          computerNamePrefix: name,
          adminUsername: 'operator',
          customData: machine.apply((each) => Buffer.from(cloudInit(each)).toString('base64')),
          linuxConfiguration: {
            disablePasswordAuthentication: true,
            ssh: {
              publicKeys: [
                { path: '/home/operator/.ssh/authorized_keys', keyData: fleet.scaleSets?.sshPublicKey ?? '' },
              ],
            },
          },
        },
        securityProfile: {
          securityType: 'TrustedLaunch',
          uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
        },
        storageProfile: {
          imageReference: { publisher: 'Canonical', offer: 'ubuntu-24_04-lts', sku: 'server', version: 'latest' },
          osDisk: {
            createOption: 'FromImage',
            caching: 'ReadWrite',
            diskSizeGB: 64,
            deleteOption: 'Delete',
            managedDisk: { storageAccountType: 'StandardSSD_LRS' },
          },
        },
        networkProfile: {
          networkApiVersion: '2020-11-01',
          networkInterfaceConfigurations: [
            {
              name: 'machine',
              primary: true,
              deleteOption: 'Delete',
              ipConfigurations: [
                {
                  name: 'machine',
                  primary: true,
                  subnet: { id: network.machines.id },
                  ...(backendPool !== undefined && { loadBalancerBackendAddressPools: [{ id: backendPool }] }),
                },
              ],
            },
          ],
        },
        extensionProfile: {
          extensions: [
            {
              name: 'health',
              publisher: 'Microsoft.ManagedServices',
              type: 'ApplicationHealthLinux',
              typeHandlerVersion: '1.0',
              autoUpgradeMinorVersion: true,
              settings: { protocol: 'http', port: healthPort, requestPath: '/readyz' },
            },
          ],
        },
      },
    },
    // From then on the autoscaler has the say.
    { ignoreChanges: ['sku.capacity'] },
  );
}

/**
 * More machines while the work at hand would take longer than 2 minutes, fewer once it takes less than 20 s: one at a time down, a
 * quarter more up. The metric is what publish-drain-seconds.ts sends of the API's own.
 */
function scaleByDrainTime(name: string, place: Place, target: VirtualMachineScaleSet | undefined, pool: Pool): void {
  if (target === undefined) return;
  const { resourceGroupName, location, tags } = place;
  const metricTrigger = {
    metricName: 'DrainSeconds',
    metricNamespace: 'Captionfleet',
    metricResourceUri: target.id,
    timeGrain: 'PT1M',
    timeAggregation: 'Maximum',
    dividePerInstance: false,
  } as const;
  new AutoscaleSetting(name, {
    resourceGroupName,
    location,
    tags,
    enabled: true,
    targetResourceUri: target.id,
    profiles: [
      {
        name: 'drain-time',
        capacity: { minimum: String(pool.min), maximum: String(pool.max), default: String(Math.max(pool.min, 1)) },
        rules: [
          {
            metricTrigger: {
              ...metricTrigger,
              statistic: 'Max',
              timeWindow: 'PT3M',
              operator: 'GreaterThan',
              threshold: 120,
            },
            scaleAction: {
              direction: 'Increase',
              type: 'ChangeCount',
              value: String(Math.max(1, Math.ceil(pool.max / 4))),
              cooldown: 'PT5M',
            },
          },
          {
            metricTrigger: {
              ...metricTrigger,
              statistic: 'Max',
              timeWindow: 'PT10M',
              operator: 'LessThan',
              threshold: 20,
            },
            scaleAction: { direction: 'Decrease', type: 'ChangeCount', value: '1', cooldown: 'PT5M' },
          },
        ],
      },
    ],
  });
}

/** Reached from the network alone; who lets the world in puts a gateway with TLS before it. */
function buildLoadBalancer({ resourceGroupName, location, tags, fleet }: Place, network: Network): LoadBalancer {
  const id = (kind: string, name: string) =>
    interpolate`/subscriptions/${fleet.subscriptionId}/resourceGroups/${resourceGroupName}/providers/Microsoft.Network/loadBalancers/${fleet.name}-api/${kind}/${name}`;
  return new LoadBalancer('api', {
    resourceGroupName,
    location,
    tags,
    loadBalancerName: `${fleet.name}-api`,
    sku: { name: 'Standard' },
    frontendIPConfigurations: [
      { name: 'api', subnet: { id: network.machines.id }, privateIPAllocationMethod: 'Dynamic', zones: fleet.zones },
    ],
    backendAddressPools: [{ name: 'api' }],
    probes: [
      {
        name: 'readyz',
        protocol: 'Http',
        port: apiPort,
        requestPath: '/readyz',
        intervalInSeconds: 5,
        numberOfProbes: 2,
      },
    ],
    loadBalancingRules: [
      {
        name: 'api',
        protocol: 'Tcp',
        frontendPort: 80,
        backendPort: apiPort,
        frontendIPConfiguration: { id: id('frontendIPConfigurations', 'api') },
        backendAddressPool: { id: id('backendAddressPools', 'api') },
        probe: { id: id('probes', 'readyz') },
        disableOutboundSnat: true,
        idleTimeoutInMinutes: 30,
        enableTcpReset: true,
      },
    ],
  });
}

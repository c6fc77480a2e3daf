import { NatGateway } from '@pulumi/azure-native/network/natGateway.js';
import { NetworkSecurityGroup } from '@pulumi/azure-native/network/networkSecurityGroup.js';
import { PublicIPAddress } from '@pulumi/azure-native/network/publicIPAddress.js';
import { Subnet } from '@pulumi/azure-native/network/subnet.js';
import { VirtualNetwork } from '@pulumi/azure-native/network/virtualNetwork.js';
import type { Output } from '@pulumi/pulumi';
import type { Place } from './place.ts';

export interface Network {
  readonly id: Output<string>;
  readonly machines: Subnet;
  readonly endpoints: Subnet;
  readonly endpointsPrefix: string;
  /** The address that hosts of images see the fleet come from. */
  readonly egressAddress: Output<string | undefined>;
}

/** Ports of the private endpoints: Azure Managed Redis, and HTTPS. */
export const redisPort = 10000;
/** The API of the scale sets. */
export const apiPort = 8080;

const rule = (
  name: string,
  priority: number,
  direction: 'Inbound' | 'Outbound',
  access: 'Allow' | 'Deny',
  from: string,
  to: string,
  protocol: string,
  ports: string[],
) => ({
  name,
  priority,
  direction,
  access,
  protocol,
  sourceAddressPrefix: from,
  sourcePortRange: '*',
  destinationAddressPrefix: to,
  ...(ports.length === 1 ? { destinationPortRange: ports[0] ?? '*' } : { destinationPortRanges: ports }),
});

/**
 * One network with two subnets: machines, whose way out is a NAT gateway, and private endpoints, whose way out is none.
 * Machines reach the Internet by HTTP, HTTPS and NTP alone: that is what fetching images, Azure and the clock need.
 */
export function buildNetwork({ fleet, resourceGroupName, location, tags }: Place): Network {
  const common = { resourceGroupName, location, tags };
  const octets = fleet.addressSpace.split('.').slice(0, 2).join('.');
  const endpointsPrefix = `${octets}.0.0/24`;
  const machinesPrefix = `${octets}.16.0/20`;

  const address = new PublicIPAddress('egress', {
    ...common,
    sku: { name: 'Standard' },
    publicIPAllocationMethod: 'Static',
    publicIPAddressVersion: 'IPv4',
    zones: fleet.zones.slice(0, 1),
  });
  // A NAT gateway of the Standard SKU is of one zone.
  const gateway = new NatGateway('egress', {
    ...common,
    sku: { name: 'Standard' },
    zones: fleet.zones.slice(0, 1),
    idleTimeoutInMinutes: 4,
    publicIpAddresses: [{ id: address.id }],
  });

  const machinesGroup = new NetworkSecurityGroup('machines', {
    ...common,
    securityRules: [
      rule('deny-internet-in', 4000, 'Inbound', 'Deny', 'Internet', '*', '*', ['*']),
      rule('web-out', 100, 'Outbound', 'Allow', '*', 'Internet', 'Tcp', ['80', '443']),
      rule('clock-out', 110, 'Outbound', 'Allow', '*', 'Internet', 'Udp', ['123']),
      rule('deny-internet-out', 4000, 'Outbound', 'Deny', '*', 'Internet', '*', ['*']),
    ],
  });
  const endpointsGroup = new NetworkSecurityGroup('endpoints', {
    ...common,
    securityRules: [
      rule('machines-in', 100, 'Inbound', 'Allow', machinesPrefix, endpointsPrefix, 'Tcp', ['443', String(redisPort)]),
      ...fleet.operatorRanges.map((range, index) =>
        rule(`operators-in-${index}`, 200 + index, 'Inbound', 'Allow', range, endpointsPrefix, 'Tcp', ['443']),
      ),
      rule('deny-in', 4000, 'Inbound', 'Deny', '*', '*', '*', ['*']),
      rule('deny-out', 4000, 'Outbound', 'Deny', '*', '*', '*', ['*']),
    ],
  });

  const network = new VirtualNetwork('fleet', { ...common, addressSpace: { addressPrefixes: [fleet.addressSpace] } });
  const subnet = { resourceGroupName, virtualNetworkName: network.name, defaultOutboundAccess: false };
  const endpoints = new Subnet('endpoints', {
    ...subnet,
    subnetName: 'endpoints',
    addressPrefix: endpointsPrefix,
    networkSecurityGroup: { id: endpointsGroup.id },
    // Without this the security group would not count for private endpoints.
    privateEndpointNetworkPolicies: 'Enabled',
  });
  const machines = new Subnet(
    'machines',
    {
      ...subnet,
      subnetName: 'machines',
      addressPrefix: machinesPrefix,
      networkSecurityGroup: { id: machinesGroup.id },
      natGateway: { id: gateway.id },
    },
    // Azure changes a network's subnets one at a time.
    { dependsOn: endpoints },
  );
  return { id: network.id, machines, endpoints, endpointsPrefix, egressAddress: address.ipAddress };
}

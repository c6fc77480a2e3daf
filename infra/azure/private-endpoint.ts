import { PrivateDnsZoneGroup } from '@pulumi/azure-native/network/privateDnsZoneGroup.js';
import { PrivateEndpoint } from '@pulumi/azure-native/network/privateEndpoint.js';
import { PrivateZone } from '@pulumi/azure-native/privatedns/privateZone.js';
import { VirtualNetworkLink } from '@pulumi/azure-native/privatedns/virtualNetworkLink.js';
import type { Input } from '@pulumi/pulumi';
import type { Network } from './network.ts';
import type { Place } from './place.ts';

/** What a service calls its endpoint, and the zone that its name is looked up in from inside. */
const services = {
  storage: { group: 'blob', zone: 'privatelink.blob.core.windows.net' },
  redis: { group: 'redisEnterprise', zone: 'privatelink.redis.azure.net' },
  vault: { group: 'vault', zone: 'privatelink.vaultcore.azure.net' },
  grafana: { group: 'grafana', zone: 'privatelink.grafana.azure.com' },
} as const;

/** Gives a service an address in the network, under its own name. */
export function connectPrivately(
  service: keyof typeof services,
  target: Input<string>,
  network: Network,
  { resourceGroupName, location, tags }: Place,
): PrivateDnsZoneGroup {
  const { group, zone: privateZoneName } = services[service];
  const zone = new PrivateZone(service, { resourceGroupName, tags, location: 'global', privateZoneName });
  new VirtualNetworkLink(service, {
    resourceGroupName,
    tags,
    location: 'global',
    privateZoneName: zone.name,
    registrationEnabled: false,
    virtualNetwork: { id: network.id },
  });
  const endpoint = new PrivateEndpoint(service, {
    resourceGroupName,
    location,
    tags,
    subnet: { id: network.endpoints.id },
    privateLinkServiceConnections: [{ name: service, privateLinkServiceId: target, groupIds: [group] }],
  });
  return new PrivateDnsZoneGroup(service, {
    resourceGroupName,
    privateEndpointName: endpoint.name,
    privateDnsZoneGroupName: 'default',
    privateDnsZoneConfigs: [{ name: service, privateDnsZoneId: zone.id }],
  });
}

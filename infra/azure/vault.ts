import { Secret } from '@pulumi/azure-native/keyvault/secret.js';
import { Vault as KeyVault } from '@pulumi/azure-native/keyvault/vault.js';
import type { Network } from './network.ts';
import type { Place } from './place.ts';
import { connectPrivately } from './private-endpoint.ts';
import type { Redis } from './redis.ts';

export interface Vault {
  readonly vault: KeyVault;
  readonly redisUrl: Secret;
}

/** The name that infra/kubernetes and the machines of scale sets ask for. */
export const redisUrlSecret = 'captionfleet-redis-url';

/** The one secret there is, and who may read it. A deleted vault can be had back for 90 days, and purged by nobody. */
export function buildVault(place: Place, network: Network, redis: Redis): Vault {
  const { fleet, resourceGroupName, location, tags } = place;
  const vault = new KeyVault(
    fleet.name,
    {
      resourceGroupName,
      location,
      tags,
      properties: {
        tenantId: fleet.tenantId,
        sku: { family: 'A', name: 'standard' },
        enableRbacAuthorization: true,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 90,
        enablePurgeProtection: true,
        publicNetworkAccess: 'Disabled',
        networkAcls: { defaultAction: 'Deny', bypass: 'None' },
      },
    },
    { protect: true },
  );
  connectPrivately('vault', vault.id, network, place);
  // Written by Azure Resource Manager, which needs no way into the vault.
  const redisUrl = new Secret(redisUrlSecret, {
    resourceGroupName,
    tags,
    vaultName: vault.name,
    secretName: redisUrlSecret,
    properties: { value: redis.url, contentType: 'REDIS_URL' },
  });
  return { vault, redisUrl };
}

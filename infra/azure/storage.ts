import { ManagementLockByScope } from '@pulumi/azure-native/authorization/managementLockByScope.js';
import { BlobContainer } from '@pulumi/azure-native/storage/blobContainer.js';
import { BlobServiceProperties } from '@pulumi/azure-native/storage/blobServiceProperties.js';
import { ManagementPolicy } from '@pulumi/azure-native/storage/managementPolicy.js';
import { StorageAccount } from '@pulumi/azure-native/storage/storageAccount.js';
import { interpolate, type Output } from '@pulumi/pulumi';
import type { Network } from './network.ts';
import type { Place } from './place.ts';
import { connectPrivately } from './private-endpoint.ts';

export interface Storage {
  readonly account: StorageAccount;
  readonly blobService: Output<string>;
  readonly url: Output<string>;
  /** What `CAPTIONFLEET_CONTAINER` names by default. */
  readonly fleetContainer: BlobContainer;
  readonly imageContainers: ReadonlyMap<string, BlobContainer>;
  /** Archives that machines of the scale sets install; those of a cluster run images. */
  readonly releases: BlobContainer | undefined;
}

/** Names of what a request leaves in the fleet's container; a tenant's lie below `tenants/`. Webhooks and keys stay. */
const requestFolders = [
  'requests',
  'idempotency',
  'bulk',
  'scoring',
  'files',
  'batches',
  'images',
  'webhooks/messages',
];

/**
 * The record of the fleet: nobody reaches it but from the network, by an identity. Blobs are written once, so versions would keep
 * what never changes and the fleet's marks, which do; soft delete is what gives a deleted blob back.
 */
export function buildStorage(place: Place, network: Network): Storage {
  const { fleet, resourceGroupName, location, tags } = place;
  const { replication, keepDays, softDeleteDays, imageContainers } = fleet.storage;
  const account = new StorageAccount(
    fleet.name,
    {
      resourceGroupName,
      location,
      tags,
      kind: 'StorageV2',
      sku: { name: replication },
      minimumTlsVersion: 'TLS1_2',
      enableHttpsTrafficOnly: true,
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      allowCrossTenantReplication: false,
      defaultToOAuthAuthentication: true,
      isLocalUserEnabled: false,
      publicNetworkAccess: 'Disabled',
      networkRuleSet: { defaultAction: 'Deny', bypass: 'None' },
    },
    { protect: true },
  );
  new ManagementLockByScope('storage', {
    scope: account.id,
    level: 'CanNotDelete',
    notes: 'It holds every request and outcome of the fleet.',
  });
  const kept = { enabled: true, days: softDeleteDays };
  new BlobServiceProperties('blobs', {
    resourceGroupName,
    accountName: account.name,
    blobServicesName: 'default',
    deleteRetentionPolicy: kept,
    containerDeleteRetentionPolicy: kept,
    isVersioningEnabled: false,
  });
  const container = (containerName: string) =>
    new BlobContainer(
      containerName,
      { resourceGroupName, accountName: account.name, containerName, publicAccess: 'None' },
      { protect: true },
    );
  const fleetContainer = container('captionfleet');
  new ManagementPolicy('old-requests', {
    resourceGroupName,
    accountName: account.name,
    managementPolicyName: 'default',
    policy: {
      rules: [
        {
          name: 'old-requests',
          type: 'Lifecycle',
          enabled: true,
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob'],
              prefixMatch: requestFolders.map((folder) => `captionfleet/${folder}/`),
            },
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keepDays } } },
          },
        },
      ],
    },
  });
  connectPrivately('storage', account.id, network, place);
  return {
    account,
    blobService: interpolate`${account.id}/blobServices/default`,
    url: account.primaryEndpoints.apply(({ blob }) => blob.replace(/[/]$/, '')),
    fleetContainer,
    imageContainers: new Map(imageContainers.map((name) => [name, container(name)])),
    releases: fleet.flavour === 'scale-sets' ? container('releases') : undefined,
  };
}

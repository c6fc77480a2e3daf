import { FederatedIdentityCredential } from '@pulumi/azure-native/managedidentity/federatedIdentityCredential.js';
import { UserAssignedIdentity } from '@pulumi/azure-native/managedidentity/userAssignedIdentity.js';
import type { Output } from '@pulumi/pulumi';
import type { Place } from './place.ts';
import { grant } from './roles.ts';
import type { Storage } from './storage.ts';
import type { Vault } from './vault.ts';

export interface Identities {
  readonly api: UserAssignedIdentity;
  readonly worker: UserAssignedIdentity;
}

/** The API and the worker are who they are by their machine or pod: they hold no secret but the key of Redis. */
export function buildIdentities(
  { fleet, resourceGroupName, location, tags }: Place,
  storage: Storage,
  vault: Vault,
): Identities {
  const { subscriptionId } = fleet;
  const who = (name: 'api' | 'worker') => {
    const identity = new UserAssignedIdentity(name, { resourceGroupName, location, tags });
    const to = { to: identity.principalId, kind: 'ServicePrincipal', subscriptionId } as const;
    grant(`${name}-fleet-blobs`, { ...to, role: 'storageBlobDataContributor', on: storage.fleetContainer.id });
    grant(`${name}-redis-url`, { ...to, role: 'keyVaultSecretsUser', on: vault.redisUrl.id });
    for (const [container, { id }] of storage.imageContainers) {
      grant(`${name}-images-${container}`, { ...to, role: 'storageBlobDataReader', on: id });
    }
    if (storage.releases !== undefined) {
      grant(`${name}-releases`, { ...to, role: 'storageBlobDataReader', on: storage.releases.id });
    }
    return identity;
  };
  return { api: who('api'), worker: who('worker') };
}

/** Lets the service accounts of infra/kubernetes sign in as the identities. */
export function trustServiceAccounts(
  { resourceGroupName }: Place,
  { api, worker }: Identities,
  issuer: Output<string>,
): void {
  for (const [name, identity] of [
    ['api', api],
    ['worker', worker],
  ] as const) {
    new FederatedIdentityCredential(name, {
      resourceGroupName,
      resourceName: identity.name,
      issuer,
      subject: `system:serviceaccount:captionfleet:captionfleet-${name}`,
      audiences: ['api://AzureADTokenExchange'],
    });
  }
}

import { RoleAssignment } from '@pulumi/azure-native/authorization/roleAssignment.js';
import type { Input } from '@pulumi/pulumi';

/** Azure's built-in roles by their ids: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
export const roles = {
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6',
  networkContributor: '4d97b98b-1d4f-4787-a291-c67834d212e7',
  managedIdentityOperator: 'f1a07417-d97a-45cb-824c-7a7467783830',
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
  kubernetesClusterAdmin: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b',
  monitoringDataReader: 'b0d8363b-8ddd-447d-831f-62ca05bff136',
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
  grafanaAdmin: '22926164-76b3-42b3-bc55-97df8dab3e41',
} as const;

interface Grant {
  readonly role: keyof typeof roles;
  readonly to: Input<string>;
  readonly kind: 'ServicePrincipal' | 'Group';
  /** The resource that it is for, never a group of resources. */
  readonly on: Input<string>;
  readonly subscriptionId: string;
}

export function grant(name: string, { role, to, kind, on, subscriptionId }: Grant): RoleAssignment {
  return new RoleAssignment(name, {
    principalId: to,
    principalType: kind,
    roleDefinitionId: `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${roles[role]}`,
    scope: on,
  });
}

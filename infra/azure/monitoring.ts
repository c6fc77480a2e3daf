import { PrometheusRuleGroup } from '@pulumi/azure-native/alertsmanagement/prometheusRuleGroup.js';
import { Grafana } from '@pulumi/azure-native/dashboard/grafana.js';
import { AzureMonitorWorkspace } from '@pulumi/azure-native/monitor/azureMonitorWorkspace.js';
import { DataCollectionEndpoint } from '@pulumi/azure-native/monitor/dataCollectionEndpoint.js';
import { DataCollectionRule } from '@pulumi/azure-native/monitor/dataCollectionRule.js';
import { DataCollectionRuleAssociation } from '@pulumi/azure-native/monitor/dataCollectionRuleAssociation.js';
import { DiagnosticSetting } from '@pulumi/azure-native/monitor/diagnosticSetting.js';
import { Workspace } from '@pulumi/azure-native/operationalinsights/workspace.js';
import { all, type Input, type Output } from '@pulumi/pulumi';
import type { Network } from './network.ts';
import type { Place } from './place.ts';
import { connectPrivately } from './private-endpoint.ts';
import { readRuleGroups } from './prometheus-rules.ts';
import { grant } from './roles.ts';

/** Where logs of Azure's services go: who read a secret, who deleted a blob, what was done to the cluster. */
export function buildLogs({ resourceGroupName, location, tags }: Place): Workspace {
  return new Workspace('logs', {
    resourceGroupName,
    location,
    tags,
    sku: { name: 'PerGB2018' },
    retentionInDays: 30,
    features: { disableLocalAuth: true },
  });
}

const audited = {
  vault: ['AuditEvent'],
  // Reads and writes are the fleet's daily work: a line each would cost more than the blobs.
  storage: ['StorageDelete'],
  redis: ['ConnectionEvents'],
  cluster: ['kube-apiserver', 'kube-audit-admin', 'cluster-autoscaler', 'guard'],
} as const;

export function keepLogs(what: keyof typeof audited, resourceUri: Input<string>, logs: Workspace): void {
  new DiagnosticSetting(what, {
    resourceUri,
    name: 'captionfleet',
    workspaceId: logs.id,
    logs: audited[what].map((category) => ({ category, enabled: true })),
  });
}

export interface Prometheus {
  readonly workspace: AzureMonitorWorkspace;
  readonly grafanaUrl: Output<string>;
}

/** Managed Prometheus with the rules of infra/prometheus, and Grafana, which only the network reaches. */
export function buildPrometheus(place: Place, network: Network): Prometheus {
  const { fleet, resourceGroupName, location, tags } = place;
  const { subscriptionId } = fleet;
  const common = { resourceGroupName, location, tags };
  // Collectors write and Grafana reads by identity; private links of Azure Monitor are a network's matter, not a fleet's.
  const workspace = new AzureMonitorWorkspace(fleet.name, { ...common, publicNetworkAccess: 'Enabled' });
  const grafana = new Grafana(fleet.name, {
    ...common,
    sku: { name: 'Standard' },
    identity: { type: 'SystemAssigned' },
    properties: {
      publicNetworkAccess: 'Disabled',
      apiKey: 'Disabled',
      zoneRedundancy: 'Disabled',
      grafanaIntegrations: { azureMonitorWorkspaceIntegrations: [{ azureMonitorWorkspaceResourceId: workspace.id }] },
    },
  });
  connectPrivately('grafana', grafana.id, network, place);
  const reader = grafana.identity.apply((identity) => identity?.principalId ?? '');
  grant('grafana-metrics', {
    role: 'monitoringDataReader',
    to: reader,
    kind: 'ServicePrincipal',
    on: workspace.id,
    subscriptionId,
  });
  fleet.adminGroupIds.forEach((group, index) => {
    grant(`grafana-admins-${index}`, {
      role: 'grafanaAdmin',
      to: group,
      kind: 'Group',
      on: grafana.id,
      subscriptionId,
    });
  });
  return { workspace, grafanaUrl: grafana.properties.apply(({ endpoint }) => endpoint) };
}

/** Sends what the cluster's collector scrapes to the workspace. */
export function collectFrom(cluster: Output<string>, { workspace }: Prometheus, place: Place): void {
  const { resourceGroupName, location, tags } = place;
  const common = { resourceGroupName, location, tags, kind: 'Linux' };
  const endpoint = new DataCollectionEndpoint('prometheus', {
    ...common,
    networkAcls: { publicNetworkAccess: 'Enabled' },
  });
  const rule = new DataCollectionRule('prometheus', {
    ...common,
    dataCollectionEndpointId: endpoint.id,
    dataSources: { prometheusForwarder: [{ name: 'prometheus', streams: ['Microsoft-PrometheusMetrics'] }] },
    destinations: { monitoringAccounts: [{ name: 'workspace', accountResourceId: workspace.id }] },
    dataFlows: [{ streams: ['Microsoft-PrometheusMetrics'], destinations: ['workspace'] }],
  });
  new DataCollectionRuleAssociation('prometheus', { resourceUri: cluster, dataCollectionRuleId: rule.id });
  new DataCollectionRuleAssociation('prometheus-endpoint', {
    resourceUri: cluster,
    associationName: 'configurationAccessEndpoint',
    dataCollectionEndpointId: endpoint.id,
  });
  buildRules(cluster, workspace, place);
}

function buildRules(cluster: Output<string>, workspace: AzureMonitorWorkspace, place: Place): void {
  const { resourceGroupName, location, tags } = place;
  for (const { name, interval, rules } of readRuleGroups()) {
    new PrometheusRuleGroup(name, {
      resourceGroupName,
      location,
      tags,
      ruleGroupName: name,
      interval,
      enabled: true,
      scopes: all([workspace.id, cluster]),
      rules,
    });
  }
}

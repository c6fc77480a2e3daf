import { ResourceGroup } from '@pulumi/azure-native/resources/resourceGroup.js';
import { output } from '@pulumi/pulumi';
import { buildCluster } from './cluster.ts';
import { type FleetConfig, machines } from './config.ts';
import { buildIdentities, trustServiceAccounts } from './identities.ts';
import { priceOf } from './machine-size.ts';
import { buildLogs, buildPrometheus, collectFrom, keepLogs } from './monitoring.ts';
import { buildNetwork } from './network.ts';
import { type Place, tagsOf } from './place.ts';
import { buildRedis } from './redis.ts';
import { buildScaleSets } from './scale-set.ts';
import { buildStorage } from './storage.ts';
import { buildVault } from './vault.ts';

/** Builds the whole fleet, in the order that its parts need each other. Returns what the stack puts out. */
export function buildFleet(fleet: FleetConfig) {
  const tags = tagsOf(fleet);
  const group = new ResourceGroup(fleet.name, { location: fleet.location, tags }, { protect: true });
  const place: Place = { fleet, resourceGroupName: group.name, location: fleet.location, tags };

  const network = buildNetwork(place);
  const storage = buildStorage(place, network);
  const redis = buildRedis(place, network);
  const vault = buildVault(place, network, redis);
  const identities = buildIdentities(place, storage, vault);
  const logs = buildLogs(place);
  keepLogs('vault', vault.vault.id, logs);
  keepLogs('storage', storage.blobService, logs);
  keepLogs('redis', redis.database.id, logs);

  const runs = fleet.flavour === 'kubernetes' ? onKubernetes() : onScaleSets();

  return {
    REGISTRY: output(fleet.registry?.loginServer ?? ''),
    TENANT_ID: output(fleet.tenantId),
    API_CLIENT_ID: identities.api.clientId,
    WORKER_CLIENT_ID: identities.worker.clientId,
    KEY_VAULT: vault.vault.name,
    STORAGE_ACCOUNT_URL: storage.url,
    PRIVATE_ENDPOINTS_CIDR: output(network.endpointsPrefix),
    RESOURCE_GROUP: group.name,
    ...runs,
    SIZES: output(machines(fleet).map(({ path, size }) => ({ path, size, price: priceOf(size) ?? 'unknown' }))),
  };

  function onKubernetes() {
    const cluster = buildCluster(place, network);
    trustServiceAccounts(
      place,
      identities,
      cluster.oidcIssuerProfile.apply((profile) => profile?.issuerURL ?? ''),
    );
    keepLogs('cluster', cluster.id, logs);
    const prometheus = buildPrometheus(place, network);
    collectFrom(cluster.id, prometheus, place);
    return { CLUSTER: cluster.name, GRAFANA_URL: prometheus.grafanaUrl };
  }

  function onScaleSets() {
    buildScaleSets(place, network, storage, vault, identities);
    return { CLUSTER: output(''), GRAFANA_URL: output('') };
  }
}

import { Database } from '@pulumi/azure-native/redisenterprise/database.js';
import { listDatabaseKeysOutput } from '@pulumi/azure-native/redisenterprise/listDatabaseKeys.js';
import { RedisEnterprise } from '@pulumi/azure-native/redisenterprise/redisEnterprise.js';
import { interpolate, type Output, secret } from '@pulumi/pulumi';
import { type Network, redisPort } from './network.ts';
import type { Place } from './place.ts';
import { connectPrivately } from './private-endpoint.ts';

export interface Redis {
  readonly database: Database;
  /** `REDIS_URL`, with the key: a secret. */
  readonly url: Output<string>;
}

/**
 * Azure Managed Redis. NoCluster: BullMQ's scripts take several keys, which the other policies refuse across slots. It evicts
 * nothing, as a queue that forgets jobs is none.
 */
export function buildRedis(place: Place, network: Network): Redis {
  const { fleet, resourceGroupName, location, tags } = place;
  const cluster = new RedisEnterprise(
    fleet.name,
    {
      resourceGroupName,
      location,
      tags,
      sku: { name: fleet.redis.sku },
      highAvailability: fleet.redis.highAvailability ? 'Enabled' : 'Disabled',
      minimumTlsVersion: '1.2',
      publicNetworkAccess: 'Disabled',
    },
    { protect: true },
  );
  const database = new Database(
    'default',
    {
      resourceGroupName,
      clusterName: cluster.name,
      databaseName: 'default',
      port: redisPort,
      clientProtocol: 'Encrypted',
      clusteringPolicy: 'NoCluster',
      evictionPolicy: 'NoEviction',
      // What the fleet signs in with is REDIS_URL: a key, which is in Key Vault alone.
      accessKeysAuthentication: 'Enabled',
      persistence: { aofEnabled: true, aofFrequency: '1s', rdbEnabled: false },
    },
    { protect: true },
  );
  connectPrivately('redis', cluster.id, network, place);
  const keys = listDatabaseKeysOutput({ resourceGroupName, clusterName: cluster.name, databaseName: database.name });
  const key = keys.primaryKey.apply(encodeURIComponent);
  return { database, url: secret(interpolate`rediss://:${key}@${cluster.hostName}:${redisPort}`) };
}

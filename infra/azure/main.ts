import { Config } from '@pulumi/pulumi';
import { readFleetConfig } from './config.ts';
import { buildFleet } from './fleet.ts';

// The names that infra/kubernetes/components/azure/settings.env has, so that `pulumi stack output --shell` fills it.
const outputs = buildFleet(readFleetConfig(new Config().requireObject('fleet')));
export const {
  REGISTRY,
  TENANT_ID,
  API_CLIENT_ID,
  WORKER_CLIENT_ID,
  KEY_VAULT,
  STORAGE_ACCOUNT_URL,
  PRIVATE_ENDPOINTS_CIDR,
  RESOURCE_GROUP,
  CLUSTER,
  GRAFANA_URL,
  SIZES,
} = outputs;

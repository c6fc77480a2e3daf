// What no schema says about infra/kubernetes: names on which other parts must agree, and promises of the fleet's code.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readConfig as readApiConfig } from '../../apps/api/src/config.ts';
import { readConfig as readWorkerConfig } from '../../apps/worker/src/config.ts';
import { buildOverlay, type Manifest, overlays, readManifests } from '../support/manifests.ts';

const root = new URL('../../', import.meta.url).pathname;
const built = new Map(
  await Promise.all(overlays.map(async (overlay) => [overlay, readManifests(await buildOverlay(overlay))] as const)),
);

const ofKind = (manifests: readonly Manifest[], ...kinds: readonly string[]): Manifest[] =>
  manifests.filter(({ kind }) => kinds.includes(kind));
const workloads = (manifests: readonly Manifest[]): Manifest[] => ofKind(manifests, 'Deployment', 'StatefulSet', 'Job');
const workers = (manifests: readonly Manifest[]): Manifest[] =>
  ofKind(manifests, 'Deployment').filter(({ metadata }) => metadata.name.includes('worker'));

function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

/** The environment of a workload's first container; what a secret or the machine fills in is a stand-in. */
function environment(manifests: readonly Manifest[], workload: Manifest): Record<string, string> {
  const [container] = workload['spec'].template.spec.containers;
  const maps = (container.envFrom ?? []).map(
    ({ configMapRef }: { configMapRef: { name: string } }) => named(manifests, 'ConfigMap', configMapRef.name)['data'],
  );
  const standIns: Record<string, string> = {
    REDIS_URL: 'redis://stand-in:6379',
    CAPTIONFLEET_INFERENCE_PROCESSES: '2',
  };
  const own = (container.env ?? []).map(({ name, value }: { name: string; value?: string }) => [
    name,
    value ?? standIns[name],
  ]);
  return Object.assign({}, ...maps, Object.fromEntries(own));
}

/** `250m`, `2`, `7Gi` as a number. */
function quantity(text: string | number): number {
  const [, number, unit = ''] = /^([\d.]+)(m|Mi|Gi)?$/.exec(String(text)) ?? [];
  const units: Record<string, number> = { '': 1, m: 0.001, Mi: 2 ** 20, Gi: 2 ** 30 };
  return Number(number) * (units[unit] ?? Number.NaN);
}

for (const [overlay, manifests] of built) {
  test(`${overlay}: the apps accept their configuration, and read every variable of it`, () => {
    const code = globSync(['apps/*/src/**/*.ts', 'packages/protocol/src/settings.ts'], { cwd: root })
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => readFileSync(root + file, 'utf8'))
      .join('\n');
    for (const workload of ofKind(manifests, 'Deployment')) {
      const variables = environment(manifests, workload);
      const names = Object.keys(variables).filter((name) => name.startsWith('CAPTIONFLEET_'));
      assert.ok(names.length > 5);
      for (const name of names) assert.match(code, new RegExp(`\\b${name}\\b`));
      const read = workload.metadata.name === 'captionfleet-api' ? readApiConfig : readWorkerConfig;
      assert.doesNotThrow(() => read(variables), workload.metadata.name);
    }
  });

  test(`${overlay}: a pod has time to drain before it is killed${overlay === 'spot' ? ', and less than an eviction gives' : ''}`, () => {
    for (const worker of workers(manifests)) {
      const { terminationGracePeriodSeconds: grace } = worker['spec'].template.spec;
      const { drainMs } = readWorkerConfig(environment(manifests, worker));
      assert.ok(grace >= drainMs / 1000 + 5, worker.metadata.name);
      if (overlay === 'spot') assert.ok(grace <= 25, worker.metadata.name);
    }
    const { terminationGracePeriodSeconds, containers } = named(manifests, 'Deployment', 'captionfleet-api')['spec']
      .template.spec;
    assert.ok(terminationGracePeriodSeconds >= containers[0].lifecycle.preStop.sleep.seconds + 15);
  });

  test(`${overlay}: no disruption budget keeps a node from being drained`, () => {
    const budgets = ofKind(manifests, 'PodDisruptionBudget');
    assert.ok(budgets.length >= 2);
    for (const { spec } of budgets) {
      assert.equal('minAvailable' in spec, false);
      assert.match(String(spec.maxUnavailable), /^[1-9]/);
      assert.equal(spec.unhealthyPodEvictionPolicy, 'AlwaysAllow');
    }
  });

  test(`${overlay}: KEDA scales what is there, calls the admin listener by a name that it answers to, and has room`, () => {
    const api = readApiConfig(environment(manifests, named(manifests, 'Deployment', 'captionfleet-api')));
    const quota = named(manifests, 'ResourceQuota', 'captionfleet')['spec'].hard;
    const asked: Record<string, number> = { 'requests.cpu': 0, 'requests.memory': 0 };
    const scaled = ofKind(manifests, 'ScaledObject');
    assert.deepEqual(
      scaled.map(({ spec }) => spec.scaleTargetRef.name).sort(),
      workers(manifests)
        .map(({ metadata }) => metadata.name)
        .sort(),
    );
    for (const { spec } of scaled) {
      const worker = named(manifests, 'Deployment', spec.scaleTargetRef.name);
      assert.equal('replicas' in worker['spec'], false, 'an apply would undo what KEDA has set');
      const [trigger] = spec.triggers;
      const url = new URL(trigger.metadata.url);
      assert.ok(api.admin.allowedHosts.includes(url.hostname), url.hostname);
      assert.equal(Number(url.port), api.admin.port);
      const { pool } = readWorkerConfig(environment(manifests, worker));
      assert.equal(url.pathname, `/scaling/${pool}`);
      assert.equal(spec.maxReplicaCount, api.scaling[pool].maxReplicas);
      assert.equal(spec.minReplicaCount, api.scaling[pool].minReplicas);
      const [service, namespace] = url.hostname.split('.');
      assert.equal(named(manifests, 'Service', String(service)).metadata.namespace, namespace);
      const { requests } = worker['spec'].template.spec.containers[0].resources;
      for (const name of ['cpu', 'memory']) {
        asked[`requests.${name}`] = (asked[`requests.${name}`] ?? 0) + spec.maxReplicaCount * quantity(requests[name]);
      }
      const gpus = spec.maxReplicaCount * quantity(requests['nvidia.com/gpu'] ?? 0);
      assert.ok(gpus <= quantity(quota['requests.nvidia.com/gpu']));
    }
    for (const [name, amount] of Object.entries(asked)) assert.ok(amount < quantity(quota[name]), name);
  });

  test(`${overlay}: every pod is locked down, and its image has a version`, () => {
    for (const workload of workloads(manifests)) {
      const { spec } = workload['spec'].template;
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
      assert.equal(spec.automountServiceAccountToken, false);
      for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        assert.match(container.image, /:(?!latest)[\w.-]+$/);
        assert.ok(container.resources.requests.cpu && container.resources.limits.memory, workload.metadata.name);
      }
    }
  });

  test(`${overlay}: nothing passes the network by default, and pictures never come from private addresses`, () => {
    const policies = ofKind(manifests, 'NetworkPolicy');
    assert.deepEqual(named(policies, 'NetworkPolicy', 'nothing-else')['spec'], {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    const blocks = policies
      .flatMap(({ spec }) => spec.egress ?? [])
      .flatMap(({ to }) => to)
      .flatMap(({ ipBlock }) => ipBlock ?? []);
    const open = blocks.find(({ cidr }) => cidr === '0.0.0.0/0');
    for (const range of [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '169.254.0.0/16',
      '127.0.0.0/8',
      '100.64.0.0/10',
    ]) {
      assert.ok(open.except.includes(range), range);
    }
    for (const { spec } of policies.filter(({ spec }) => spec.ingress !== undefined)) {
      for (const { from, ports } of spec.ingress) assert.ok(from.length > 0 && ports.length > 0, 'open to everyone');
    }
  });

  test(`${overlay}: Prometheus finds the ports that have metrics, under the jobs that the rules know`, () => {
    const monitors = ofKind(manifests, 'PodMonitor');
    const group = overlay === 'dev' ? 'monitoring.coreos.com/v1' : 'azmonitoring.coreos.com/v1';
    assert.deepEqual(
      monitors.map(({ apiVersion }) => apiVersion),
      [group, group],
    );
    const prometheus = readFileSync(`${root}infra/prometheus/prometheus.yml`, 'utf8');
    for (const { spec } of monitors) {
      const [endpoint] = spec.podMetricsEndpoints;
      assert.ok(prometheus.includes(`job_name: ${endpoint.relabelings[0].replacement}`));
      const scraped = ofKind(manifests, 'Deployment').filter(({ spec: { template } }) =>
        Object.entries(spec.selector.matchLabels).every(([name, value]) => template.metadata.labels[name] === value),
      );
      assert.ok(scraped.length > 0);
      for (const {
        spec: { template },
      } of scraped) {
        const ports: { name: string }[] = template.spec.containers[0].ports;
        assert.ok(ports.some(({ name }) => name === endpoint.port));
      }
    }
  });
}

test("every object that can be in a namespace is in the fleet's", () => {
  for (const { kind, metadata } of [...built.values()].flat()) {
    assert.equal(metadata.namespace, kind === 'Namespace' ? undefined : 'captionfleet', `${kind} ${metadata.name}`);
  }
});

test('on AKS no password of the storage account is used, and pods have an identity', () => {
  for (const overlay of ['aks-cpu', 'aks-gpu', 'spot'] as const) {
    const manifests = built.get(overlay) ?? [];
    assert.deepEqual(ofKind(manifests, 'Secret'), []);
    assert.doesNotMatch(JSON.stringify(manifests), /AccountKey|AZURE_STORAGE_CONNECTION_STRING/);
    for (const { spec } of ofKind(manifests, 'Deployment')) {
      assert.equal(spec.template.metadata.labels['azure.workload.identity/use'], 'true');
      const account = named(manifests, 'ServiceAccount', spec.template.spec.serviceAccountName);
      assert.match(JSON.stringify(account.metadata), /azure\.workload\.identity\/client-id/);
    }
  }
});

test('GPU workers ask for a GPU and tolerate its taint; spot workers are on spot machines alone', () => {
  const spec = (overlay: string, name: string) =>
    named(built.get(overlay as 'spot') ?? [], 'Deployment', name)['spec'].template.spec;
  const keys = (pod: Manifest): string[] => (pod['tolerations'] ?? []).map(({ key }: { key: string }) => key);
  const gpu = spec('aks-gpu', 'captionfleet-worker-gpu');
  assert.equal(gpu.containers[0].resources.limits['nvidia.com/gpu'], '1');
  assert.ok(keys(gpu).includes('nvidia.com/gpu') && keys(gpu).includes('sku'));
  const spot = spec('spot', 'captionfleet-worker-cpu');
  assert.deepEqual(keys(spot), ['kubernetes.azure.com/scalesetpriority']);
  const [term] = spot.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
  assert.deepEqual(term.matchExpressions, [
    { key: 'kubernetes.azure.com/scalesetpriority', operator: 'In', values: ['spot'] },
  ]);
  assert.deepEqual(keys(spec('spot', 'captionfleet-api')), []);
});

test('the Redis of the dev overlay keeps what it was given', () => {
  const { args } = named(built.get('dev') ?? [], 'StatefulSet', 'redis')['spec'].template.spec.containers[0];
  assert.match(args.join(' '), /--maxmemory-policy noeviction --appendonly yes/);
});

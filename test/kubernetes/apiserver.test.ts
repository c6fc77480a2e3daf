// `npm run test:kubernetes`: a real kube-apiserver with the CRDs judges every overlay, as `kubectl apply` would meet it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ApiServer, startApiServer } from '../support/kube-apiserver.ts';
import { customResources, kubernetesVersion } from '../support/kubernetes-modules.ts';
import { buildOverlay, overlays, readManifests } from '../support/manifests.ts';

const namespaceFile = new URL('../../infra/kubernetes/base/namespace.yaml', import.meta.url).pathname;

let server: ApiServer;

before(async () => {
  server = await startApiServer();
  await server.kubectl((await customResources()).join('\n---\n'), 'apply', '--server-side', '-f', '-');
  await establish();
  // With its labels, so that the restricted pod security profile warns of what it would refuse.
  await server.kubectl('', 'apply', '-f', namespaceFile);
});
/** kubectl's wait fails on a CRD that has no conditions at all yet. */
async function establish(): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await server.kubectl('', 'wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

after(() => server?.[Symbol.asyncDispose]());

const dryRun = (yaml: string): Promise<string> =>
  server.kubectl(yaml, 'apply', '--dry-run=server', '--validate=strict', '--warnings-as-errors', '-f', '-');

test('it is the version that was asked for', async (context) => {
  const { gitVersion } = JSON.parse(await server.kubectl('', 'get', '--raw', '/version'));
  assert.equal(gitVersion, `v${kubernetesVersion}`);
  context.diagnostic(`kube-apiserver ${gitVersion} and etcd were ready in ${(server.startMs / 1000).toFixed(1)} s`);
});

for (const overlay of overlays) {
  test(`it accepts every object of ${overlay}, without a warning`, async (context) => {
    const yaml = await buildOverlay(overlay);
    const startedAt = Date.now();
    const output = await dryRun(yaml);
    const accepted = output.trim().split('\n');
    assert.equal(accepted.length, readManifests(yaml).length, output);
    for (const line of accepted) assert.match(line, /(?:created|configured|unchanged).* \(server dry run\)$/);
    context.diagnostic(`${accepted.length} objects in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  });
}

const typos = [
  [
    'a field of a Deployment',
    'readOnlyRootFilesystem: true',
    'readOnlyRootFileSystem: true',
    /unknown field "spec\.template\.spec\.containers\[0\]\.securityContext\.readOnlyRootFileSystem"/,
  ],
  [
    'a field of a ScaledObject',
    'failureThreshold: 4',
    'failureTreshold: 4',
    /unknown field "spec\.fallback\.failureTreshold"/,
  ],
  [
    'a field of a PodMonitor',
    'podMetricsEndpoints:',
    'podMetricEndpoints:',
    /unknown field "spec\.podMetricEndpoints"/,
  ],
  [
    'a value that the kind does not have',
    'behavior: currentReplicasIfHigher',
    'behavior: more',
    /Unsupported value: "more"/,
  ],
] as const;
for (const [what, right, wrong, refusal] of typos) {
  test(`it refuses a planted typo: ${what}`, async (context) => {
    const yaml = await buildOverlay('dev');
    assert.ok(yaml.includes(right));
    await assert.rejects(dryRun(yaml.replace(right, wrong)), (error: Error) => {
      assert.match(error.message, refusal);
      context.diagnostic(error.message.split('\n').find((line) => refusal.test(line)) ?? '');
      return true;
    });
  });
}

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const kubernetesVersion = '1.34.4';
export const kubernetesModule = `k8s.io/kubernetes@v${kubernetesVersion}`;
const kedaModule = 'github.com/kedacore/keda/v2@v2.21.0';
const prometheusOperatorModule = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';
const secretsStoreModule = 'sigs.k8s.io/secrets-store-csi-driver@v1.5.3';

/** Whether the Go tool chain is there; only what is built from Go modules needs it. */
export const hasGo = (): Promise<boolean> =>
  run('go', ['version']).then(
    () => true,
    () => false,
  );

/** The folder of a Go module's files, downloaded once into Go's own cache. */
export async function goModule(moduleAndVersion: string): Promise<string> {
  if (!(await hasGo())) throw new Error('Go was not found; install Go 1.26 from go.dev and run the command again');
  const { stdout } = await run('go', ['mod', 'download', '-json', moduleAndVersion], {
    timeout: 300_000,
    env: { ...process.env, GOFLAGS: '' },
  });
  return JSON.parse(stdout).Dir;
}

/** The CustomResourceDefinitions of the kinds that the overlays use, as YAML. */
export async function customResources(): Promise<string[]> {
  const [keda, operator, secretsStore] = await Promise.all(
    [kedaModule, prometheusOperatorModule, secretsStoreModule].map(goModule),
  );
  const bases = 'config/crd/bases';
  const [scaledObjects, triggerAuthentications, podMonitors, secretProviderClasses] = await Promise.all(
    [
      `${keda}/${bases}/keda.sh_scaledobjects.yaml`,
      `${keda}/${bases}/keda.sh_triggerauthentications.yaml`,
      `${operator}/example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml`,
      `${secretsStore}/${bases}/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml`,
    ].map((file) => readFile(file, 'utf8')),
  );
  // Azure publishes the same CRD in a group of its own.
  const azurePodMonitors = podMonitors?.replaceAll('monitoring.coreos.com', 'azmonitoring.coreos.com');
  return [scaledObjects, triggerAuthentications, podMonitors, azurePodMonitors, secretProviderClasses].map(String);
}

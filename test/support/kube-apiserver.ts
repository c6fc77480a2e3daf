import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort, startLocalProcess, waitUntilReady } from '../../apps/cli/src/local-process.ts';
import { announce } from './containers.ts';
import { goModule, kubernetesModule, kubernetesVersion } from './kubernetes-modules.ts';
import { toolDirectory } from './manifests.ts';
import { installPackage } from './system-package.ts';

const run = promisify(execFile);

/** Kubernetes' own module replaces its siblings by folders, which Go ignores in a dependency. */
const stagingModules =
  'api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin sample-controller'.split(
    ' ',
  );

/** Builds kube-apiserver, once: about ten minutes on two cores. @returns the program */
async function buildApiServer(): Promise<string> {
  const program = join(toolDirectory, `kube-apiserver-${kubernetesVersion}`);
  if (existsSync(program)) return program;
  await goModule(kubernetesModule);
  announce(`building kube-apiserver ${kubernetesVersion} from its Go module: ten minutes, once`);
  const source = await mkdtemp(join(tmpdir(), 'kube-apiserver-'));
  try {
    const siblings = stagingModules.map(
      (name) => `  k8s.io/${name} => k8s.io/${name} v${kubernetesVersion.replace('1', '0')}`,
    );
    await writeFile(
      join(source, 'go.mod'),
      `module captionfleet.test/kube-apiserver\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v${kubernetesVersion}\n\nreplace (\n${siblings.join('\n')}\n)\n`,
    );
    await writeFile(
      join(source, 'program.go'),
      '//go:build program\n\npackage program\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n',
    );
    const options = {
      cwd: source,
      timeout: 3_600_000,
      env: { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' },
      maxBuffer: 2 ** 24,
    };
    await run('go', ['mod', 'tidy'], options);
    await mkdir(toolDirectory, { recursive: true });
    const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${kubernetesVersion}`;
    const unfinished = `${program}.${process.pid}`;
    await run(
      'nice',
      [
        '-n',
        '19',
        'go',
        'build',
        '-trimpath',
        '-ldflags',
        flags,
        '-o',
        unfinished,
        'k8s.io/kubernetes/cmd/kube-apiserver',
      ],
      options,
    );
    await rename(unfinished, program);
  } finally {
    await rm(source, { recursive: true, force: true });
  }
  return program;
}

async function needEtcd(): Promise<void> {
  const isThere = () => run('etcd', ['--version']).then(Boolean, () => false);
  if (await isThere()) return;
  installPackage('etcd-server');
  if (!(await isThere())) {
    throw new Error('no etcd was found: install it (Debian: apt-get install etcd-server) and run the test again');
  }
}

export interface ApiServer extends AsyncDisposable {
  /** Milliseconds from the start of etcd until it was ready. */
  readonly startMs: number;
  /** Runs kubectl with what it reads. @throws with all that it printed when it fails */
  kubectl(input: string, ...commandArguments: readonly string[]): Promise<string>;
}

/** A kube-apiserver with its etcd on loopback. Disposing ends both and removes what they wrote. */
export async function startApiServer(): Promise<ApiServer> {
  const program = await buildApiServer();
  await needEtcd();
  const directory = await mkdtemp(join(tmpdir(), 'captionfleet-kubernetes-'));
  const lastLines: string[] = [];
  const onLine = (line: string): void => {
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
  };
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const startedAt = Date.now();

  const [etcdPort, peerPort, apiPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const etcd = parts.use(
    startLocalProcess({
      name: 'etcd',
      command: 'etcd',
      arguments: [
        ...['--name', 'test', '--data-dir', join(directory, 'etcd')],
        ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
        ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
        ...['--initial-cluster', `test=${peerUrl}`],
      ],
      onLine,
    }),
  );
  const answers = async (url: string): Promise<boolean> => (await fetch(url).catch(() => undefined))?.ok === true;
  await waitUntilReady(etcd, 'etcd', () => answers(`${etcdUrl}/health`), { deadlineMs: 30_000, lastLines });

  const token = randomBytes(24).toString('hex');
  const file = (name: string): string => join(directory, name);
  await writeFile(file('tokens.csv'), `${token},test,test,system:masters\n`, { mode: 0o600 });
  await run('openssl', ['genrsa', '-out', file('service-account.key'), '2048']);
  const server = parts.use(
    startLocalProcess({
      name: 'kube-apiserver',
      command: program,
      arguments: [
        `--etcd-servers=${etcdUrl}`,
        `--cert-dir=${file('certificates')}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${apiPort}`,
        `--token-auth-file=${file('tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--disable-admission-plugins=ServiceAccount',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${file('service-account.key')}`,
        `--service-account-signing-key-file=${file('service-account.key')}`,
        '--service-cluster-ip-range=10.0.0.0/24',
      ],
      onLine,
    }),
  );
  const configuration = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: `https://127.0.0.1:${apiPort}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  await writeFile(file('kubeconfig'), JSON.stringify(configuration), { mode: 0o600 });
  const kubectl: ApiServer['kubectl'] = async (input, ...commandArguments) => {
    const running = run('kubectl', ['--kubeconfig', file('kubeconfig'), ...commandArguments], {
      timeout: 120_000,
      maxBuffer: 2 ** 24,
      env: { ...process.env, HOME: directory },
    });
    running.child.stdin?.end(input);
    return (await running).stdout;
  };
  const isReady = () =>
    kubectl('', 'get', '--raw', '/readyz').then(
      (answer) => answer === 'ok',
      () => false,
    );
  await waitUntilReady(server, 'kube-apiserver', isReady, { deadlineMs: 120_000, lastLines });
  const running = parts.move();
  return { startMs: Date.now() - startedAt, kubectl, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { announce } from './containers.ts';
import { hasGo } from './kubernetes-modules.ts';

const run = promisify(execFile);

const directory = new URL('../../infra/kubernetes/', import.meta.url).pathname;
export const schemaDirectory = join(directory, 'schemas');
export const overlays = ['dev', 'aks-cpu', 'aks-gpu', 'spot'] as const;

/** What is built once and kept: Go programs, which a clone does not have. */
export const toolDirectory = new URL('../../.captionfleet/kubernetes/bin/', import.meta.url).pathname;

/** An object of a manifest, as far as the tests look into it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: kinds differ, and their schemas are checked by other tests.
  readonly [field: string]: any;
}

/** Builds an overlay, as `kubectl apply -k` would. @returns YAML */
export async function buildOverlay(overlay: string): Promise<string> {
  const [command, ...commandArguments] = await kustomize();
  const { stdout } = await run(String(command), [...commandArguments, join(directory, 'overlays', overlay)], {
    timeout: 60_000,
    maxBuffer: 16 * 2 ** 20,
  });
  return stdout;
}

export const readManifests = (yaml: string): Manifest[] =>
  parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);

const exits = (command: string, ...commandArguments: readonly string[]): Promise<boolean> =>
  run(command, commandArguments, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );

async function kustomize(): Promise<string[]> {
  // The one in a kubectl before 1.27 knows no components with replacements.
  if (await exits('kubectl', 'kustomize', '--help')) return ['kubectl', 'kustomize'];
  const tool = await goTool('kustomize', 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1');
  if (tool !== undefined) return [tool, 'build'];
  throw new Error('neither kubectl nor Go was found: install kubectl 1.27 or newer, or Go, and run the test again');
}

/** kubeconform where it is or where Go can bring it; undefined elsewhere. */
export const kubeconform = (): Promise<string | undefined> =>
  goTool('kubeconform', 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0');

async function goTool(name: string, moduleAndVersion: string): Promise<string | undefined> {
  if (await exits(name, name === 'kubeconform' ? '-v' : 'version')) return name;
  const tool = join(toolDirectory, name);
  if (existsSync(tool)) return tool;
  if (!(await hasGo())) return undefined;
  announce(`building ${moduleAndVersion}`);
  mkdirSync(toolDirectory, { recursive: true });
  const env = { ...process.env, GOBIN: toolDirectory, GOFLAGS: '' };
  await run('go', ['install', '-p', '2', moduleAndVersion], { env, timeout: 600_000 });
  return tool;
}

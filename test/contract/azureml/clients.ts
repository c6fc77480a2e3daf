import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnvironment, runPython } from '../../support/python-environment.ts';
import type { ContractFleet } from './fleet.ts';
import { startResourceManager } from './resource-manager.ts';
import type { ShapeImages } from './shapes.ts';

const folder = fileURLToPath(new URL('./clients/', import.meta.url));
const key = 'the-primary-key-of-the-contract';
const workspace =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/workspace';

/** A managed endpoint in the imitation of an Azure workspace. */
export interface ClientSetting extends AsyncDisposable {
  /** A Python with azure-ai-ml. */
  readonly python: string;
  /** The workspace, and one in which the endpoint's key has changed. */
  readonly azure: { readonly url: string; readonly asked: readonly string[] };
  readonly wrongKey: { readonly url: string };
  readonly pemFile: string;
  /** Two images, and what comes of them. */
  readonly frame: object;
  readonly expected: readonly { readonly text: string }[];
  /** Writes a file of JSON and returns its path. */
  file(name: string, content: unknown): Promise<string>;
}

export async function startClientSetting(
  fleet: ContractFleet,
  images: ShapeImages,
  captions: { readonly boat: string; readonly penguin: string },
): Promise<ClientSetting> {
  const parts = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), 'captionfleet-clients-'));
  parts.defer(() => rm(scratch, { recursive: true, force: true }));
  const python = await pythonEnvironment('azure-ai-ml', join(folder, 'azure-ai-ml.txt'));
  const pemFile = join(scratch, 'localhost.pem');
  await runPython(python, [join(folder, 'make_certificate.py'), pemFile]);
  const pem = await readFile(pemFile, 'utf8');
  const port = await fleet.start({
    CAPTIONFLEET_AZUREML: 'frontend',
    CAPTIONFLEET_AZUREML_KEYS: key,
    CAPTIONFLEET_AZUREML_DEPLOYMENTS: 'blue=100,green=0',
  });
  const manager = async (primaryKey: string) =>
    parts.use(
      await startResourceManager({
        pem,
        endpoint: 'captions',
        deployments: ['blue', 'green'],
        keys: { primaryKey, secondaryKey: 'another-key-altogether' },
        surface: `http://127.0.0.1:${port}`,
      }),
    );
  const rows = [images.boat, images.penguin].map((bytes) => [Buffer.from(bytes).toString('base64')]);
  return {
    python,
    azure: await manager(key),
    wrongKey: await manager('a-key-that-was-withdrawn'),
    pemFile,
    frame: { columns: ['image'], index: [0, 1], data: rows },
    expected: [{ text: captions.boat }, { text: captions.penguin }],
    async file(name, content) {
      const path = join(scratch, name);
      await writeFile(path, JSON.stringify(content));
      return path;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** What the clients read to find an Azure that is not the public one. */
const cloud = ({ pemFile }: ClientSetting, { url }: { readonly url: string }) => ({
  REQUESTS_CA_BUNDLE: pemFile,
  AZUREML_CURRENT_CLOUD: 'LocalCloud',
  ARM_CLOUD_METADATA_URL: `${url}/metadata/endpoints`,
});

/** Runs a script that prints a line of JSON for each call. */
async function call(
  python: string,
  script: string,
  calls: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>[]> {
  const printed = await runPython(python, [join(folder, script), 'captions', ...calls], { env });
  const lines = printed.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line));
}

export async function invokeByAzureAiMl(setting: ClientSetting): Promise<void> {
  const good = await setting.file('good.json', { input_data: setting.frame });
  const bad = await setting.file('bad.json', { inputs: setting.frame });
  const invoke = (calls: readonly string[], azure: { readonly url: string }) =>
    call(setting.python, 'invoke_azure_ai_ml.py', calls, cloud(setting, azure));
  const [byWeight, byName, failed] = await invoke([`${good}@`, `${good}@green`, `${bad}@`], setting.azure);
  for (const answer of [byWeight, byName]) assert.deepEqual(JSON.parse(String(answer?.['text'])), setting.expected);
  assert.equal(failed?.['error'], 'HttpResponseError');
  assert.equal(failed?.['status'], 424);
  // Of a body that is not JSON, which this one is not in Azure either, the client hands on the words.
  const [refused] = await invoke([`${good}@`], setting.wrongKey);
  assert.deepEqual(refused, { error: 'MlException', status: null, message: 'key_auth_access_denied' });
}

export async function predictByAzuremlMlflow(setting: ClientSetting): Promise<void> {
  const python = await pythonEnvironment('azureml-mlflow', join(folder, 'azureml-mlflow.txt'));
  const split = await setting.file('frame.json', setting.frame);
  const predictions = await call(python, 'predict_azureml_mlflow.py', [`${split}@`, `${split}@green`], {
    ...cloud(setting, setting.azure),
    MLFLOW_TRACKING_URI: `${setting.azure.url.replace('https', 'azureml')}/mlflow/v1.0${workspace}`,
  });
  const frame = { kind: 'DataFrame', rows: setting.expected };
  assert.deepEqual(predictions, [frame, frame]);
}

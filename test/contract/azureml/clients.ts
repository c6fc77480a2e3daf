import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../support/http.ts';
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
  readonly azure: Awaited<ReturnType<typeof startResourceManager>>;
  readonly wrongKey: { readonly url: string };
  readonly pemFile: string;
  /** Two images, and what comes of them. */
  readonly frame: object;
  readonly expected: readonly { readonly text: string }[];
  /** `http://host:port` of the endpoint. */
  readonly surface: string;
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
    CAPTIONFLEET_AZUREML_BATCH: 'on',
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
    surface: `http://127.0.0.1:${port}`,
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

/** Scores a folder of CSV and one of images, with calls whose answers are lost, and lists the jobs. */
export async function invokeBatchByAzureAiMl(
  setting: ClientSetting,
  fleet: ContractFleet,
  images: ShapeImages,
): Promise<void> {
  const rows = [images.boat, images.penguin].map((bytes) => Buffer.from(bytes).toString('base64'));
  await fleet.put('csv/0batch_input.csv', Buffer.from(`,image\n0,${rows[0]}\n1,${rows[1]}\n`));
  await fleet.put('images/boat.jpg', Buffer.from(images.boat));
  const url = 'https://devstoreaccount1.blob.core.windows.net/photos';
  const calls = [
    { type: 'uri_folder', path: `${url}/csv` },
    {
      type: 'uri_folder',
      path: `${url}/images`,
      deployment: 'green',
      params: { mini_batch_size: 2, error_threshold: 0 },
    },
    {
      type: 'uri_file',
      path: `${url}/csv/0batch_input.csv`,
      params: { retry_settings: { max_retries: 1, timeout: 60 } },
    },
    { type: 'uri_folder', path: `${url.replace('photos', 'secret')}/csv` },
    'list',
  ];
  // The client sends a call again, with the same id, up to four times.
  setting.azure.dropAnswers(4);
  const file = await setting.file('batch.json', calls);
  const answers = await call(setting.python, 'invoke_batch_azure_ai_ml.py', [file], cloud(setting, setting.azure));
  const [csv, folder, one, refused, listed] = answers;
  const posts = setting.azure.asked.filter((asked) => asked === 'POST /region/jobs');
  assert.equal(posts.length, 4 + 4, 'four calls, the first of which was sent four times more');
  assert.equal(refused?.['error'], 'HttpResponseError', JSON.stringify(answers));
  assert.equal(refused?.['status'], 422);
  assert.match(String(refused?.['message']), /container "secret" is not one that may be read from/);
  const [boat, penguin] = setting.expected.map(({ text }) => text);
  const both = `0,${boat},0batch_input.csv\n1,${penguin},0batch_input.csv\n`;
  assert.equal(await predictionsOf(setting, csv), both);
  assert.equal(await predictionsOf(setting, folder), `0,${boat},boat.jpg\n`);
  assert.equal(await predictionsOf(setting, one), both);
  const jobs = listed?.['jobs'] as readonly { readonly name: string }[];
  assert.deepEqual(
    jobs.map(({ name }) => name),
    [csv, folder, one].map((job) => job?.['name']),
    'the lost answers have made no other jobs',
  );
}

async function predictionsOf({ surface }: ClientSetting, job: Record<string, unknown> | undefined): Promise<string> {
  assert.ok(['NotStarted', 'Running', 'Completed'].includes(String(job?.['status'])), JSON.stringify(job));
  const headers = { authorization: `Bearer ${key}` };
  const ask = (path: string) => fetch(`${surface}${path}`, { headers });
  await waitFor(`scoring job ${job?.['name']} to end`, 60_000, async () => {
    const { properties } = (await (await ask(`/jobs/${job?.['name']}`)).json()) as { properties: { status: string } };
    assert.notEqual(properties.status, 'Failed', JSON.stringify(properties));
    return properties.status === 'Completed';
  });
  return await (await ask(`/jobs/${job?.['name']}/outputs/score/predictions.csv`)).text();
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

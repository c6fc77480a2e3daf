// A batch endpoint with the demo model: whole processes, real queue, real Blob storage.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { type LocalApi, startApi } from '../../apps/cli/src/local-app.ts';
import { findFreePort } from '../../apps/cli/src/local-process.ts';
import { demoCheckpoint, demoSamples } from '../../apps/cli/src/state-directory.ts';
import { putBlob } from '../support/blobs.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { waitFor } from '../support/http.ts';

const parts = new AsyncDisposableStack();
let fleet: TestFleet;
let captions: Readonly<Record<string, string>>;
before(async () => {
  captions = JSON.parse(await readFile(join(demoSamples, 'captions.json'), 'utf8'));
  fleet = parts.use(
    await startFleet({
      workers: 1,
      checkpoint: demoCheckpoint,
      env: { CAPTIONFLEET_VARIANT: 'fp32', CAPTIONFLEET_IMAGE_CONTAINERS: 'photos', LOG_LEVEL: 'warn' },
    }),
  );
  await BlobServiceClient.fromConnectionString(fleet.connectionString).getContainerClient('photos').createIfNotExists();
});
after(() => parts.disposeAsync());

interface Surface {
  readonly url: string;
  readonly api: LocalApi;
}

/** One more API process of the fleet, which is a batch endpoint. */
async function startSurface(settings: Readonly<Record<string, string>> = {}): Promise<Surface> {
  const port = await findFreePort();
  const env = {
    ...process.env,
    CAPTIONFLEET_HOME: fleet.scratch,
    REDIS_URL: fleet.redisUrl,
    AZURE_STORAGE_CONNECTION_STRING: fleet.connectionString,
    CAPTIONFLEET_CONTAINER: fleet.container,
    CAPTIONFLEET_AZUREML: 'container',
    CAPTIONFLEET_AZUREML_BATCH: 'on',
    CAPTIONFLEET_AZUREML_PORT: String(port),
    CAPTIONFLEET_IMAGE_CONTAINERS: 'photos',
    ...settings,
  };
  const api = parts.use(await startApi(await findFreePort(), env, AbortSignal.timeout(60_000)));
  return { url: `http://127.0.0.1:${port}`, api };
}

const sample = (name: string): Promise<Buffer> => readFile(join(demoSamples, name));
const put = (name: string, content: Buffer | string) =>
  putBlob(fleet.connectionString, 'photos', name, Buffer.from(content));
/** As Python's base64.encodebytes, which breaks its lines. */
const encodeBytes = (bytes: Buffer): string => bytes.toString('base64').replaceAll(/.{1,76}/g, '$&\n');
/** As pandas' DataFrame.to_csv writes it. */
const csv = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  [['', ...columns], ...rows.map((cells, row) => [String(row), ...cells.map((cell) => `"${cell}"`)])]
    .map((cells) => `${cells.join(',')}\n`)
    .join('');

async function post({ url }: Surface, folder: string): Promise<string> {
  const uri = `https://devstoreaccount1.blob.core.windows.net/photos/${folder}`;
  const response = await fetch(`${url}/jobs`, {
    method: 'POST',
    body: JSON.stringify({ properties: { InputData: { photos: { JobInputType: 'UriFolder', Uri: uri } } } }),
  });
  const { id } = (await response.json()) as { id: string };
  assert.equal(response.status, 200);
  return id;
}

async function status({ url }: Surface, id: string): Promise<{ status: string; [member: string]: unknown }> {
  const response = await fetch(url + id, { signal: AbortSignal.timeout(10_000) });
  return ((await response.json()) as { properties: { status: string } }).properties;
}

async function predictions(surface: Surface, id: string): Promise<string[]> {
  let last: unknown;
  await waitFor(`scoring job ${id} to end`, 120_000, async () => {
    const properties = await status(surface, id);
    last = properties;
    return ['Completed', 'Failed', 'Canceled'].includes(properties.status);
  });
  const response = await fetch(`${surface.url}${id}/outputs/score/predictions.csv`);
  assert.equal(response.status, 200, JSON.stringify(last));
  return (await response.text()).split('\n');
}

const names = [
  'boat-on-the-water.jpg',
  'cat-under-the-night-sky.png',
  'penguin-and-triangle.webp',
  'three-white-stars-on-blue.png',
];

test('folders of CSV and of images are captioned, cell by cell', async () => {
  const surface = await startSurface();
  const rows = await Promise.all(names.map(async (name) => [encodeBytes(await sample(name))]));
  await put('csv/0batch_input.csv', csv(['image'], rows.slice(0, 3)));
  await put('csv/1batch_input.csv', csv(['image'], rows.slice(3)));
  assert.deepEqual(await predictions(surface, await post(surface, 'csv')), [
    ...names.slice(0, 3).map((name, row) => `${row},${captions[name]},0batch_input.csv`),
    `0,${captions[names[3] ?? '']},1batch_input.csv`,
    '',
  ]);
  for (const name of names) await put(`images/${name}`, await sample(name));
  assert.deepEqual(await predictions(surface, await post(surface, 'images')), [
    ...names.map((name) => `0,${captions[name]},${name}`),
    '',
  ]);
});

test('a column of questions is answered where the fleet can, and captioned beside where it cannot', async () => {
  const name = names[0] ?? '';
  const image = encodeBytes(await sample(name));
  const answers = JSON.parse(await readFile(join(demoSamples, 'questions.json'), 'utf8'))[name] as Record<
    string,
    string
  >;
  const questions = Object.keys(answers);
  await put(
    'vqa/0batch_input.csv',
    csv(
      ['image', 'text'],
      questions.map((question) => [image, question]),
    ),
  );
  const answering = await startSurface({ CAPTIONFLEET_TASKS: 'caption,answer' });
  assert.deepEqual(await predictions(answering, await post(answering, 'vqa')), [
    ...questions.map((question, row) => `${row},${answers[question]},0batch_input.csv`),
    '',
  ]);
  await answering.api[Symbol.asyncDispose]();
  const captioning = await startSurface();
  const caption = captions[name];
  assert.deepEqual(await predictions(captioning, await post(captioning, 'vqa')), [
    ...questions.map((_, row) => `${row},${caption},0batch_input.csv`),
    '',
  ]);
});

test('another process goes on with the job of one that was killed', async () => {
  const rows = await Promise.all(
    Array.from({ length: 200 }, async (_, row) => [encodeBytes(await sample(names[row % names.length] ?? ''))]),
  );
  for (const [file, start] of [0, 50, 100, 150].entries()) {
    await put(`killed/${file}batch_input.csv`, csv(['image'], rows.slice(start, start + 50)));
  }
  const other = await startSurface();
  const { api, ...killed } = await startSurface();
  // The other one must not have the job: it looks every few seconds, and the one that is asked looks at once.
  const id = await post({ api, ...killed }, 'killed');
  await waitFor('the job to run', 30_000, async () => (await status(other, id)).status === 'Running');
  api.child.kill('SIGKILL');
  await api.ended;
  assert.equal((await status(other, id)).status, 'Running', 'it has not ended without the other one');
  const lines = await predictions(other, id);
  assert.deepEqual(lines, [
    ...rows.map(
      (_, row) => `${row % 50},${captions[names[row % names.length] ?? '']},${Math.floor(row / 50)}batch_input.csv`,
    ),
    '',
  ]);
});

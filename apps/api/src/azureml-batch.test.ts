// The batch endpoint on real Blob storage and a real queue; the workers here do their work in no time, and say what they were asked.
// What a model says is in test/e2e/azureml-batch.test.ts.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import type { ImageJob } from '@captionfleet/protocol/image-job';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { queueName } from '@captionfleet/protocol/queue-names';
import type { ModelTask } from '@captionfleet/protocol/task';
import { openConsumer } from '@captionfleet/queue/consumer';
import { openBlobFiles } from '@captionfleet/storage/blob-files';
import { openOpenScoring } from '@captionfleet/storage/open-scoring';
import { openScoringStore } from '@captionfleet/storage/scoring-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createApiMetrics } from '@captionfleet/telemetry/metrics';
import { countBlobs, putBlob, readBlobs } from '../../../test/support/blobs.ts';
import { type Access, openToAnyone } from './access.ts';
import { startAzureml } from './azureml-start.ts';
import { readConfig } from './config.ts';
import { anyone } from './principal.ts';
import { openTaskQueues } from './task-queues.ts';
import { captionOf, startBackends, type TestBackends, waitFor } from './test-api.ts';

const parts = new AsyncDisposableStack();
let backends: TestBackends;
let service: BlobServiceClient;
before(async () => {
  backends = parts.use(await startBackends());
  service = BlobServiceClient.fromConnectionString(backends.connectionString);
  for (const container of ['photos', 'results', 'secret'])
    await service.getContainerClient(container).createIfNotExists();
});
after(() => parts.disposeAsync());

interface Endpoint extends AsyncDisposable {
  readonly url: string;
  /** Works on jobs, each in no time unless `outcome` takes any. */
  startWorker(outcome?: (job: ImageJob) => Promise<ImageOutcome> | ImageOutcome): Promise<void>;
  ask(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: ScoringDocument }>;
}

interface ScoringDocument {
  readonly id: string;
  readonly name: string;
  readonly properties: {
    readonly status: string;
    readonly counts?: object;
    readonly failures?: readonly { file: string; error: { code: string } }[];
    readonly error?: { readonly code: string };
    readonly outputData?: { readonly score: { readonly uri: string } };
    readonly [member: string]: unknown;
  };
  readonly error?: { readonly code: string; readonly message: string };
  readonly value?: readonly ScoringDocument[];
  readonly nextLink?: string;
}

async function startEndpoint(
  env: Readonly<Record<string, string>> = {},
  {
    queuePrefix = `{${randomUUID()}}`,
    maxWaiting = 1_000,
    tasks = ['caption'] as ModelTask[],
    access = undefined as Access | undefined,
  } = {},
): Promise<Endpoint> {
  const stack = new AsyncDisposableStack();
  const { redisUrl, connectionString, blobs, requests } = backends;
  const config = readConfig({
    AZURE_STORAGE_CONNECTION_STRING: connectionString,
    CAPTIONFLEET_CONTAINER: blobs.container,
    CAPTIONFLEET_AZUREML: 'container',
    CAPTIONFLEET_AZUREML_PORT: '0',
    CAPTIONFLEET_AZUREML_BATCH: 'on',
    CAPTIONFLEET_IMAGE_CONTAINERS: 'photos',
    CAPTIONFLEET_AZUREML_OUTPUT_CONTAINERS: 'results',
    CAPTIONFLEET_AZUREML_DATASTORES: 'workspaceblobstore=photos/store,results=results',
    ...env,
  });
  const queues = await openTaskQueues({ redisUrl, queuePrefix, pool: 'cpu', maxWaiting }, stack);
  const surface = stack.use(
    await startAzureml(config.azureml ?? assert.fail('the surface is off'), {
      requests,
      queues,
      tasks,
      maxWaiting,
      metrics: createApiMetrics(),
      logger: createLogger({ name: 'api', level: 'silent' }),
      access,
      host: '127.0.0.1',
      drainMs: 1_000,
      storage: {
        scoring: (tenant) => openScoringStore(blobs, tenant),
        open: openOpenScoring(blobs),
        files: await openBlobFiles({ connectionString }),
      },
    }),
  );
  const url = `http://127.0.0.1:${surface.port}`;
  return {
    url,
    async startWorker(outcome = said) {
      for (const head of tasks) {
        const queue = queueName('bulk', 'cpu', head);
        const worker = { redisUrl, queue, prefix: queuePrefix, concurrency: 16, attempts: 1 };
        const consumer = await openConsumer(worker, async ({ job }) => {
          await requests.of(job.tenant).writeOutcome(job.requestId, job.index, await outcome(job));
        });
        stack.use(consumer);
      }
    },
    async ask(path, body, headers = {}) {
      const response = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(60_000),
      });
      return { status: response.status, body: (await response.json()) as ScoringDocument };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What a worker says here: the index of the row, and what was asked; a picture of the bytes "bad" is none. */
function said(job: ImageJob): ImageOutcome {
  const isBad = 'blob' in job.source && job.source.blob.name.endsWith(sha256OfBad);
  if (isBad) {
    return { status: 'failed', error: { code: 'IMAGE_CORRUPT', message: 'it is damaged', retryable: false } };
  }
  const caption = captionOf(job);
  if (job.task.type !== 'answer' || caption.status !== 'succeeded' || !('captions' in caption)) return caption;
  const { captions: _, ...rest } = caption;
  const answer = { question: job.task.questions[0] ?? '', text: `to: ${job.task.questions[0]}`, tokens: [1] };
  return { ...rest, answers: [{ ...answer, confidence: 0.5, meanLogProbability: -1 }] } as ImageOutcome;
}
const sha256OfBad = createHash('sha256').update('bad').digest('hex');

const folder = (): string => `run-${randomUUID()}`;
const put = (name: string, content: string, container = 'photos') =>
  putBlob(backends.connectionString, container, name, Buffer.from(content));
const accountUrl = (path: string): string => `https://devstoreaccount1.blob.core.windows.net/${path}`;
const cell = (text: string): string => Buffer.from(text).toString('base64').replaceAll(/.{8}/g, '$&\n');
/** As `DataFrame.to_csv` writes it. */
const csv = (...cells: readonly string[]): string =>
  [',image', ...cells.map((text, row) => `${row},"${text}"`), ''].join('\n');

const pascal = (uri: string, type = 'UriFolder', more: object = {}) => ({
  properties: { InputData: { mnist: { JobInputType: type, Uri: uri } }, ...more },
});

async function finished(endpoint: Endpoint, { id }: { readonly id: string }): Promise<ScoringDocument> {
  let last: ScoringDocument | undefined;
  await waitFor(`scoring job ${id} to end`, async () => {
    last = (await endpoint.ask(id)).body;
    return ['Completed', 'Failed', 'Canceled'].includes(last.properties.status);
  });
  return last ?? assert.fail();
}

async function predictions(endpoint: Endpoint, { id }: { readonly id: string }): Promise<string> {
  const response = await fetch(`${endpoint.url}${id}/outputs/score/predictions.csv`);
  assert.equal(response.status, 200);
  return await response.text();
}

test('the three forms of a body are the same job: rows by file, then row, in one file without a header', async () => {
  await using endpoint = await startEndpoint();
  await endpoint.startWorker();
  const input = folder();
  await put(`${input}/0batch_input.csv`, csv(cell('one'), cell('two')));
  await put(`${input}/1batch_input.csv`, csv(cell('three')));
  await put(`${input}/nested/2batch_input.csv`, csv(cell('of a nested folder')));
  const url = accountUrl(`photos/${input}`);
  const bodies = [
    pascal(url),
    { properties: { inputData: { UriFolder: { jobInputType: 'UriFolder', uri: `${url}/` } } } },
    { properties: { dataset: { dataInputType: 'DataUrl', Path: url } } },
    { properties: { dataset: { DataUrl: `wasbs://photos@devstoreaccount1.blob.core.windows.net/${input}` } } },
  ];
  for (const body of bodies) {
    const { status, body: made } = await endpoint.ask('/jobs', body);
    assert.equal(status, 200, JSON.stringify(made));
    assert.match(made.properties.status, /^(NotStarted|Running|Completed)$/);
    const end = await finished(endpoint, made);
    assert.equal(end.properties.status, 'Completed', JSON.stringify(end));
    assert.deepEqual(end.properties.counts, { files: 2, failedFiles: 0, rows: 3, failedRows: 0 });
    const lines = '0,image 0,0batch_input.csv\n1,image 1,0batch_input.csv\n0,image 2,1batch_input.csv\n';
    assert.equal(await predictions(endpoint, made), lines);
  }
});

test('a folder of images is a row for each file; what is in its folders is not looked at', async () => {
  await using endpoint = await startEndpoint();
  await endpoint.startWorker();
  const input = folder();
  for (const name of ['b.PNG', 'a.jpg', 'c.webp', 'inner/d.png', 'e.gif']) await put(`store/${input}/${name}`, name);
  const made = await endpoint.ask('/jobs', pascal(`azureml://datastores/workspaceblobstore/paths/${input}/`));
  assert.equal((await finished(endpoint, made.body)).properties.status, 'Completed');
  const lines = '0,image 0,a.jpg\n0,image 1,b.PNG\n0,image 2,c.webp\n0,image 3,e.gif\n';
  assert.equal(await predictions(endpoint, made.body), lines);
  const one = await endpoint.ask('/jobs', pascal(accountUrl(`photos/store/${input}/c.webp`), 'UriFile'));
  await finished(endpoint, one.body);
  assert.equal(await predictions(endpoint, one.body), '0,image 0,c.webp\n');
});

test('a URI names a blob of the account in a container of the list, or is refused and never fetched', async () => {
  await using endpoint = await startEndpoint();
  const refused: Readonly<Record<string, [uri: string, status: number]>> = {
    'another host': ['https://example.org/photos/a', 422],
    'an address of the network': ['http://169.254.169.254/metadata/instance', 422],
    'another account': ['https://other.blob.core.windows.net/photos/a', 422],
    'an account in a longer name': ['https://devstoreaccount1.blob.core.windows.net.example.org/secret/a', 422],
    'another container': [accountUrl('secret/a'), 422],
    'the own container': [accountUrl('fleet/requests'), 422],
    'a signature': [accountUrl('photos/a?sig=abc'), 400],
    'a user': ['https://me:pw@devstoreaccount1.blob.core.windows.net/photos/a', 400],
    'an unknown datastore': ['azureml://datastores/other/paths/a', 422],
    'a file': ['file:///etc/passwd', 400],
    'a data asset': ['azureml:photos:1', 400],
    'another account of abfss': ['abfss://photos@other.dfs.core.windows.net/a', 422],
    'a bad escape': [accountUrl('photos/%zz'), 400],
  };
  for (const [what, [uri, status]] of Object.entries(refused)) {
    const answer = await endpoint.ask('/jobs', pascal(uri));
    assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`);
  }
  const output = { OutputData: { score: { JobOutputType: 'UriFolder', Uri: accountUrl('photos/out') } } };
  const answer = await endpoint.ask('/jobs', pascal(accountUrl('photos/a'), 'UriFolder', output));
  assert.equal(answer.status, 422);
  assert.match(answer.body.error?.message ?? '', /^output: container "photos" is not one that may be written to/);
});

test('a body that asks for nothing that can be done is told what is wrong', async () => {
  await using endpoint = await startEndpoint();
  const uri = accountUrl('photos/a');
  const input = { JobInputType: 'UriFile', Uri: uri };
  const wrong: readonly [unknown, RegExp][] = [
    ['{', /the body is not JSON/],
    [[], /the body/],
    [{}, /^properties/],
    [{ properties: {} }, /there must be InputData/],
    [{ properties: { InputData: { a: input, b: input } } }, /has one input/],
    [pascal(uri, 'MLTable'), /JobInputType must be UriFolder or UriFile/],
    [pascal(uri, 'UriFolder', { MiniBatchSize: 0 }), /^properties.minibatchsize/],
    [pascal(uri, 'UriFolder', { ErrorThreshold: -2 }), /^properties.errorthreshold/],
    [pascal(uri, 'UriFolder', { RetrySettings: { Timeout: '30 s' } }), /PT30S/],
    [pascal(uri, 'UriFolder', { OutputFileName: '../a.csv' }), /without a folder/],
    [{ properties: { dataset: { DataInputType: 'DatasetId', DatasetId: '1' } } }, /DataUrl with a Path/],
  ];
  for (const [body, message] of wrong) {
    const answer = await endpoint.ask('/jobs', body);
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.match(answer.body.error?.message ?? '', message);
  }
  assert.equal((await endpoint.ask('/jobs', pascal(uri), { 'azureml-model-deployment': 'green' })).status, 404);
  assert.equal((await endpoint.ask('/jobs/01arz3ndektsv4rrffq69g5fav')).status, 404);
  assert.equal((await fetch(`${endpoint.url}/jobs`, { method: 'PUT' })).status, 405);
});

test('twenty calls with one repeatability id at a time are one job, which one more call finds', async () => {
  const queuePrefix = `{${randomUUID()}}`;
  await using endpoint = await startEndpoint({}, { queuePrefix });
  await using other = await startEndpoint({}, { queuePrefix });
  const input = folder();
  await put(`${input}/a.csv`, csv(cell('one')));
  const id = randomUUID();
  const ask = (at: Endpoint, name = 'repeatability_request-id') =>
    at.ask('/jobs', pascal(accountUrl(`photos/${input}`)), { [name]: id });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, call) => ask(call % 2 === 0 ? endpoint : other)));
  const [first] = answers;
  for (const { status, body } of answers) assert.deepEqual([status, body.id], [200, first?.body.id]);
  await endpoint.startWorker();
  await finished(endpoint, first?.body ?? assert.fail());
  const again = await ask(other, 'Repeatability-Request-Id');
  assert.deepEqual([again.body.id, again.body.properties.status], [first?.body.id, 'Completed']);
  const jobs = await readBlobs(backends.connectionString, 'fleet', 'scoring/');
  assert.equal(
    [...jobs.entries()].filter(([name, bytes]) => name.endsWith('/job.json') && bytes.includes(input)).length,
    1,
  );
  const open = () => countBlobs(backends.connectionString, 'fleet', 'open-scoring/', /./);
  await waitFor('no job to be open', async () => (await open()) === 0);
});

async function putOneBadFile(): Promise<string> {
  const input = folder();
  await put(`${input}/0.csv`, csv(cell('one'), cell('bad'), cell('three')));
  await put(`${input}/1.csv`, csv(cell('four'), 'not an image!'));
  await put(`${input}/2.csv`, 'a,b\n1,2\n');
  await put(`${input}/3.csv`, csv(cell('five')));
  return accountUrl(`photos/${input}`);
}

test('a file fails with any of its rows; error_threshold says how many may, over the whole input', async () => {
  await using endpoint = await startEndpoint();
  await endpoint.startWorker();
  const uri = await putOneBadFile();
  const all = await endpoint.ask('/jobs', pascal(uri));
  const { properties } = await finished(endpoint, all.body);
  assert.equal(properties.status, 'Completed');
  assert.deepEqual(properties.counts, { files: 4, failedFiles: 3, rows: 6, failedRows: 2 });
  assert.deepEqual(failedFiles(properties), [
    ['0.csv', 'IMAGE_CORRUPT'],
    ['1.csv', 'REQUEST_INVALID'],
    ['2.csv', 'FILE_INVALID'],
  ]);
  assert.equal(await predictions(endpoint, all.body), '0,image 5,3.csv\n');

  const three = await endpoint.ask('/jobs', pascal(uri, 'UriFolder', { errorThreshold: 3 }));
  assert.equal((await finished(endpoint, three.body)).properties.status, 'Completed');
  const two = await endpoint.ask('/jobs', pascal(uri, 'UriFolder', { errorThreshold: 2 }));
  const failed = (await finished(endpoint, two.body)).properties;
  assert.deepEqual([failed.status, failed.error?.code], ['Failed', 'ERROR_THRESHOLD_EXCEEDED']);
  assert.equal((await endpoint.ask(`${two.body.id}/outputs/score/predictions.csv`)).status, 404);
});

const failedFiles = ({ failures = [] }: ScoringDocument['properties']): string[][] =>
  failures.map(({ file, error }) => [file, error.code]).sort();

test('with row errors the good rows of a failed file are kept', async () => {
  await using endpoint = await startEndpoint({ CAPTIONFLEET_AZUREML_ROW_ERRORS: 'true' });
  await endpoint.startWorker();
  const made = await endpoint.ask('/jobs', pascal(await putOneBadFile()));
  await finished(endpoint, made.body);
  const lines = '0,image 0,0.csv\n2,image 2,0.csv\n0,image 3,1.csv\n0,image 5,3.csv\n';
  assert.equal(await predictions(endpoint, made.body), lines);
});

test('a file that is neither CSV nor an image ends the job, and so does an input without files', async () => {
  await using endpoint = await startEndpoint();
  await endpoint.startWorker();
  const input = folder();
  await put(`${input}/0.csv`, csv(cell('one')));
  await put(`${input}/1.parquet`, 'PAR1');
  for (const [uri, code] of [
    [accountUrl(`photos/${input}`), 'FILE_UNSUPPORTED'],
    [accountUrl('photos/nothing-here'), 'SOURCE_NOT_FOUND'],
  ] as const) {
    const made = await endpoint.ask('/jobs', pascal(uri));
    const { properties } = await finished(endpoint, made.body);
    assert.deepEqual([properties.status, properties.error?.code], ['Failed', code]);
  }
});

test('predictions go where the caller says, quoted as pandas quotes them, and never over a blob that is there', async () => {
  await using endpoint = await startEndpoint();
  const texts = ['a "red", boat', 'two\nlines', '', 'plain'];
  await endpoint.startWorker(
    ({ index }) =>
      ({
        ...captionOf({ index }),
        captions: [{ text: texts[index], tokens: [1], confidence: 1, meanLogProbability: 0 }],
      }) as ImageOutcome,
  );
  const input = folder();
  await put(`${input}/a, b.csv`, csv(...['one', 'two', 'three', 'four'].map(cell)));
  const lines = '0,"a ""red"", boat","a, b.csv"\n1,"two\nlines","a, b.csv"\n2,,"a, b.csv"\n3,plain,"a, b.csv"\n';
  const out = folder();
  const inDatastore = `azureml://datastores/results/paths/${out}/x.csv`;
  const outputs = [
    [{ OutputData: { score: { JobOutputType: 'UriFolder', Uri: accountUrl(`results/${out}`) } } }, 'predictions.csv'],
    [{ outputData: { score: { jobOutputType: 'UriFile', uri: inDatastore } } }, 'x.csv'],
    [{ outputDataset: { datastoreId: 'azureml:results', path: out }, outputFileName: 'v1.csv' }, 'v1.csv'],
  ] as const;
  for (const [output, name] of outputs) {
    const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`), 'UriFolder', output));
    const { properties } = await finished(endpoint, made.body);
    assert.equal(properties.status, 'Completed', JSON.stringify(properties));
    assert.match(properties.outputData?.score.uri ?? '', new RegExp(`/results/${out}/${name}$`));
    const blobs = await readBlobs(backends.connectionString, 'results', `${out}/${name}`);
    assert.deepEqual([...blobs.values()].map(String), [lines]);
  }
  const again = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`), 'UriFolder', outputs[0][0]));
  const { properties } = await finished(endpoint, again.body);
  assert.deepEqual([properties.status, properties.error?.code], ['Failed', 'OUTPUT_EXISTS']);
});

test('summary_only tells the counts and writes no predictions', async () => {
  await using endpoint = await startEndpoint({ CAPTIONFLEET_AZUREML_OUTPUT_ACTION: 'summary_only' });
  await endpoint.startWorker();
  const input = folder();
  await put(`${input}/a.csv`, csv(cell('one')));
  const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`)));
  const { properties } = await finished(endpoint, made.body);
  assert.deepEqual(properties.counts, { files: 1, failedFiles: 0, rows: 1, failedRows: 0 });
  assert.equal(properties.outputData, undefined);
  assert.equal((await endpoint.ask(`${made.body.id}/outputs/score/predictions.csv`)).status, 404);
});

test('questions are asked where the fleet can answer them, and ignored where it only captions', async () => {
  const input = folder();
  const question = 'is it "red", or\nblue?'.replaceAll('"', '""');
  await put(`${input}/a.csv`, `,image,text\n0,"${cell('one')}","${question}"\n1,"${cell('two')}",\n`);
  await put(`${input}/b.csv`, csv(cell('three')));
  const asked = async (tasks: ModelTask[], env: Readonly<Record<string, string>> = {}) => {
    await using endpoint = await startEndpoint({ CAPTIONFLEET_AZUREML_ROW_ERRORS: 'true', ...env }, { tasks });
    await endpoint.startWorker();
    const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`)));
    await finished(endpoint, made.body);
    return await predictions(endpoint, made.body);
  };
  const answer = '0,"to: is it ""red"", or\nblue?",a.csv\n';
  assert.equal(await asked(['caption', 'answer']), `${answer}0,image 2,b.csv\n`);
  assert.equal(await asked(['answer']), answer, 'a file without questions fails where nothing captions');
  assert.equal(await asked(['caption']), '0,image 0,a.csv\n1,image 1,a.csv\n0,image 2,b.csv\n');
  const fixed = { CAPTIONFLEET_AZUREML_DEPLOYMENTS: 'vqa:answer=100' };
  assert.equal(await asked(['caption', 'answer'], fixed), answer);
});

test('a cancelled job begins nothing more, and says so', async () => {
  await using endpoint = await startEndpoint();
  const input = folder();
  await put(`${input}/a.csv`, csv(...Array.from({ length: 300 }, (_, row) => cell(`row ${row}`))));
  const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`)));
  await waitFor('the job to run', async () => (await endpoint.ask(made.body.id)).body.properties.status === 'Running');
  const cancelled = await endpoint.ask(`${made.body.id}/cancel`, {});
  assert.match(cancelled.body.properties.status, /^Cancel/);
  assert.equal((await finished(endpoint, made.body)).properties.status, 'Canceled');
  const worked: number[] = [];
  await endpoint.startWorker((job) => {
    worked.push(job.index);
    return captionOf(job);
  });
  const next = await endpoint.ask('/jobs', pascal(await putOneBadFile()));
  await finished(endpoint, next.body);
  assert.equal(worked.length, 5, 'only the rows of the next job');
  assert.equal((await endpoint.ask(`${made.body.id}/cancel`, {})).body.properties.status, 'Canceled');
});

test('a job goes on in another process, row for row, from the middle of a file', async () => {
  const queuePrefix = `{${randomUUID()}}`;
  const input = folder();
  const rows = Array.from({ length: 700 }, (_, row) => cell(`row ${row}`));
  await put(`${input}/0.csv`, csv(...rows));
  await put(`${input}/1.csv`, csv(cell('last')));
  let id = '';
  const worked = new Map<number, number>();
  {
    // A queue of 100 keeps it from reading on while nobody works.
    await using first = await startEndpoint({}, { queuePrefix, maxWaiting: 100 });
    ({ id } = (await first.ask('/jobs', pascal(accountUrl(`photos/${input}`)))).body);
    await waitFor('the job to run', async () => (await first.ask(id)).body.properties.status === 'Running');
  }
  await using second = await startEndpoint({}, { queuePrefix, maxWaiting: 100 });
  await second.startWorker((job) => {
    worked.set(job.index, (worked.get(job.index) ?? 0) + 1);
    return captionOf(job);
  });
  const end = await finished(second, { id });
  assert.deepEqual(end.properties.counts, { files: 2, failedFiles: 0, rows: 701, failedRows: 0 });
  const lines = Array.from({ length: 700 }, (_, row) => `${row},image ${row},0.csv\n`);
  assert.equal(await predictions(second, { id }), `${lines.join('')}0,image 700,1.csv\n`);
  assert.equal(worked.size, 701);
  const repeated = [...worked].filter(([, times]) => times > 1);
  assert.deepEqual(repeated, [], 'no row was worked on twice');
});

test('a folder of images goes on behind the last file that was read', async () => {
  const queuePrefix = `{${randomUUID()}}`;
  const input = folder();
  const names = Array.from({ length: 250 }, (_, file) => `${String(file).padStart(3, '0')}.jpg`);
  for (const name of names) await put(`${input}/${name}`, name);
  let id = '';
  {
    await using first = await startEndpoint({}, { queuePrefix, maxWaiting: 100 });
    ({ id } = (await first.ask('/jobs', pascal(accountUrl(`photos/${input}`)))).body);
    await waitFor('the job to run', async () => (await first.ask(id)).body.properties.status === 'Running');
  }
  // A file that comes later among those that were read is not seen, and moves no other row.
  await put(`${input}/000-late.jpg`, 'late');
  await using second = await startEndpoint({}, { queuePrefix, maxWaiting: 100 });
  await second.startWorker();
  await finished(second, { id });
  const lines = names.map((name, index) => `0,image ${index},${name}\n`);
  assert.equal(await predictions(second, { id }), lines.join(''));
});

test('no tenant sees the jobs of another, nor shares a repeatability id with it', async () => {
  const access: Access = {
    ...openToAnyone,
    authenticate: async (credential = '') => ({ ...anyone, id: credential, tenant: credential }),
  };
  const frontend = { CAPTIONFLEET_AZUREML: 'frontend', CAPTIONFLEET_AZUREML_KEYS: 'a-key-that-nobody-has' };
  await using endpoint = await startEndpoint(frontend, { access });
  await endpoint.startWorker();
  const input = folder();
  await put(`${input}/a.csv`, csv(cell('one')));
  const same = randomUUID();
  const made = async (tenant: string) =>
    (
      await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`)), {
        authorization: `Bearer ${tenant}`,
        'repeatability_request-id': same,
      })
    ).body;
  const [one, other] = [await made('acme'), await made('globex')];
  assert.notEqual(one.id, other.id);
  const ask = async (path: string, tenant: string) =>
    await endpoint.ask(path, undefined, { authorization: `Bearer ${tenant}` });
  assert.deepEqual(
    (await ask('/jobs', 'acme')).body.value?.map(({ id }) => id),
    [one.id],
  );
  for (const path of [one.id, `${one.id}/outputs/score/predictions.csv`]) {
    assert.equal((await ask(path, 'globex')).status, 404);
  }
  await waitFor('both jobs to end', async () => {
    const jobs = await Promise.all([ask(one.id, 'acme'), ask(other.id, 'globex')]);
    return jobs.every(({ body }) => body.properties.status === 'Completed');
  });
});

test('a mini batch that runs and makes no progress fails after its retries, and the others do not', async () => {
  await using endpoint = await startEndpoint();
  const stuck = Promise.withResolvers<void>();
  await endpoint.startWorker(async (job) => {
    if (job.index === 1) await stuck.promise;
    return captionOf(job);
  });
  const input = folder();
  for (const name of ['0', '1', '2']) await put(`${input}/${name}.csv`, csv(cell(name)));
  const settings = { MiniBatchSize: 1, RetrySettings: { MaxRetries: 1, Timeout: 'PT1S' } };
  const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`), 'UriFolder', settings));
  const { properties } = await finished(endpoint, made.body);
  stuck.resolve();
  assert.equal(properties.status, 'Completed');
  assert.deepEqual(failedFiles(properties), [['1.csv', 'ATTEMPTS_EXHAUSTED']]);
  assert.equal(await predictions(endpoint, made.body), '0,image 0,0.csv\n0,image 2,2.csv\n');
});

test('images of 20 MiB in cells are taken, larger ones fail their files', async () => {
  await using endpoint = await startEndpoint();
  await endpoint.startWorker();
  const input = folder();
  const large = (fill: number, bytes = 20 * 1024 * 1024): string =>
    Buffer.alloc(bytes, fill).toString('base64').replaceAll(/.{76}/g, '$&\n');
  await put(`${input}/a.csv`, csv(large(1), large(2)));
  await put(`${input}/b.csv`, csv(large(3, 20 * 1024 * 1024 + 1)));
  await put(`${input}/c.csv`, csv('A'.repeat(33 * 1024 * 1024)));
  const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`)));
  const { properties } = await finished(endpoint, made.body);
  assert.equal(await predictions(endpoint, made.body), '0,image 0,a.csv\n1,image 1,a.csv\n');
  assert.deepEqual(failedFiles(properties), [
    ['b.csv', 'IMAGE_TOO_LARGE'],
    ['c.csv', 'FILE_INVALID'],
  ]);
});

test('CSV is read as pandas reads it: byte order mark, blank lines, an index without a name, short rows', async () => {
  await using endpoint = await startEndpoint({ CAPTIONFLEET_AZUREML_ROW_ERRORS: 'true' });
  await endpoint.startWorker();
  const input = folder();
  const image = Buffer.from('one').toString('base64');
  await put(`${input}/a.csv`, `\ufeffother,image\r\nx,${image}\r\n\r\ny,"${image}"\r\n`);
  await put(`${input}/b.csv`, `image\n0,${image}\n1,${image}`);
  await put(`${input}/c.csv`, `image,other\n${image},1\n${image}\n${image},1,2\n`);
  await put(`${input}/d.csv`, '');
  await put(`${input}/e.csv`, 'image\n');
  await put(`${input}/f.csv`, 'image\n"never closed\n');
  const made = await endpoint.ask('/jobs', pascal(accountUrl(`photos/${input}`)));
  const { properties } = await finished(endpoint, made.body);
  const files = ['a', 'a', 'b', 'b', 'c', 'c'];
  const lines = files.map((file, index) => `${index % 2},image ${index},${file}.csv\n`);
  assert.equal(await predictions(endpoint, made.body), lines.join(''));
  assert.deepEqual(
    failedFiles(properties),
    ['c.csv', 'd.csv', 'e.csv', 'f.csv'].map((file) => [file, 'FILE_INVALID']),
  );
});

test('a front end lets callers with a key make jobs; they are listed, also behind the path of a workspace', async () => {
  const key = 'a-key-of-the-batch-endpoint';
  await using endpoint = await startEndpoint({ CAPTIONFLEET_AZUREML: 'frontend', CAPTIONFLEET_AZUREML_KEYS: key });
  const uri = accountUrl('photos/a');
  const refused = await endpoint.ask('/jobs', pascal(uri), { authorization: 'Bearer another' });
  assert.deepEqual([refused.status, refused.body.error?.code], [401, 'UNAUTHENTICATED']);
  const headers = { authorization: `Bearer ${key}` };
  const root =
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/batchEndpoints/e/jobs';
  const body = pascal(uri, 'UriFolder', { name: 'my-job' });
  const made = await endpoint.ask(`${root}?api-version=2023-10-01`, body, headers);
  assert.equal(made.body.name, 'my-job');
  assert.ok(made.body.id.startsWith(`${root}/`));
  for (let more = 0; more < 50; more += 1) await endpoint.ask(root, body, headers);
  const listed: string[] = [];
  let pages = 0;
  for (let next: string | undefined = `${endpoint.url}${root}`; next !== undefined; pages += 1) {
    const response = await fetch(next, { headers });
    const page = (await response.json()) as ScoringDocument;
    listed.push(...(page.value ?? []).map(({ id }) => id));
    next = page.nextLink;
  }
  assert.ok(pages > 1);
  assert.deepEqual(listed, [...new Set(listed)].sort());
  assert.ok(listed.includes(made.body.id));
});

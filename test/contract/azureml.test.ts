// The AzureML surface beside the unmodified server that it stands in for, and unmodified clients against it.
// With CONTRACT_RECORD=true the answers of that server go into test/fixtures/azureml, where `npm test` finds them without Python.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { pythonEnvironment } from '../support/python-environment.ts';
import {
  type ClientSetting,
  invokeBatchByAzureAiMl,
  invokeByAzureAiMl,
  predictByAzuremlMlflow,
  startClientSetting,
} from './azureml/clients.ts';
import { type ComparableAnswer, comparable } from './azureml/comparable.ts';
import { exchange } from './azureml/exchange.ts';
import { type ContractFleet, readShapeImages, startContractFleet, startImageServer } from './azureml/fleet.ts';
import { makeTable, type ReferenceTable, startReference } from './azureml/reference-server.ts';
import { answerShapes, captionShapes, type Shape, type ShapeImages } from './azureml/shapes.ts';

const here = (file: string): string => new URL(`azureml/${file}`, import.meta.url).pathname;
const fixtures = new URL('../fixtures/azureml/', import.meta.url);

const parts = new AsyncDisposableStack();
let python: string;
let images: ShapeImages;
let imageServer: string;
let fleet: ContractFleet;
let table: ReferenceTable;
let clients: ClientSetting;
before(async () => {
  python = await pythonEnvironment('azureml-reference', here('reference.txt'));
  images = await readShapeImages();
  imageServer = parts.use(await startImageServer(images)).url;
  fleet = parts.use(await startContractFleet(imageServer));
  table = await makeTable(fleet.url, images);
  clients = parts.use(
    await startClientSetting(fleet, images, { boat: captionOf('boat'), penguin: captionOf('penguin') }),
  );
});
after(() => parts.disposeAsync());

const captionOf = (name: keyof ShapeImages): string =>
  table[createHash('sha256').update(images[name]).digest('hex')]?.caption ?? assert.fail(`the table lacks ${name}`);

/** Sends each request to both and says of all that were answered differently how. */
async function compare(name: string, shapes: readonly Shape[], ours: number, columns: string): Promise<void> {
  await using reference = await startReference({ python, table, columns });
  const answers: Record<string, ComparableAnswer> = {};
  const different: string[] = [];
  for (const shape of shapes) {
    const expected = comparable(await exchange(reference.port, shape.request));
    answers[shape.name] = expected;
    try {
      assert.deepEqual(comparable(await exchange(ours, shape.request)), expected, shape.name);
    } catch (error) {
      different.push(`${shape.name}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  if (process.env['CONTRACT_RECORD'] === 'true') {
    await mkdir(fixtures, { recursive: true });
    await writeFile(new URL(`${name}.json`, fixtures), `${JSON.stringify(answers, null, 1)}\n`);
  }
  assert.equal(different.length, 0, `${different.length} of ${shapes.length}:\n${different.join('\n')}`);
}

test('every request gets the answer of the reference, as a container that captions', async () => {
  await compare('caption', captionShapes({ images, imageServer }), fleet.captionPort, 'image');
});

test('and as a container that answers questions', async () => {
  await compare('answer', answerShapes({ images }), fleet.answerPort, 'image,text');
});

test('azure-ai-ml invokes the endpoint, by weight and by name, and gets 424 and 401 as from Azure', async () => {
  await invokeByAzureAiMl(clients);
});

test('azure-ai-ml invokes the batch endpoint; calls whose answers are lost are one job, and the jobs are listed', async () => {
  await invokeBatchByAzureAiMl(clients, fleet, images);
});

test('the deployment client of azureml-mlflow predicts, and reads the swagger for the form of the result', async () => {
  await predictByAzuremlMlflow(clients);
});

// What the AzureML surface does with a fleet beyond what the server it imitates can: many rows, errors by row, both heads.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange } from './exchange.ts';
import { type ContractFleet, readShapeImages, startContractFleet, startImageServer } from './fleet.ts';
import type { ShapeImages } from './shapes.ts';

const parts = new AsyncDisposableStack();
let fleet: ContractFleet;
let images: ShapeImages;
let imageServer: string;
before(async () => {
  images = await readShapeImages();
  imageServer = parts.use(await startImageServer(images)).url;
  fleet = parts.use(await startContractFleet(imageServer));
});
after(() => parts.disposeAsync());

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

async function score(
  port: number,
  columns: readonly string[],
  data: readonly (readonly unknown[])[],
  headers: readonly (readonly [string, string])[] = [],
) {
  const answer = await exchange(port, {
    method: 'POST',
    target: '/score',
    headers: [['Content-Type', 'application/json'], ...headers],
    body: Buffer.from(JSON.stringify({ input_data: { columns, data } })),
  });
  return { status: answer.status, body: JSON.parse(answer.body.toString()) };
}

const boat = 'a boat on the water';
const penguin = 'a penguin and a yellow triangle on an orange background';

test('more rows than a request of the fleet takes come back whole and in order', async () => {
  const expected = Array.from({ length: 70 }, (_, row) => ({ text: row % 7 === 0 ? penguin : boat }));
  const data = expected.map(({ text }) => [base64(text === boat ? images.boat : images.penguin)]);
  assert.deepEqual(await score(fleet.captionPort, ['image'], data), { status: 200, body: expected });
});

test('with errors by row, rows that fail say why and the others are captioned', async () => {
  const port = await fleet.start({ CAPTIONFLEET_AZUREML_ROW_ERRORS: 'true' });
  const data = [
    [base64(images.boat)],
    ['no image at all'],
    [null],
    [base64(images.boat.subarray(0, 5_000))],
    [`${imageServer}/penguin.webp`],
    ['http://169.254.169.254/latest/meta-data/index.html'],
    ['http://not a url.com/x'],
  ];
  const { status, body } = await score(port, ['image'], data);
  assert.equal(status, 200);
  assert.deepEqual(
    body.map((row: { text: string; error?: { code: string } }) => row.error?.code ?? row.text),
    [boat, 'IMAGE_FORMAT_UNKNOWN', 'REQUEST_INVALID', 'IMAGE_CORRUPT', penguin, 'URL_REFUSED', 'REQUEST_INVALID'],
  );
  for (const row of body) assert.ok(row.error === undefined || (row.text === '' && row.error.message.length > 10));
  const none = await score(port, ['image'], [['http://10.0.0.1/a.jpg'], ['ftp://x']]);
  assert.deepEqual([none.status, none.body.length], [200, 2]);
  assert.equal((await score(port, ['picture'], data)).status, 500);
});

test('a fleet with both heads answers where there is a question, unless the deployment says what it does', async () => {
  const key = 'the-key-of-the-endpoint';
  const port = await fleet.start({
    CAPTIONFLEET_TASKS: 'caption,answer',
    CAPTIONFLEET_AZUREML: 'frontend',
    CAPTIONFLEET_AZUREML_KEYS: key,
    CAPTIONFLEET_AZUREML_DEPLOYMENTS: 'both=100,captions:caption=0,answers:answer=0',
  });
  const ask = async (columns: readonly string[], deployment?: string) => {
    const named = deployment === undefined ? [] : [['azureml-model-deployment', deployment] as const];
    const cells = { image: base64(images.boat), text: 'where is the boat?' };
    const row = columns.map((column) => cells[column as keyof typeof cells]);
    const { status, body } = await score(port, columns, [row], [['Authorization', `Bearer ${key}`], ...named]);
    return status === 200 ? body : status;
  };
  const answered = [{ text: 'on the water' }];
  const captioned = [{ text: boat }];
  assert.deepEqual(await ask(['image', 'text']), answered);
  assert.deepEqual(await ask(['image']), captioned);
  assert.deepEqual(await ask(['image', 'text'], 'captions'), captioned);
  assert.deepEqual(await ask(['image', 'text'], 'answers'), answered);
  assert.equal(await ask(['image'], 'answers'), 424);
});

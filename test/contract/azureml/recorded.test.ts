// The AzureML surface gives the answers that the server which it stands in for gave when they were recorded
// (`CONTRACT_RECORD=true npm run test:contract`), for every request of shapes.ts.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type ComparableAnswer, comparable } from './comparable.ts';
import { exchange } from './exchange.ts';
import { type ContractFleet, readShapeImages, startContractFleet, startImageServer } from './fleet.ts';
import { answerShapes, captionShapes, type Shape, type ShapeImages } from './shapes.ts';

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

async function readRecorded(name: string): Promise<ReadonlyMap<string, ComparableAnswer>> {
  const file = new URL(`../../fixtures/azureml/${name}.json`, import.meta.url);
  return new Map(Object.entries(JSON.parse(await readFile(file, 'utf8'))));
}

async function holdAgainst(recorded: ReadonlyMap<string, ComparableAnswer>, shapes: readonly Shape[], port: number) {
  assert.deepEqual(
    [...recorded.keys()],
    shapes.map(({ name }) => name),
    'a shape was not recorded',
  );
  for (const { name, request } of shapes) {
    assert.deepEqual(comparable(await exchange(port, request)), recorded.get(name), name);
  }
}

test('a container that captions answers as the reference did', async () => {
  const shapes = captionShapes({ images, imageServer });
  assert.ok(shapes.length > 350);
  await holdAgainst(await readRecorded('caption'), shapes, fleet.captionPort);
});

test('a container that answers questions does so, too', async () => {
  await holdAgainst(await readRecorded('answer'), answerShapes({ images }), fleet.answerPort);
});

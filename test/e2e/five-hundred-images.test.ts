import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobNames } from '@captionfleet/protocol/blob-names';
import { type CaptionRequestStatus, CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import type { ImageInput } from '@captionfleet/protocol/image-reference';
import { countBlobs, putBlob, readBlobs } from '../support/blobs.ts';
import { captionfleet, captionLines } from '../support/command-line.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { postCaptions, waitFor, waitForCaptions } from '../support/http.ts';
import { makePicture, type Picture } from '../support/pictures.ts';

const imageCount = 500;
const perRequest = 50;
const options = { max_new_tokens: 12, num_beams: 2 };

async function servePictures(pictures: readonly Picture[]): Promise<AsyncDisposable & { host: string }> {
  const byPath = new Map(pictures.map((picture) => [`/${picture.name}`, picture.bytes]));
  const server = createServer((request, response) => {
    const bytes = byPath.get(request.url ?? '');
    response.writeHead(bytes === undefined ? 404 : 200, { 'content-type': 'application/octet-stream' }).end(bytes);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A third of the pictures by URL, a third inline, a third by blob. */
async function inputFor(picture: Picture, position: number, fleet: TestFleet, host: string): Promise<ImageInput> {
  if (position % 3 === 0) return { url: `http://${host}/${picture.name}` };
  if (position % 3 === 1) return { base64: picture.bytes.toString('base64') };
  const name = `images/${picture.name}`;
  await putBlob(fleet.connectionString, fleet.container, name, picture.bytes);
  return { blob: { container: fleet.container, name } };
}

test('500 images with a worker killed on the way: each captioned once, as the command line captions it', async () => {
  const pictures = await Promise.all(Array.from({ length: imageCount }, (_, seed) => makePicture(seed)));
  await using images = await servePictures(pictures);
  await using fleet = await startFleet({ workers: 2, env: { CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host } });
  const outcomes = () => countBlobs(fleet.connectionString, fleet.container, 'requests/', /\d{6}\.json$/);

  const posted: CaptionRequestStatus[] = [];
  for (let start = 0; start < imageCount; start += perRequest) {
    const inputs = pictures
      .slice(start, start + perRequest)
      .map((picture, index) => inputFor(picture, start + index, fleet, images.host));
    const answer = await postCaptions(fleet.api.url, { images: await Promise.all(inputs), options });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    posted.push(CaptionRequestStatusSchema.parse(answer.body));
  }

  await waitFor('a fifth of the outcomes', 60_000, async () => (await outcomes()) >= imageCount / 5);
  const before = await outcomes();
  assert.ok(before < imageCount, 'the kill must come while work is left');
  process.kill(fleet.workers[0]?.pid ?? 0, 'SIGKILL');

  const finished = await Promise.all(posted.map(({ id }) => waitForCaptions(fleet.api.url, id, 120_000)));

  const files = join(fleet.scratch, 'pictures');
  await mkdir(files);
  await Promise.all(pictures.map(({ name, bytes }) => writeFile(join(files, name), bytes)));
  const flags = ['--max-new-tokens', '12', '--num-beams', '2'];
  const direct = await captionfleet(['caption', files, '--json', '--model', fleet.modelDirectory, ...flags]);
  assert.equal(direct.code, 0, direct.stderr);
  const expected = captionLines(direct.stdout);

  for (const [position, { name }] of pictures.entries()) {
    const image = finished[Math.floor(position / perRequest)]?.images[position % perRequest];
    assert.equal(image?.status, 'succeeded', `${name}: ${JSON.stringify(image)}`);
    assert.deepEqual(image.captions[0]?.tokens, expected.get(join(files, name))?.tokens, name);
  }
  const blobs = await readBlobs(fleet.connectionString, fleet.container, 'requests/');
  const names = posted.flatMap(({ id }) =>
    Array.from({ length: perRequest }, (_, index) => blobNames('default').outcome(id, index)),
  );
  const records = posted.map(({ id }) => blobNames('default').request(id));
  assert.deepEqual([...blobs.keys()].sort(), [...names, ...records].sort(), 'one outcome an image, and nothing else');
});

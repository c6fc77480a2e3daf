import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ImageStatus } from '@captionfleet/protocol/image-outcome';
import sharp from 'sharp';
import { captionfleet, captionLines } from '../support/command-line.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { postCaptions } from '../support/http.ts';
import { makePicture } from '../support/pictures.ts';

const html = Buffer.from('<!doctype html><html><body>404 Not Found</body></html>');
const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#888' } })
    .png()
    .toBuffer();

let fleet: TestFleet;
let good: Buffer;
/** Each bad image with the code of its own error. */
let bad: ReadonlyMap<string, { bytes: Buffer; code: string }>;

before(async () => {
  fleet = await startFleet({ workers: 1 });
  good = (await makePicture(1)).bytes;
  const photo = (await makePicture(0)).bytes;
  bad = new Map([
    ['empty.jpg', { bytes: Buffer.alloc(0), code: 'IMAGE_EMPTY' }],
    ['page.jpg', { bytes: html, code: 'IMAGE_FORMAT_UNKNOWN' }],
    ['truncated.jpg', { bytes: photo.subarray(0, photo.length / 2), code: 'IMAGE_CORRUPT' }],
    ['dot.png', { bytes: await blank(1, 1), code: 'IMAGE_TOO_SMALL' }],
    ['wide.png', { bytes: await blank(30_000, 20), code: 'IMAGE_TOO_MANY_PIXELS' }],
  ]);
});
after(() => fleet?.[Symbol.asyncDispose]());

test('each bad image of a request has its own error, and its neighbours have their captions', async () => {
  const base64 = (bytes: Buffer) => ({ base64: bytes.toString('base64') });
  const images = [...bad.values()].flatMap(({ bytes }) => [base64(bytes), base64(good)]);
  const answer = await postCaptions(
    fleet.api.url,
    { images: [...images, { base64: 'not base64 !!' }, base64(good)] },
    { prefer: 'wait=30' },
  );
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const statuses = (answer.body as { images: ImageStatus[] }).images;
  const codes = statuses.map((image) => (image.status === 'failed' ? image.error.code : image.status));
  const expected = [...bad.values()].flatMap(({ code }) => [code, 'succeeded']);
  assert.deepEqual(codes, [...expected, 'BASE64_INVALID', 'succeeded']);
  const messages = statuses.flatMap((image) => (image.status === 'failed' ? [image.error.message] : []));
  assert.equal(new Set(messages).size, messages.length, 'no two errors read alike');
});

test('the command line names each bad file and captions the good one', async () => {
  const files = new Map([...bad].map(([name, { bytes, code }]) => [join(fleet.scratch, name), { bytes, code }]));
  for (const [path, { bytes }] of files) await writeFile(path, bytes);
  const goodFile = join(fleet.scratch, 'good.png');
  await writeFile(goodFile, good);
  const run = await captionfleet([
    'caption',
    ...files.keys(),
    goodFile,
    '/nowhere/at-all.jpg',
    '--json',
    '--model',
    fleet.modelDirectory,
  ]);
  assert.equal(run.code, 1);
  const lines = captionLines(run.stdout);
  for (const [path, { code }] of files) assert.equal(lines.get(path)?.error?.code, code, path);
  assert.equal(lines.get('/nowhere/at-all.jpg')?.error?.code, 'SOURCE_NOT_FOUND');
  assert.equal(typeof lines.get(goodFile)?.text, 'string');
});

test('enqueue ends with 1 when images failed, and says which and why', async () => {
  const files = [...bad].map(([name, { code }]) => ({ path: join(fleet.scratch, name), code }));
  for (const [name, { bytes }] of bad) await writeFile(join(fleet.scratch, name), bytes);
  const goodFile = join(fleet.scratch, 'good.png');
  await writeFile(goodFile, good);
  const flags = ['--api', fleet.api.url, '--wait', '60'];
  const run = await captionfleet(['enqueue', ...files.map(({ path }) => path), goodFile, '/nowhere.jpg', ...flags]);
  assert.equal(run.code, 1, run.stderr);
  for (const { path, code } of files) assert.match(run.stderr, new RegExp(`^captionfleet: ${code}: ${path}: `, 'm'));
  assert.match(run.stderr, /^captionfleet: SOURCE_NOT_FOUND: \/nowhere\.jpg: there is no such file/m);
  assert.equal(JSON.parse(run.stdout).status.counts.succeeded, 1);

  const refused = await captionfleet(['enqueue', 'http://user:hunter2@localhost/a.jpg', goodFile, ...flags]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^captionfleet: URL_REFUSED: http:\/\/localhost\/a\.jpg: /);
  assert.doesNotMatch(refused.stderr + refused.stdout, /hunter2/);
  const all = await captionfleet(['enqueue', 'ftp://images.example.org/a.jpg', ...flags]);
  assert.equal(all.code, 1);
  assert.match(all.stderr, /^captionfleet: URL_REFUSED: ftp:.*\n$/);

  const clean = await captionfleet(['enqueue', goodFile, ...flags]);
  assert.deepEqual([clean.code, clean.stderr], [0, '']);
});

test('an unknown option is refused by its name, over HTTP and at the command line', async () => {
  const answer = await postCaptions(fleet.api.url, {
    images: [{ base64: good.toString('base64') }],
    options: { num_beam: 3 },
  });
  assert.equal(answer.status, 400);
  assert.match(JSON.stringify(answer.body), /num_beam\b.*num_beams/);
  const run = await captionfleet(['caption', 'a.jpg', '--num-beam', '3']);
  assert.equal(run.code, 2);
  assert.match(run.stderr, /OPTION_INVALID: unknown option '--num-beam'/);
});

test('a model without one of its files, or with a flipped byte, is refused by the name of the file', async () => {
  const goodFile = join(fleet.scratch, 'good.png');
  await writeFile(goodFile, good);
  const broken = join(fleet.scratch, 'broken-model');
  await cp(fleet.modelDirectory, broken, { recursive: true });
  const weights = join(broken, 'weights.bin');
  const bytes = await readFile(weights);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(weights, bytes);
  const flipped = await captionfleet(['caption', goodFile, '--model', broken]);
  assert.equal(flipped.code, 1);
  assert.match(flipped.stderr, /MODEL_CORRUPT: .*weights\.bin/);
  await rm(weights);
  const missing = await captionfleet(['caption', goodFile, '--model', broken]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /MODEL_NOT_FOUND: .*weights\.bin/);
  const nowhere = await captionfleet(['caption', goodFile, '--model', join(fleet.scratch, 'nothing-here')]);
  assert.match(nowhere.stderr, /MODEL_NOT_FOUND: .*nothing-here/);
});

// What is posted, against a server that only answers in the form of the API; the whole way is in test/e2e/bad-input.test.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { type EnqueueEvent, enqueueCommand } from './enqueue-command.ts';

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-enqueue-'));
});
after(() => rm(scratch, { recursive: true }));

async function serve(listener: RequestListener): Promise<{ api: string } & AsyncDisposable> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Accepts every image, and remembers the size of each body. */
async function acceptingApi() {
  const bodies: { bytes: number; images: number }[] = [];
  const server = await serve(async (request, response) => {
    const { images } = (await json(request)) as { images: object[] };
    bodies.push({ bytes: Number(request.headers['content-length']), images: images.length });
    const status = {
      id: '01arz3ndektsv4rrffq69g5fav',
      status: 'queued',
      createdAt: new Date().toISOString(),
      counts: { queued: images.length, running: 0, succeeded: 0, failed: 0 },
      images: images.map((_, index) => ({ index, status: 'queued' })),
    };
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(status));
  });
  return { ...server, bodies, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const { signal } = new AbortController();
async function enqueue(inputs: readonly string[], api: string): Promise<EnqueueEvent[]> {
  return await Array.fromAsync(enqueueCommand(inputs, {}, { api, wait: 0 }, signal));
}

async function file(name: string, bytes: number): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, '');
  await truncate(path, bytes);
  return path;
}

test('requests keep the limit on bytes as well as the one on images, in the order of the arguments', async () => {
  await using server = await acceptingApi();
  const large = await Promise.all([1, 2, 3].map((index) => file(`large-${index}`, imageLimits.bytes)));
  const small = await Promise.all(Array.from({ length: 65 }, (_, index) => file(`small-${index}`, 10)));
  const events = await enqueue([...large, ...small], server.api);
  const posted = events.flatMap((event) => (event.type === 'request-posted' ? [event.files] : []));
  assert.deepEqual(posted.flat(), [...large, ...small]);
  assert.deepEqual(
    server.bodies.map(({ images }) => images),
    [2, 64, 2],
  );
  for (const { bytes } of server.bodies) assert.ok(bytes <= imageLimits.requestBytes, String(bytes));
});

test('a file that cannot be read fails alone', async () => {
  await using server = await acceptingApi();
  const [good, tooLarge, missing] = [
    await file('good.jpg', 10),
    await file('too-large.jpg', imageLimits.bytes + 1),
    join(scratch, 'missing.jpg'),
  ];
  const events = await enqueue([missing, good, tooLarge], server.api);
  assert.deepEqual(
    events.map((event) => (event.type === 'image-failed' ? [event.file, event.error.code] : event.files)),
    [[missing, 'SOURCE_NOT_FOUND'], [tooLarge, 'IMAGE_TOO_LARGE'], [good]],
  );
});

test('a server that is no Captionfleet API is said to be none, whatever it answers', async () => {
  const answers: readonly RequestListener[] = [
    (_, response) => response.end('<html>'),
    (_, response) => response.end('{"hello":1}'),
    (_, response) => response.writeHead(404).end('nothing here'),
    (_, response) => response.writeHead(500).end('{"code":"x"}'),
  ];
  const good = await file('good.jpg', 10);
  for (const answer of answers) {
    await using server = await serve(answer);
    await assert.rejects(enqueue([good], server.api), { code: 'CONFIG_INVALID', message: /not a Captionfleet API/ });
  }
  await assert.rejects(enqueue([good], 'localhost:8080'), { code: 'OPTION_INVALID', message: /^--api: / });
});

// A whole fleet of real processes: what it says of itself, a stream of events, a webhook, a deadline.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Webhook as Verifier } from 'standardwebhooks';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { postCaptions, waitFor } from '../support/http.ts';
import { makePicture } from '../support/pictures.ts';

const received: { headers: Record<string, string>; body: string }[] = [];
const receiver = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  received.push({ headers, body: Buffer.concat(chunks).toString('utf8') });
  response.writeHead(204).end();
}).listen(0, '127.0.0.1');
let fleet: TestFleet;
let host: string;
before(async () => {
  if (!receiver.listening) await once(receiver, 'listening');
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  fleet = await startFleet({ workers: 1, env: { CAPTIONFLEET_WEBHOOK_PRIVATE_HOSTS: host } });
});
after(async () => {
  await fleet?.[Symbol.asyncDispose]();
  receiver.closeAllConnections();
  receiver.close();
});

// biome-ignore lint/suspicious/noExplicitAny: the shapes are what is asserted.
const get = async (path: string): Promise<any> => await (await fetch(fleet.api.url + path)).json();

test('a request is streamed as it ends and told to its webhook, and the fleet says what it is', async () => {
  const rotated = await fetch(`${fleet.api.url}/v1/webhooks/default/rotate-secret`, { method: 'POST' });
  const { secret } = (await rotated.json()) as { secret: string };
  const images = await Promise.all(
    [1, 2, 3].map(async (seed) => ({ base64: (await makePicture(seed)).bytes.toString('base64') })),
  );
  const { status, body } = await postCaptions(fleet.api.url, { images, webhook: { url: `http://${host}/hook` } });
  assert.equal(status, 202, JSON.stringify(body));
  const { id } = body as { id: string };

  const stream = await fetch(`${fleet.api.url}/v1/captions/${id}/events`, { signal: AbortSignal.timeout(60_000) });
  const events = [...(await stream.text()).matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
  assert.deepEqual(events, ['image.succeeded', 'image.succeeded', 'image.succeeded', 'request.finished']);

  await waitFor('the webhook', 60_000, async () => received.length > 0);
  const [message] = received;
  assert.ok(message !== undefined);
  const { data } = new Verifier(secret).verify(message.body, message.headers) as { data: object };
  assert.deepEqual(data, await get(`/v1/captions/${id}`));

  const finished = await fetch(`${fleet.api.url}/v1/captions/${id}`);
  assert.match(finished.headers.get('server-timing') ?? '', /^queue;dur=.*inference;dur=.*total;dur=/);
  // A worker says something new every five seconds.
  await waitFor('a measured rate', 60_000, async () => (await get('/info')).models[0]?.imagesPerSecond > 0);
  const { data: models } = await get('/v1/models');
  assert.equal(models.length, 1);
  assert.equal(models[0].id, 'test/captioner');
  assert.deepEqual(models[0].tasks, ['caption']);
  assert.equal(models[0].workers, 1);
  assert.equal(typeof models[0].licence, 'string');
});

test('a deadline ends a request that no worker takes, and a worker that has stopped serves no model', async () => {
  const [worker] = fleet.workers;
  assert.ok(worker !== undefined);
  const images = [{ base64: (await makePicture(9)).bytes.toString('base64') }];
  await worker[Symbol.asyncDispose]();
  // Longer than one image takes at the rate that the first test left: else the deadline would be refused.
  const { status, body } = await postCaptions(fleet.api.url, { images }, { 'cancel-after': '10s' });
  assert.equal(status, 202, JSON.stringify(body));
  await waitFor(
    'the deadline',
    30_000,
    async () => (await get(`/v1/captions/${(body as { id: string }).id}`)).status === 'aborted',
  );
  await waitFor('the worker to be gone', 30_000, async () => (await get('/v1/models')).data.length === 0);
});

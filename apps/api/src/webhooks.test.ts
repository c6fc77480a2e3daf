// Webhooks from the end of a request to the receiver, which verifies them with the reference library of Standard Webhooks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import { openWebhookStore } from '@captionfleet/storage/webhook-store';
import { Webhook as Verifier } from 'standardwebhooks';
import {
  captionOf,
  eventually,
  inlineImage,
  startBackends,
  startTestApi,
  type TestApi,
  type TestBackends,
} from './test-api.ts';

let backends: TestBackends;
before(async () => {
  backends = await startBackends();
});
after(() => backends[Symbol.asyncDispose]());

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Receiver extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on. */
  answer: number;
}

async function startReceiver(answer = 204): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    received.push({ headers, body: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(receiver.answer, receiver.answer === 302 ? { location: `${receiver.url}/elsewhere` } : {}).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const receiver: Receiver = {
    host,
    url: `http://${host}/hook`,
    received,
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return receiver;
}

const call = async ({ app }: TestApi, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
  await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });

async function post(api: TestApi, body: object = {}, count = 1) {
  const images = Array.from({ length: count }, (_, index) => inlineImage(`image ${index}`));
  const answer = await call(api, 'POST', '/v1/captions', { images, ...body });
  assert.equal(answer.statusCode, 202, answer.body);
  return RequestIdSchema.parse(answer.json().id);
}

async function register(api: TestApi, body: object): Promise<{ id: string; secret: string }> {
  const answer = await call(api, 'POST', '/v1/webhooks', body);
  assert.equal(answer.statusCode, 201, answer.body);
  return answer.json();
}

/** Removes what other tests must not deliver to. */
const unregister = async (api: TestApi, id: string): Promise<void> => {
  assert.equal((await call(api, 'DELETE', `/v1/webhooks/${id}`)).statusCode, 204);
};

test('the end of a request reaches the URL that came with it, signed as the reference library wants it', async () => {
  await using receiver = await startReceiver();
  await using api = await startTestApi(backends, { allowPrivateHosts: [receiver.host] });
  const { secret } = (await call(api, 'POST', '/v1/webhooks/default/rotate-secret')).json();
  await using _consumer = await api.startWorker('interactive');
  const id = await post(api, { webhook: { url: receiver.url } }, 2);
  const { headers, body } = await eventually('the webhook', async () => receiver.received[0]);

  const message = new Verifier(secret).verify(body, headers) as {
    type: string;
    data: { id: string; images: object[] };
  };
  assert.equal(headers['webhook-id'], `msg_${id}`);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(message.type, 'request.succeeded');
  assert.deepEqual(message.data, (await api.app.inject(`/v1/captions/${id}`)).json());
  assert.throws(
    () => new Verifier(secret).verify(body.replace('image 0', 'image 9'), headers),
    /No matching signature/,
  );

  const [sent] = await eventually('the attempt', async () => {
    const { data } = (await call(api, 'GET', '/v1/webhooks/default/messages')).json();
    return data[0]?.delivering === false && data;
  });
  assert.equal(sent.attempts[0].status, 204);
  assert.equal(sent.attempts[0].outcome, 'succeeded');
  assert.equal(receiver.received.length, 1);
  assert.deepEqual(await backends.blobs.list('webhooks/pending/', { limit: 10 }), []);
  assert.deepEqual(await backends.blobs.list('webhooks/outbox/', { limit: 10 }), []);
});

test('an endpoint hears of the ends that it asked for, its secret is shown once, and two sign after a rotation', async () => {
  await using receiver = await startReceiver();
  await using api = await startTestApi(backends, { allowPrivateHosts: [receiver.host] });
  const { id: endpoint, secret } = await register(api, { url: receiver.url, events: ['request.aborted'] });
  const listed = await call(api, 'GET', '/v1/webhooks');
  assert.deepEqual(
    listed.json().data.map(({ id, url, events }: { id: string; url: string; events: string[] }) => [id, url, events]),
    [[endpoint, receiver.url, ['request.aborted']]],
  );
  assert.ok(!listed.body.includes('whsec_'));
  assert.ok(!(await call(api, 'GET', `/v1/webhooks/${endpoint}`)).body.includes('whsec_'));

  const done = await post(api);
  await backends.requests.writeOutcome(done, 0, captionOf({ index: 0 }));
  await eventually('the other end', async () => {
    await api.producer.abandon(done, [`${done}-0`]);
    return (await backends.blobs.list('webhooks/pending/', { limit: 10 })).length === 0;
  });
  const rotated = (await call(api, 'POST', `/v1/webhooks/${endpoint}/rotate-secret`)).json().secret;
  assert.notEqual(rotated, secret);
  const id = await post(api);
  assert.equal((await call(api, 'POST', `/v1/captions/${id}/cancel`)).json().status, 'aborted');
  const { headers, body } = await eventually('the webhook', async () => receiver.received[0]);
  assert.equal(receiver.received.length, 1);
  assert.equal(headers['webhook-id'], `msg_${id}_${endpoint}`);
  for (const valid of [rotated, secret]) {
    assert.equal((new Verifier(valid).verify(body, headers) as { type: string }).type, 'request.aborted');
  }
  await unregister(api, endpoint);
  assert.equal((await call(api, 'GET', `/v1/webhooks/${endpoint}`)).statusCode, 404);
});

test('CloudEvents are signed too, and have the members that CloudEvents must have', async () => {
  await using receiver = await startReceiver();
  await using api = await startTestApi(backends, { allowPrivateHosts: [receiver.host] });
  const { id: endpoint, secret } = await register(api, { url: receiver.url, format: 'cloudevents' });
  await using _consumer = await api.startWorker('interactive');
  const id = await post(api);
  const { headers, body } = await eventually('the webhook', async () => receiver.received[0]);
  assert.match(headers['content-type'] ?? '', /^application\/cloudevents\+json/);
  new Verifier(secret).verify(body, headers);
  const { data, time, ...attributes } = JSON.parse(body);
  assert.deepEqual(attributes, {
    specversion: '1.0',
    id: `msg_${id}_${endpoint}`,
    source: 'urn:captionfleet',
    type: 'captionfleet.request.succeeded',
    subject: id,
    datacontenttype: 'application/json',
  });
  assert.ok(Number.isFinite(Date.parse(time)));
  assert.equal(data.id, id);
  await unregister(api, endpoint);
});

test('a delivery goes on after its process stopped and Redis lost everything, no sooner than it is due', async () => {
  await using receiver = await startReceiver(500);
  const allowPrivateHosts = [receiver.host];
  let id: string;
  {
    await using api = await startTestApi(backends, { allowPrivateHosts });
    await using _consumer = await api.startWorker('interactive');
    id = await post(api, { webhook: { url: receiver.url } });
    await eventually('the first attempt to be noted', async () => {
      const { data } = (await call(api, 'GET', '/v1/webhooks/default/messages?limit=1')).json();
      return data[0]?.requestId === id && data[0].attempts.length === 1;
    });
  }
  receiver.answer = 200;
  // Queues of another name are as empty as those of a Redis that lost everything.
  await using api = await startTestApi(backends, { allowPrivateHosts });
  const message = await eventually('the delivery', async () => {
    const { data } = (await call(api, 'GET', '/v1/webhooks/default/messages?limit=1')).json();
    return data[0]?.delivering === false && data[0];
  });
  const [first, second] = message.attempts;
  assert.deepEqual([first.outcome, first.status, second.outcome, second.status], ['failed', 500, 'succeeded', 200]);
  assert.ok(Date.parse(second.at) >= Date.parse(first.nextAt), `${second.at} < ${first.nextAt}`);
  assert.ok(Date.parse(first.nextAt) - Date.parse(first.at) >= 5_000);
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  assert.deepEqual(ids, [`msg_${id}`, `msg_${id}`]);
});

test('an end that no process was there to notice is announced by the next one', async () => {
  await using receiver = await startReceiver();
  const allowPrivateHosts = [receiver.host];
  let id = '';
  {
    await using api = await startTestApi(backends, { allowPrivateHosts });
    id = await post(api, { webhook: { url: receiver.url } });
  }
  await backends.requests.writeOutcome(id, 0, captionOf({ index: 0 }));
  await using _api = await startTestApi(backends, { allowPrivateHosts });
  const { headers } = await eventually('the webhook', async () => receiver.received[0]);
  assert.equal(headers['webhook-id'], `msg_${id}`);
});

test('410 disables an endpoint until it is enabled, and a replay delivers again what it was sent', async () => {
  await using receiver = await startReceiver(410);
  await using api = await startTestApi(backends, { allowPrivateHosts: [receiver.host] });
  const { id: endpoint } = await register(api, { url: receiver.url });
  await using _consumer = await api.startWorker('interactive');
  const id = await post(api);
  const disabled = await eventually('the endpoint to be disabled', async () => {
    const shown = (await call(api, 'GET', `/v1/webhooks/${endpoint}`)).json();
    return shown.disabled !== undefined && shown;
  });
  assert.match(disabled.disabled.reason, /410/);
  receiver.answer = 200;
  const enabled = await call(api, 'POST', `/v1/webhooks/${endpoint}/enable`);
  assert.equal(enabled.json().disabled, undefined);

  const replay = (body: object) => call(api, 'POST', `/v1/webhooks/${endpoint}/replay`, body);
  await eventually('the end of the first round', async () => {
    const { replayed } = (await replay({ message: `msg_${id}_${endpoint}` })).json();
    return replayed === 1;
  });
  await eventually('the second delivery', async () => receiver.received.length === 2);
  const { data } = await eventually('both attempts', async () => {
    const answer = (await call(api, 'GET', `/v1/webhooks/${endpoint}/messages`)).json();
    return answer.data[0].attempts.length === 2 && !answer.data[0].delivering && answer;
  });
  assert.deepEqual(
    data[0].attempts.map(({ status }: { status: number }) => status),
    [410, 200],
  );
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  assert.deepEqual((await replay({ since: hourAgo })).json(), { replayed: 1 });
  assert.deepEqual((await replay({ since: '2020-01-01T00:00:00Z', until: '2020-01-02T00:00:00Z' })).json(), {
    replayed: 0,
  });
  await eventually('the third delivery', async () => receiver.received.length === 3);
  assert.equal((await replay({ message: 'msg_01arz3ndektsv4rrffq69g5fav' })).statusCode, 404);
  assert.equal((await replay({})).statusCode, 400);
  await unregister(api, endpoint);
});

test('a redirect is a failure and is not followed', async () => {
  await using receiver = await startReceiver(302);
  await using api = await startTestApi(backends, { allowPrivateHosts: [receiver.host] });
  await using _consumer = await api.startWorker('interactive');
  const id = await post(api, { webhook: { url: receiver.url } });
  const attempt = await eventually('the attempt', async () => {
    const { data } = (await call(api, 'GET', '/v1/webhooks/default/messages?limit=1')).json();
    return data[0]?.requestId === id && data[0].attempts[0];
  });
  assert.deepEqual([attempt.outcome, attempt.status], ['failed', 302]);
  assert.equal(receiver.received.length, 1);
  await openWebhookStore(backends.blobs).removeOutbox({ tenant: 'default', endpoint: 'default', requestId: id });
});

test('a URL that the fleet will not call is refused when it is given, and an address behind a name when it is called', async () => {
  await using api = await startTestApi(backends);
  for (const url of [
    'http://hooks.example.org/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://a.example.org:8443/',
    'x',
  ]) {
    const registered = await call(api, 'POST', '/v1/webhooks', { url });
    assert.equal(registered.statusCode, 422, url);
    assert.equal(registered.json().code, 'URL_REFUSED', url);
    const posted = await call(api, 'POST', '/v1/captions', { images: [inlineImage('a')], webhook: { url } });
    assert.equal(posted.statusCode, 422, url);
  }
  const wrong = await call(api, 'POST', '/v1/webhooks', {
    url: 'https://hooks.example.org/',
    events: ['request.lost'],
  });
  assert.equal(wrong.statusCode, 400);
});

test('the OpenAPI document has the routes of webhooks', async () => {
  await using api = await startTestApi(backends);
  const document = (await api.app.inject('/openapi.json')).json();
  const ids = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(([path, methods]) =>
    path.startsWith('/v1/webhooks') ? Object.values(methods).map(({ operationId }) => operationId) : [],
  );
  assert.deepEqual(ids.sort(), [
    'createWebhook',
    'deleteWebhook',
    'enableWebhook',
    'getWebhook',
    'listWebhookMessages',
    'listWebhooks',
    'replayWebhook',
    'rotateWebhookSecret',
  ]);
  const created = document.paths['/v1/webhooks'].post.responses;
  assert.ok(created['201'].content['application/json'].schema.properties.secret);
  assert.ok(created['409'] && created['422']);
});

test('nothing is written for a request that nobody wants to hear of', async () => {
  await using api = await startTestApi(backends);
  await eventually('the end of other tests', async () => {
    const { data } = (await call(api, 'GET', '/v1/webhooks')).json();
    return data.length === 0;
  });
  const before = await backends.blobs.list('webhooks/', { limit: 1_000 });
  await using _consumer = await api.startWorker('interactive');
  const id = await post(api);
  await eventually('the end', async () => (await api.app.inject(`/v1/captions/${id}`)).json().status === 'succeeded');
  assert.deepEqual(await backends.blobs.list('webhooks/', { limit: 1_000 }), before);
});

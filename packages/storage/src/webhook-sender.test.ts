import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openWebhookSender } from './webhook-sender.ts';

const never = new AbortController().signal;
const message = { headers: {}, body: '{}' };

test('a name that leads to a private address is not called', async () => {
  let connections = 0;
  const server = createServer().listen(0, '127.0.0.1');
  server.on('connection', () => {
    connections += 1;
  });
  await once(server, 'listening');
  const resolve = async () => [
    { address: '93.184.215.14', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  await using sender = openWebhookSender({ resolve });
  const { status, reason } = await sender.post('https://hooks.example.org/', message, never);
  assert.equal(status, undefined);
  assert.match(reason ?? '', /leads to 127\.0\.0\.1, not a public address/);
  assert.equal(connections, 0);
  server.close();
});

test('a receiver that does not answer in time is a failure, and a stop is no failure of its own', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using sender = openWebhookSender({ allowPrivateHosts: [host], deadlineMs: 200 });
  assert.deepEqual(await sender.post(`http://${host}/`, message, never), { reason: 'no answer within 200 ms' });
  const reason = new Error('stopping');
  await assert.rejects(sender.post(`http://${host}/`, message, AbortSignal.abort(reason)), reason);
  server.closeAllConnections();
  server.close();
});

test('the seconds of Retry-After are told, and a receiver that refuses connections is a failure with a code', async () => {
  const server = createServer((_, response) => {
    response.writeHead(503, { 'retry-after': '120' }).end('x'.repeat(100_000));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using sender = openWebhookSender({ allowPrivateHosts: [host] });
  assert.deepEqual(await sender.post(`http://${host}/`, message, never), { status: 503, retryAfter: 120 });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(await sender.post(`http://${host}/`, message, never), { reason: 'the call failed: ECONNREFUSED' });
});

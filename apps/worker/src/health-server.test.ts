import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openHealthServer } from './health-server.ts';

const scrape = async (accept: string | undefined) => ({
  contentType: 'text/plain',
  body: `captionfleet_images_in_flight 0\n# ${accept}\n`,
});

const open = (checks: Parameters<typeof openHealthServer>[0]['checks'] = {}, port = 0) =>
  openHealthServer({ host: '127.0.0.1', port, allowedHosts: ['worker'], checks, scrape });

test('readyz is 200 while every check passes, and else names those that do not', async () => {
  let isModelReady = false;
  await using server = await open({
    model: async () => {
      if (!isModelReady) throw new Error('not yet');
    },
    blob: async () => undefined,
  });
  const before = await fetch(`${server.url}/readyz`);
  assert.equal(before.status, 503);
  assert.deepEqual(await before.json(), { status: 'unready', failing: ['model'] });
  isModelReady = true;
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
});

test('a check that does not answer is one that fails, and livez does not ask it', async () => {
  await using server = await open({ redis: () => new Promise(() => undefined) });
  const ready = fetch(`${server.url}/readyz`);
  assert.equal((await fetch(`${server.url}/livez`)).status, 200);
  assert.deepEqual(await (await ready).json(), { status: 'unready', failing: ['redis'] });
});

test('metrics are given, other routes and methods are not', async () => {
  await using server = await open();
  const answer = await fetch(`${server.url}/metrics`, { headers: { accept: 'text/plain' } });
  assert.equal(await answer.text(), 'captionfleet_images_in_flight 0\n# text/plain\n');
  assert.equal((await fetch(`${server.url}/`)).status, 404);
  assert.equal((await fetch(`${server.url}/livez`, { method: 'POST' })).status, 404);
  assert.equal((await fetch(`${server.url}/constructor`)).status, 404);
});

test('it answers to addresses, localhost and its own names, and to no other name that a browser was led here by', async () => {
  await using server = await open();
  const { port } = new URL(server.url);
  const ask = async (host: string): Promise<string> => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return (await text(socket)).slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
  };
  for (const host of [`127.0.0.1:${port}`, 'localhost', 'worker:9400']) assert.equal(await ask(host), '200', host);
  for (const host of ['attacker.example.org', `attacker.example.org:${port}`])
    assert.equal(await ask(host), '403', host);
});

test('closing does not wait for a caller that stays connected', async () => {
  const server = await open();
  const half = connect(Number(new URL(server.url).port), '127.0.0.1');
  half.write('GET /livez HTTP/1.1\r\n');
  await fetch(`${server.url}/livez`);
  const cut = once(half, 'close');
  await server[Symbol.asyncDispose]();
  await cut;
});

test('a port in use is CONFIG_INVALID', async () => {
  await using server = await open();
  const port = Number(new URL(server.url).port);
  await assert.rejects(open({}, port), { code: 'CONFIG_INVALID', message: /CAPTIONFLEET_HEALTH_PORT \d+ is in use/ });
});

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startAzurite } from './azurite.ts';
import { startRedis } from './redis.ts';

test('the Redis of a test answers, and is gone after disposal', async () => {
  const redis = await startRedis();
  const { hostname, port } = new URL(redis.url);
  await ask(hostname, Number(port));
  await redis[Symbol.asyncDispose]();
  await assert.rejects(ask(hostname, Number(port)));
});

test('the Blob storage of a test answers, and is gone after disposal', async () => {
  const azurite = await startAzurite();
  const endpoint = /BlobEndpoint=([^;]+)/.exec(azurite.connectionString)?.[1];
  assert.ok(endpoint);
  const answer = await fetch(`${endpoint}?comp=list`);
  assert.equal(answer.headers.get('x-ms-request-id') !== null, true);
  await azurite[Symbol.asyncDispose]();
  await assert.rejects(fetch(`${endpoint}?comp=list`));
});

function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write('PING\r\n'));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}

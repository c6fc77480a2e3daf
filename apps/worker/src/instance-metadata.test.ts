import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { CaptionfleetError } from '@captionfleet/protocol/errors';
import { createLogger } from '@captionfleet/telemetry/logger';
import { spotInstance, startAzureMetadata } from '../../../test/support/azure-metadata.ts';
import { askInstance, type Instance, readInstance } from './instance-metadata.ts';
import { openMetadataClient } from './metadata-client.ts';

const { signal } = new AbortController();
const ask = (url: string) => readInstance(openMetadataClient({ url, isExpected: true }), { signal });

test('an instance of a spot scale set says what it is', async () => {
  await using metadata = await startAzureMetadata();
  assert.deepEqual(await ask(metadata.url), {
    name: 'workers_7',
    vmId: '02aab8a4-74ef-476e-8182-f6d2ba4166a6',
    vmSize: 'Standard_D4as_v5',
    location: 'westeurope',
    zone: '2',
    scaleSet: 'workers',
    priority: 'Spot',
    resourceId: spotInstance.resourceId,
  } satisfies Instance);
});

test('what is empty does not apply', async () => {
  await using metadata = await startAzureMetadata({ ...spotInstance, zone: '', vmScaleSetName: '', priority: '' });
  const { name, priority, ...rest } = await ask(metadata.url);
  assert.deepEqual({ name, priority }, { name: 'workers_7', priority: 'Regular' });
  assert.deepEqual(Object.keys(rest).sort(), ['location', 'resourceId', 'vmId', 'vmSize']);
});

const bad: readonly (readonly [what: string, answer: RequestListener, message: RegExp])[] = [
  [
    'redirect',
    (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    /answered with status 302$/,
  ],
  ['error', (_, response) => void response.writeHead(429).end('{}'), /answered with status 429$/],
  ['page', (_, response) => void response.end('<html>'), /answered with something that is not JSON$/],
  ['empty answer', (_, response) => void response.end(), /answered with an instance of another form$/],
  [
    'other form',
    (_, response) => void response.end('{"name":"workers_7"}'),
    /answered with an instance of another form$/,
  ],
  ['flood', (_, response) => void response.end(Buffer.alloc(2 ** 21, ' ')), /answered with more than 1048576 bytes$/],
  ['reset', (request) => void request.destroy(), /failed: ECONNRESET$/],
  ['silence', () => undefined, /did not answer within 1000 ms$/],
  ['half an answer', (_, response) => void response.write('{'), /did not answer within 1000 ms$/],
];
for (const [what, answer, message] of bad) {
  test(`no instance is made of an answer that is none: ${what}`, async () => {
    await using metadata = await startAzureMetadata();
    metadata.answerWith(answer);
    await assert.rejects(ask(metadata.url), (error: CaptionfleetError) => {
      assert.equal(error.code, 'METADATA_UNAVAILABLE');
      assert.match(error.message, message);
      return true;
    });
  });
}

test('the service is never asked through a proxy, whatever the environment says', async () => {
  await using metadata = await startAzureMetadata();
  const client = new URL('./metadata-client.ts', import.meta.url);
  const program = `const { openMetadataClient } = await import(${JSON.stringify(client)});
    const question = { path: '/metadata/instance/compute', apiVersion: '2021-02-01', timeoutMs: 5000, signal: AbortSignal.timeout(5000) };
    console.log((await openMetadataClient({ url: process.argv[1] })(question)).name);`;
  const proxy = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: 'http://127.0.0.1:1' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, metadata.url], {
    env: { PATH: process.env['PATH'], ...proxy },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.equal(await text(child.stdout), 'workers_7\n');
});

test('where nobody is expected to answer, silence costs a second and no line of the log', async () => {
  await using metadata = await startAzureMetadata();
  metadata.answerWith(() => undefined);
  using stop = new DisposableStack();
  const stopping = new AbortController();
  stop.defer(() => stopping.abort());
  const client = openMetadataClient({ url: metadata.url, isExpected: false });
  const lines: string[] = [];
  const logger = createLogger({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const started = performance.now();
  const options = { logger, signal: stopping.signal };
  assert.equal(await askInstance(client, { isExpected: false }, options).early, undefined);
  assert.ok(performance.now() - started < 3_000);
  assert.deepEqual(lines, []);
  assert.equal(await askInstance(client, { isExpected: true }, options).early, undefined);
  assert.match(lines.join(), /METADATA_UNAVAILABLE/);
});

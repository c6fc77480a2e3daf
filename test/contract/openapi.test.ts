// Schemathesis makes requests from the OpenAPI document, good and bad ones, and holds every answer of a whole fleet against it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoCheckpoint, demoSamples } from '../../apps/cli/src/state-directory.ts';
import { newApiKey } from '../support/api-key.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { type ImageHost, startImageHost } from '../support/image-host.ts';
import { pythonEnvironment, runPython } from '../support/python-environment.ts';

const here = (file: string): string => new URL(`openapi/${file}`, import.meta.url).pathname;

let schemathesis: string;
let images: ImageHost;
let fleet: TestFleet;
let scratch: string;
let key: string;

before(async () => {
  schemathesis = join(
    dirname(await pythonEnvironment('openapi', here('schemathesis-requirements.txt'))),
    'schemathesis',
  );
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-openapi-'));
  images = await startImageHost(demoSamples);
  const env = {
    CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host,
    CAPTIONFLEET_TASKS: 'caption,match,answer',
    CAPTIONFLEET_AUTH: 'keys',
    CAPTIONFLEET_REQUESTS_PER_SECOND: '0',
  };
  fleet = await startFleet({ workers: 1, checkpoint: demoCheckpoint, env });
  key = await newApiKey(fleet);
});
after(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await images?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

/** Runs the checks; throws with what was found. */
const check = (document: string, ...options: readonly string[]): Promise<string> =>
  runPython(
    schemathesis,
    [
      '--config-file',
      here('schemathesis.toml'),
      'run',
      document,
      '--no-color',
      '--continue-on-failure',
      '--header',
      `Authorization: Bearer ${key}`,
      ...options,
    ],
    {
      directory: scratch,
      env: {
        PYTHONPATH: here(''),
        SCHEMATHESIS_HOOKS: 'hooks',
        CAPTIONFLEET_IMAGE_URLS: JSON.stringify([`${images.url}/boat-on-the-water.jpg`]),
      },
    },
  );

/** How many operations the document has, and how many were tested. */
function countTested(output: string): { selected: number; tested: number } {
  const count = (pattern: RegExp): number => Number(pattern.exec(output)?.[1]);
  return { selected: count(/Selected: (\d+)\//), tested: count(/Tested: (\d+)/) };
}

/** Captions in the form of Azure are waited for, and so come before the work that the other routes leave to the worker. */
const filters = [
  ['--include-path-regex', '^/computervision/', '--max-examples', '15'],
  ['--exclude-path-regex', '^/computervision/', '--max-examples', '15'],
] as const;

for (const filter of filters) {
  test(`no 5xx, no answer that the document does not have, and none without a key: ${filter.join(' ')}`, async () => {
    const output = await check(`${fleet.api.url}/openapi.json`, ...filter);
    const { selected, tested } = countTested(output);
    assert.ok(tested >= 1 && tested === selected, output);
  });
}

test('an answer that the document does not have is found', async () => {
  const document = await (await fetch(`${fleet.api.url}/openapi.json`)).text();
  const server = createServer((request, response) => {
    const isDocument = request.url === '/openapi.json';
    response.setHeader('content-type', 'application/json');
    response.end(isDocument ? document : '{"status":"asleep"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const run = check(`http://127.0.0.1:${port}/openapi.json`, '--include-path', '/livez', '--max-examples', '1');
    await assert.rejects(run, /Response violates schema/);
  } finally {
    server.close();
  }
});

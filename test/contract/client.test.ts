// packages/client as it is published, in the oldest Node that it promises and in a browser; and the programs of the docs, as printed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { demoCheckpoint, demoSamples } from '../../apps/cli/src/state-directory.ts';
import { newApiKey } from '../support/api-key.ts';
import { installClient } from '../support/built-client.ts';
import { findChromium } from '../support/chromium.ts';
import { announce } from '../support/containers.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { type ImageHost, startImageHost } from '../support/image-host.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const sample = 'boat-on-the-water.jpg';
const caption = JSON.parse(await readFile(join(demoSamples, 'captions.json'), 'utf8'))[sample];

let images: ImageHost;
let fleet: TestFleet;
let browser: Browser;
let pages: Server;
let origin: string;
let scratch: string;
let env: NodeJS.ProcessEnv;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-client-'));
  installClient(scratch);
  images = await startImageHost(demoSamples);
  pages = createServer(async ({ url = '' }, response) => {
    const file = url === '/' ? undefined : join(scratch, url);
    response.setHeader('content-type', file === undefined ? 'text/html' : 'text/javascript');
    response.end(file === undefined ? page : await readFile(file).catch(() => ''));
  }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  fleet = await startFleet({
    workers: 1,
    checkpoint: demoCheckpoint,
    env: {
      CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host,
      CAPTIONFLEET_AUTH: 'keys',
      CAPTIONFLEET_CORS_ORIGINS: origin,
    },
  });
  env = {
    ...process.env,
    CAPTIONFLEET_URL: fleet.api.url,
    CAPTIONFLEET_KEY: await newApiKey(fleet),
    IMAGE_URL: `${images.url}/${sample}`,
  };
  browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  await fleet?.[Symbol.asyncDispose]();
  await images?.[Symbol.asyncDispose]();
  pages?.close();
  await rm(scratch, { recursive: true, force: true });
});

/** Finds the modules of the client by the names that it imports them by. */
const page = `<!doctype html><script type="importmap">${JSON.stringify({
  imports: {
    '@captionfleet/client': '/node_modules/@captionfleet/client/dist/captionfleet.js',
    'openapi-fetch': '/node_modules/openapi-fetch/dist/index.mjs',
  },
})}</script>`;

/** The only program in a language that a page of the docs has. */
async function programOf(language: string): Promise<string> {
  const text = await readFile(join(root, 'docs/reference/client.md'), 'utf8');
  const programs = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))];
  assert.equal(programs.length, 1, language);
  return programs[0]?.[1] ?? '';
}

/** Writes a program beside the client's package, and gives what it prints. */
async function printed(command: string, file: string, program: string): Promise<string> {
  await writeFile(join(scratch, file), program);
  const { stdout } = await run(command, [file], { cwd: scratch, env, timeout: 60_000 });
  return stdout.trim();
}

test('the TypeScript of the docs captions an image', async () => {
  assert.equal(await printed(process.execPath, 'program.ts', await programOf('ts')), caption);
});

test('the TypeScript of the docs passes the compiler under the strictest settings', async () => {
  await writeFile(join(scratch, 'program.ts'), await programOf('ts'));
  await run(join(root, 'node_modules/.bin/tsc'), [
    ...[
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
      '--skipLibCheck',
    ],
    ...['--module', 'nodenext', '--target', 'esnext', '--types', 'node', '--typeRoots', `${root}node_modules/@types`],
    join(scratch, 'program.ts'),
  ]);
});

test('the Python of the docs captions an image', async () => {
  assert.equal(await printed('python3', 'program.py', await programOf('python')), caption);
});

test('the curl of the docs captions an image', async () => {
  const { images: found } = JSON.parse(await printed('sh', 'program.sh', await programOf('sh')));
  assert.equal(found[0].captions[0].text, caption);
});

test('Node 18 captions bytes that it streams', async () => {
  const program = `
    import { readFile } from 'node:fs/promises';
    import { captionfleet } from '@captionfleet/client';
    const fleet = captionfleet({ baseUrl: process.env.CAPTIONFLEET_URL, apiKey: process.env.CAPTIONFLEET_KEY });
    const { images } = await fleet.caption([await readFile(process.argv[2] ?? ${JSON.stringify(join(demoSamples, sample))})]);
    console.log(process.versions.node.split('.')[0], images[0].captions[0].text);
  `;
  assert.equal(await printed(await node18(), 'program.mjs', program), `18 ${caption}`);
});

/** Captions the sample from a page, and gives what it says or the code of the error. */
const captionFrom = async (from: string, deadlineMs: number): Promise<string> => {
  const tab = await browser.newPage();
  try {
    await tab.goto(from);
    return await tab.evaluate(
      async ({ bytes, ...options }) => {
        const { captionfleet } = await import('@captionfleet/client' as string);
        const fleet = captionfleet(options);
        const image = new File([new Uint8Array(bytes)], 'sample.jpg');
        const call = fleet.caption([{ customId: 'é', bytes: image }], { signal: new AbortController().signal });
        return await call.then(
          ({ images: [first] }: { images: { captions: { text: string }[]; customId: string }[] }) =>
            `${first?.customId} ${first?.captions[0]?.text}`,
          ({ code, name }: { code?: string; name: string }) => code ?? name,
        );
      },
      {
        baseUrl: fleet.api.url,
        deadlineMs,
        apiKey: env['CAPTIONFLEET_KEY'] ?? '',
        bytes: [...(await readFile(join(demoSamples, sample)))],
      },
    );
  } finally {
    await tab.close();
  }
};

test('a page of an origin that the fleet names captions a file', async () => {
  assert.equal(await captionFrom(`${origin}/`, 20_000), `é ${caption}`);
});

test('a page of another origin cannot', async () => {
  assert.equal(await captionFrom(`${origin.replace('127.0.0.1', 'localhost')}/`, 2_000), 'NETWORK');
});

test('the page for readers shows every operation, asks no other host, and breaks none of its own policy', async () => {
  const tab = await browser.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  tab.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  tab.on('pageerror', (error) => complaints.push(String(error)));
  tab.on('request', (request) => void hosts.add(new URL(request.url()).host));
  await tab.goto(`${fleet.api.url}/docs`);
  await tab.waitForSelector('.opblock', { timeout: 30_000 });
  const document = await fetch(`${fleet.api.url}/openapi.json`);
  const { paths } = (await document.json()) as { paths: Record<string, object> };
  const operations = Object.values(paths).flatMap((methods) => Object.keys(methods));
  assert.equal(await tab.locator('.opblock').count(), operations.length);
  assert.deepEqual(complaints, []);
  hosts.delete('');
  assert.deepEqual([...hosts], [new URL(fleet.api.url).host]);
  await tab.close();
});

/** The last Node 18, installed once. */
async function node18(): Promise<string> {
  const directory = join(root, '.captionfleet/contract/node-18');
  const name = `node-${process.platform}-${process.arch}`;
  const node = join(directory, 'node_modules', name, 'bin/node');
  const isThere = await access(node).then(
    () => true,
    () => false,
  );
  if (isThere) return node;
  announce(`installing Node 18 into ${directory}`);
  await run('npm', ['install', '--prefix', directory, '--no-save', '--no-audit', '--no-fund', `${name}@18.20.8`]);
  return node;
}

// Microsoft's Python client for Azure AI Vision, unmodified, against a whole fleet: only the endpoint is another one.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoCheckpoint, demoSamples } from '../../apps/cli/src/state-directory.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { type ImageHost, startImageHost } from '../support/image-host.ts';
import { makePicture } from '../support/pictures.ts';
import { pythonEnvironment, runPython } from '../support/python-environment.ts';

const here = (file: string): string => new URL(file, import.meta.url).pathname;
const samples: Readonly<Record<string, string>> = JSON.parse(
  await readFile(join(demoSamples, 'captions.json'), 'utf8'),
);
const [sample = '', caption = ''] = Object.entries(samples)[0] ?? [];

interface Call {
  readonly file?: string;
  readonly url?: string;
  readonly features?: readonly string[];
  readonly options?: object;
  readonly token?: string;
}

let python: string;
let images: ImageHost;
let fleet: TestFleet;
let scratch: string;

before(async () => {
  python = await pythonEnvironment('vision', here('vision-requirements.txt'));
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-vision-'));
  images = await startImageHost(demoSamples);
  const env = { CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host };
  fleet = await startFleet({ workers: 1, checkpoint: demoCheckpoint, env });
});
after(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await images?.[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

async function analyze(...calls: readonly Call[]) {
  const input = JSON.stringify({ endpoint: fleet.api.url, calls });
  const results = JSON.parse(await runPython(python, [here('vision_client.py')], { input }));
  assert.equal(results.length, calls.length);
  return results;
}

test('every sample has its caption, by its bytes and by its URL', async () => {
  const names = Object.keys(samples);
  const results = await analyze(
    ...names.map((name) => ({ file: join(demoSamples, name) })),
    ...names.map((name) => ({ url: `${images.url}/${name}` })),
  );
  for (const [index, name] of [...names, ...names].entries()) {
    const { text, confidence, width, height, modelVersion, denseCaptions } = results[index];
    assert.equal(text, samples[name], JSON.stringify(results[index]));
    assert.ok(confidence > 0 && confidence <= 1);
    assert.ok(width >= 50 && height >= 50);
    assert.equal(modelVersion, 'test/captioner@test');
    assert.equal(denseCaptions, null);
  }
});

test('options go the way that the client writes them, and a token is as good as a key', async () => {
  const options = { language: 'en', gender_neutral_caption: true, model_version: 'latest' };
  const url = `${images.url}/${sample}`;
  const results = await analyze(
    { url, options },
    { url, options: { params: { key1: 'value1' } } },
    { url, token: 'any' },
  );
  for (const result of results) assert.equal(result.text, caption, JSON.stringify(result));
});

test('errors reach the program as the exceptions that it knows, with their codes', async () => {
  const noImage = join(scratch, 'no-image.txt');
  await writeFile(noImage, 'no image');
  const small = join(scratch, 'small.png');
  await writeFile(small, (await makePicture(1, 49, 60)).bytes);
  const large = join(scratch, 'large.jpg');
  await writeFile(large, Buffer.alloc(21 * 2 ** 20));
  const url = `${images.url}/${sample}`;
  const cases: readonly (readonly [call: Call, innererror: string | null, message: RegExp])[] = [
    [{ url: `${images.url}/no-such-image.jpg` }, null, /image url is not accessible/],
    [{ url: 'https://www.this.is.a.bad.url.invalid/for/sure.jpg' }, null, /image url is not accessible/],
    [{ url: 'data:image/png;base64,AAAA' }, null, /image url is not accessible/],
    [{ file: noImage }, 'InvalidImageFormat', /Image format is not valid/],
    [{ file: small }, 'InvalidImageSize', /smaller than 50 and larger than 16000/],
    [{ file: large }, null, /larger than 20971520 bytes/],
    [{ url, features: ['CAPTION', 'DENSE_CAPTIONS'] }, 'NotSupportedVisualFeature', /'denseCaptions'/],
    [{ url, options: { language: 'fr' } }, 'NotSupportedLanguage', /'fr'/],
    [{ url, options: { model_version: '2023-10-01' } }, 'InvalidModel', /'2023-10-01'/],
  ];
  const results = await analyze(...cases.map(([call]) => call));
  for (const [index, [call, innererror, message]] of cases.entries()) {
    const result = results[index];
    const what = JSON.stringify({ call, result });
    assert.equal(result.error, 'HttpResponseError', what);
    assert.deepEqual([result.status, result.code, result.innererror], [400, 'InvalidRequest', innererror], what);
    assert.match(result.message, message, what);
  }
});

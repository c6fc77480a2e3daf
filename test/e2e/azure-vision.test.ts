// Microsoft's own client for Azure AI Vision, unmodified, against a whole fleet: only the endpoint is another one.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import vision, { type ImageAnalysisClient, isUnexpected } from '@azure-rest/ai-vision-image-analysis';
import { demoCheckpoint, demoSamples } from '../../apps/cli/src/state-directory.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { type ImageHost, startImageHost } from '../support/image-host.ts';
import { makePicture } from '../support/pictures.ts';

// The package is CommonJS: its default export is a member of what an import gives.
const { default: createClient } = vision;

const samples: Readonly<Record<string, string>> = JSON.parse(
  await readFile(join(demoSamples, 'captions.json'), 'utf8'),
);
const [sample = '', caption = ''] = Object.entries(samples)[0] ?? [];

let images: ImageHost;
let fleet: TestFleet;
let client: ImageAnalysisClient;

before(async () => {
  images = await startImageHost(demoSamples);
  const env = { CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host };
  fleet = await startFleet({ workers: 1, checkpoint: demoCheckpoint, env });
  client = createClient(
    fleet.api.url,
    { key: 'any' },
    { allowInsecureConnection: true, retryOptions: { maxRetries: 0 } },
  );
});
after(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await images?.[Symbol.asyncDispose]();
});

const byUrl = (url: string, queryParameters: Record<string, unknown> = {}) =>
  client.path('/imageanalysis:analyze').post({
    contentType: 'application/json',
    body: { url },
    queryParameters: { features: ['Caption'], ...queryParameters },
  });
const byBytes = (body: Uint8Array, features = ['Caption']) =>
  client.path('/imageanalysis:analyze').post({
    contentType: 'application/octet-stream',
    body,
    queryParameters: { features },
  });

test('an image by its URL has its caption', async () => {
  const answer = await byUrl(`${images.url}/${sample}`, { language: 'en', 'model-version': 'latest' });
  assert.ok(!isUnexpected(answer), JSON.stringify(answer.body));
  const { captionResult, metadata, modelVersion } = answer.body;
  assert.equal(captionResult?.text, caption);
  assert.ok(captionResult.confidence > 0 && captionResult.confidence <= 1, String(captionResult.confidence));
  assert.ok(metadata.width >= 50 && metadata.height >= 50);
  assert.equal(modelVersion, 'test/captioner@test');
});

test('every sample by its bytes has its caption', async () => {
  for (const [name, wanted] of Object.entries(samples)) {
    const answer = await byBytes(await readFile(join(demoSamples, name)));
    assert.ok(!isUnexpected(answer), JSON.stringify(answer.body));
    assert.equal(answer.body.captionResult?.text, wanted, name);
  }
});

test('an error is one to the client, with its code', async () => {
  const missing = await byUrl(`${images.url}/no-such-image.jpg`);
  assert.ok(isUnexpected(missing));
  assert.equal(missing.status, '400');
  assert.equal(missing.headers['x-ms-error-code'], 'InvalidRequest');
  assert.match(missing.body.error.message, /^The provided image url is not accessible\. /);

  const guarded = await byUrl('http://127.0.0.1:1/a.jpg');
  assert.ok(isUnexpected(guarded));
  assert.match(guarded.body.error.message, /^The provided image url is not accessible\. /);

  const noImage = await byBytes(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  assert.ok(isUnexpected(noImage));
  assert.equal(noImage.body.error.innererror?.code, 'InvalidImageFormat');

  const small = await byBytes((await makePicture(1, 49, 60)).bytes);
  assert.ok(isUnexpected(small));
  assert.equal(small.body.error.innererror?.code, 'InvalidImageSize');

  const tags = await byUrl(`${images.url}/${sample}`, { features: ['Caption', 'Tags'] });
  assert.ok(isUnexpected(tags));
  assert.equal(tags.body.error.innererror?.code, 'NotSupportedVisualFeature');
});

test('a large image that is refused has been sent whole, so that its sender reads why', async () => {
  const tooLarge = await byBytes(Buffer.alloc(21 * 2 ** 20));
  assert.ok(isUnexpected(tooLarge));
  assert.match(tooLarge.body.error.message, /^The image size is not allowed/);

  const tags = await byBytes(Buffer.alloc(20 * 2 ** 20), ['tags']);
  assert.ok(isUnexpected(tags));
  assert.equal(tags.body.error.innererror?.code, 'NotSupportedVisualFeature');
});

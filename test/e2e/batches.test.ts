// OpenAI's JavaScript client, unmodified, drives batches on a whole fleet with the demo model.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import OpenAI, { toFile } from 'openai';
import { startApi } from '../../apps/cli/src/local-app.ts';
import { findFreePort } from '../../apps/cli/src/local-process.ts';
import { countBlobs } from '../support/blobs.ts';
import { envOf, goldenDirectory, startFleet } from '../support/fleet.ts';
import { postCaptions, waitFor } from '../support/http.ts';

type Batch = OpenAI.Batches.Batch;

const checkpoint = new URL('../../models/demo/checkpoint', import.meta.url).pathname;
const picture = async (name: string) => ({
  base64: (await readFile(join(goldenDirectory, 'images', name))).toString('base64'),
});

const clientOf = (url: string) => new OpenAI({ apiKey: 'none', baseURL: `${url}/v1` });

async function create(client: OpenAI, lines: readonly object[]): Promise<Batch> {
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  const file = await client.files.create({ file: await toFile(Buffer.from(text), 'images.jsonl'), purpose: 'batch' });
  // The types of the client know OpenAI's endpoints only.
  const endpoint = '/v1/captions' as unknown as '/v1/responses';
  return await client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' });
}

async function waitForEnd(client: OpenAI, { id }: Batch): Promise<Batch> {
  let batch: Batch | undefined;
  await waitFor(`batch ${id} to end`, 180_000, async () => {
    batch = await client.batches.retrieve(id);
    return ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status);
  });
  if (batch === undefined) throw new Error('unreachable: waitFor returned without a batch');
  return batch;
}

const readLines = async (client: OpenAI, id: string | undefined) =>
  (await (await client.files.content(id ?? '')).text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const lineOf = (customId: string, body: object) => ({ custom_id: customId, method: 'POST', url: '/v1/captions', body });

test('images go in by a file and their captions come out in one, as a request of them answers', async () => {
  await using fleet = await startFleet({ workers: 1, checkpoint });
  const client = clientOf(fleet.api.url);
  const image = await picture('01-landscape.jpg');
  const options = { max_new_tokens: 8 };
  const damaged = { base64: Buffer.from('this is no image').toString('base64') };
  const created = await create(client, [
    lineOf('landscape', { images: [image], options }),
    lineOf('damaged', { images: [damaged] }),
    lineOf('default', { images: [image] }),
  ]);
  const batch = await waitForEnd(client, created);
  assert.equal(batch.status, 'completed', JSON.stringify(batch));
  assert.deepEqual(batch.request_counts, { total: 3, completed: 2, failed: 1 });
  const output = await readLines(client, batch.output_file_id);
  assert.deepEqual(
    output.map(({ custom_id: customId, response }) => [customId, response.status_code]),
    [
      ['landscape', 200],
      ['default', 200],
    ],
  );
  const direct = await postCaptions(fleet.api.url, { images: [image], options }, { prefer: 'wait=60' });
  // Its confidence may differ in the last digits, which depend on the images that ran together with it.
  const [expected] = CaptionRequestStatusSchema.parse(direct.body).images;
  assert.ok(expected?.status === 'succeeded');
  assert.deepEqual(output[0].response.body.images[0].captions[0].tokens, expected.captions[0]?.tokens);
  const [error] = await readLines(client, batch.error_file_id);
  assert.equal(error.custom_id, 'damaged');
  assert.equal(error.response.status_code, 415);
  assert.equal(error.response.body.error.code, 'IMAGE_FORMAT_UNKNOWN');
});

test('an API process that is killed in the middle of a batch leaves it to another, and no line is lost or done twice', async () => {
  // Less room than lines, so that the file has not been read to its end when the process dies.
  const env = { CAPTIONFLEET_MAX_WAITING: '100' };
  await using fleet = await startFleet({ workers: 1, env });
  const first = clientOf(fleet.api.url);
  const image = await picture('01-landscape.jpg');
  const count = 300;
  const lines = Array.from({ length: count }, (_, index) =>
    lineOf(`image ${index}`, { images: [image], options: { num_beams: 2, max_new_tokens: 12 } }),
  );
  const created = await create(first, lines);
  const outcomes = () => countBlobs(fleet.connectionString, fleet.container, 'requests/', /\d{6}\.json$/);
  await waitFor('a tenth of the outcomes', 60_000, async () => (await outcomes()) >= count / 10);
  process.kill(fleet.api.pid ?? 0, 'SIGKILL');
  const last = new RegExp(`/fed/0*${count}$`);
  assert.equal(await countBlobs(fleet.connectionString, fleet.container, 'batches/', last), 0, 'all was in the queue');

  const otherEnv = { ...envOf(fleet), ...env };
  await using other = await startApi(await findFreePort(), otherEnv, AbortSignal.timeout(60_000));
  const second = clientOf(other.url);
  const batch = await waitForEnd(second, created);
  assert.deepEqual(batch.request_counts, { total: count, completed: count, failed: 0 }, JSON.stringify(batch));
  const output = await readLines(second, batch.output_file_id);
  assert.deepEqual(
    output.map(({ custom_id: customId }) => customId),
    lines.map(({ custom_id: customId }) => customId),
  );
  assert.equal(await outcomes(), count);
});

// A worker of both lanes: what a caller waits for goes before what nobody waits for.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { goldenDirectory, startFleet } from '../support/fleet.ts';
import { postCaptions, waitForCaptions } from '../support/http.ts';

test('an interactive image is captioned while a backlog of bulk ones waits, and they all follow', async () => {
  await using fleet = await startFleet({ workers: 1 });
  const image = { base64: (await readFile(join(goldenDirectory, 'images', '01-landscape.jpg'))).toString('base64') };
  const options = { num_beams: 4, min_new_tokens: 12, max_new_tokens: 12 };
  const backlog = Array.from({ length: 6 }, () => ({ lane: 'bulk', images: Array(64).fill(image), options }));
  const accepted = await Promise.all(backlog.map((body) => postCaptions(fleet.api.url, body)));
  const ids = accepted.map(({ body }) => CaptionRequestStatusSchema.parse(body).id);
  const metrics = await (await fetch(`${fleet.api.adminUrl}/metrics`)).text();
  assert.match(metrics, /captionfleet_queue_jobs\{queue="bulk-cpu",state="waiting"\} [1-9]/);

  const { status, body } = await postCaptions(fleet.api.url, { images: [image] }, { prefer: 'wait=60' });
  assert.equal(status, 200, JSON.stringify(body));
  const bulk = await Promise.all(ids.map(async (id) => (await fetch(`${fleet.api.url}/v1/captions/${id}`)).json()));
  const open = bulk.map((answer) => CaptionRequestStatusSchema.parse(answer).counts.queued);
  assert.ok(open.reduce((sum, count) => sum + count) > 64, `still queued: ${open}`);

  const ended = await Promise.all(ids.map((id) => waitForCaptions(fleet.api.url, id, 120_000)));
  assert.deepEqual(
    ended.map(({ counts }) => counts.succeeded),
    ids.map(() => 64),
  );
});

// An API process that dies in the middle of a bulk upload, with real processes on real backends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { startApi } from '../../apps/cli/src/local-app.ts';
import { findFreePort } from '../../apps/cli/src/local-process.ts';
import { putBlob } from '../support/blobs.ts';
import { envOf, startFleet } from '../support/fleet.ts';
import { waitFor } from '../support/http.ts';
import { makePicture } from '../support/pictures.ts';

const itemCount = 10_000;
/** Acknowledged items after which the API is killed. */
const killAfter = 1_000;

interface Line {
  readonly index: number;
  readonly status: string;
}

test('an API killed in the middle of a 10,000-item upload: each item that it acknowledged is captioned, once', async (t) => {
  await using fleet = await startFleet({ workers: 1 });
  const name = 'images/one.jpg';
  await putBlob(fleet.connectionString, fleet.container, name, (await makePicture(1)).bytes);
  const image = { blob: { container: fleet.container, name } };

  const upload = httpRequest(`${fleet.api.url}/v1/bulk/captions`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  // `once` would reject with the error that the kill is to the connection.
  const died = new Promise((resolve) => upload.once('close', resolve));
  upload.on('error', () => undefined);
  let sent = 0;
  const lines = function* () {
    for (; sent < itemCount; sent += 1) yield `${JSON.stringify({ custom_id: `item-${sent}`, image })}\n`;
  };
  Readable.from(lines()).pipe(upload);
  const [answer]: IncomingMessage[] = await once(upload, 'response');
  assert.equal(answer?.statusCode, 202);
  const id = answer.headers.location?.split('/').at(-1);
  const acknowledged: number[] = [];
  const answers = createInterface({ input: answer }).on('error', () => undefined);
  answers.on('line', (text) => {
    // The last line may have been cut off.
    if (!text.endsWith('}')) return;
    const { index, status }: Line = JSON.parse(text);
    assert.equal(status, 'accepted');
    acknowledged.push(index);
    if (acknowledged.length === killAfter) process.kill(fleet.api.pid ?? 0, 'SIGKILL');
  });
  await died;
  assert.ok(acknowledged.length < itemCount, 'the kill must come before the end');

  await using api = await startApi(await findFreePort(), envOf(fleet), AbortSignal.timeout(60_000));
  const bulk = async (path = '') => await fetch(`${api.url}/v1/bulk/${id}${path}`);
  await waitFor('every stored item to end', 120_000, async () => {
    const { counts } = (await (await bulk()).json()) as { counts: { pending: number; succeeded: number } };
    return counts.pending === 0 && counts.succeeded >= acknowledged.length;
  });
  const results = (await (await bulk('/results')).text())
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line));
  t.diagnostic(`${sent} items sent, ${acknowledged.length} acknowledged, ${results.length} captioned`);
  const ended = new Map(results.map(({ index, status }) => [index, status]));
  assert.equal(ended.size, results.length, 'no item has two results');
  assert.deepEqual(
    acknowledged.filter((index) => ended.get(index) !== 'succeeded'),
    [],
    'what was acknowledged is captioned',
  );
  assert.ok(results.length <= sent, 'nothing is captioned that was not sent');
});

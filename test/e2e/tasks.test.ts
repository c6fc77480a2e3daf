// Matches, embeddings and answers through the API, Redis, a worker and Blob storage, as the command line gives them.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blobNames } from '@captionfleet/protocol/blob-names';
import { RequestStatusSchemas } from '@captionfleet/protocol/image-outcome';
import { readBlobs } from '../support/blobs.ts';
import { captionfleet } from '../support/command-line.ts';
import { goldenDirectory, startFleet, type TestFleet } from '../support/fleet.ts';
import { severalHeads } from '../support/several-heads.ts';

const file = join(goldenDirectory, 'images', '01-landscape.jpg');
let checkpoint: string;
let fleet: TestFleet;
let image: { readonly base64: string };

before(async () => {
  checkpoint = await mkdtemp(join(tmpdir(), 'captionfleet-heads-'));
  await severalHeads(checkpoint, ['BlipForConditionalGeneration', 'BlipForQuestionAnswering']);
  fleet = await startFleet({ workers: 1, checkpoint, env: { CAPTIONFLEET_TASKS: 'caption,match,answer' } });
  image = { base64: (await readFile(file)).toString('base64') };
});
after(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await rm(checkpoint, { recursive: true, force: true });
});

async function post(path: string, body: object): Promise<unknown> {
  const response = await fetch(`${fleet.api.url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ images: [image], ...body }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

/** The line of JSON that a command prints for the image. */
async function direct(...commandArguments: readonly string[]) {
  const [command = '', ...flags] = commandArguments;
  const { code, stdout, stderr } = await captionfleet([
    command,
    file,
    '--json',
    '--model',
    fleet.modelDirectory,
    ...flags,
  ]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function assertClose(actual: readonly number[], wanted: readonly number[]): void {
  assert.equal(actual.length, wanted.length);
  for (const [index, value] of actual.entries()) assert.ok(Math.abs(value - (wanted[index] ?? Number.NaN)) < 1e-5);
}

test('texts are matched as at the command line', async () => {
  const { id, images } = RequestStatusSchemas.match.parse(
    await post('match', { texts: ['a cat', 'two dogs in a field'] }),
  );
  const [status] = images;
  assert.ok(status?.status === 'succeeded', JSON.stringify(status));
  const { matches } = await direct('match', '--text', 'a cat', '--text', 'two dogs in a field');
  for (const [index, { text, probability, similarity }] of status.matches.entries()) {
    assert.equal(text, matches[index].text);
    assertClose([probability, similarity], [matches[index].probability, matches[index].similarity]);
  }
  const blobs = await readBlobs(fleet.connectionString, fleet.container, 'requests/');
  const stored = JSON.parse(Buffer.from(blobs.get(blobNames('default').outcome(id, 0)) ?? []).toString());
  assert.deepEqual(stored.matches, status.matches);
});

test('images and texts are embedded as at the command line', async () => {
  const { images } = RequestStatusSchemas.embed.parse(await post('embed', { texts: ['a cat'] }));
  const [status] = images;
  assert.ok(status?.status === 'succeeded', JSON.stringify(status));
  const { embedding } = await direct('embed', '--text', 'a cat');
  assertClose(status.embedding.image, embedding.image);
  assertClose(status.embedding.texts[0]?.embedding ?? [], embedding.texts[0].embedding);
});

test('questions are answered as at the command line, beside captions of the same fleet', async () => {
  const asked = { questions: ['what is it?', 'where'], options: { max_new_tokens: 5, num_beams: 2 } };
  const [answered, captioned] = await Promise.all([post('answer', asked), post('captions', {})]);
  const [status] = RequestStatusSchemas.answer.parse(answered).images;
  assert.ok(status?.status === 'succeeded', JSON.stringify(status));
  const flags = ['--question', 'what is it?', '--question', 'where', '--max-new-tokens', '5', '--num-beams', '2'];
  const { answers } = await direct('answer', ...flags);
  assert.deepEqual(
    status.answers.map(({ question, tokens }) => ({ question, tokens })),
    answers.map(({ question, tokens }: { question: string; tokens: number[] }) => ({ question, tokens })),
  );
  const [caption] = RequestStatusSchemas.caption.parse(captioned).images;
  assert.ok(caption?.status === 'succeeded');
  assert.deepEqual(caption.captions[0]?.tokens, (await direct('caption')).tokens);
});

test('an image with a text beyond the model fails with the reason, and its neighbours do not', async () => {
  const texts = ['a '.repeat(100)];
  const { status, images } = RequestStatusSchemas.match.parse(await post('match', { texts }));
  assert.equal(status, 'failed');
  assert.equal(images[0]?.status === 'failed' && images[0].error.code, 'OPTION_INVALID');
});

test('the metrics of the worker tell the tasks apart', async () => {
  const text = await (await fetch(`${fleet.workers[0]?.url}/metrics`)).text();
  for (const task of ['caption', 'match', 'embed', 'answer']) {
    assert.match(text, new RegExp(`captionfleet_jobs_total\\{task="${task}",outcome="succeeded",code=""\\} [1-9]`));
  }
  const queues = await (await fetch(`${fleet.api.adminUrl}/metrics`)).text();
  for (const queue of ['interactive-cpu', 'interactive-cpu-match', 'interactive-cpu-answer']) {
    assert.ok(queues.includes(`captionfleet_queue_jobs{queue="${queue}",state="waiting"} 0`), queue);
  }
});

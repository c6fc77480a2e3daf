import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { openWithdrawals } from '@captionfleet/queue/withdrawals';
import { deadlineOf } from './deadline.ts';
import {
  captionOf,
  eventually,
  inlineImage,
  startBackends,
  startTestApi,
  type TestApi,
  type TestBackends,
} from './test-api.ts';

let backends: TestBackends;
before(async () => {
  backends = await startBackends();
});
after(() => backends[Symbol.asyncDispose]());

const images = (count: number) => Array.from({ length: count }, (_, index) => inlineImage(`image ${index}`));

async function post({ app }: TestApi, body: object, headers: Record<string, string> = {}) {
  const answer = await app.inject({ method: 'POST', url: '/v1/captions', headers, payload: body });
  return { answer, id: RequestIdSchema.safeParse(answer.json().id).data ?? '' };
}
const cancel = ({ app }: TestApi, id: string) => app.inject({ method: 'POST', url: `/v1/captions/${id}/cancel` });
const statusOf = (answer: { json: () => unknown }) => CaptionRequestStatusSchema.parse(answer.json());
const codes = ({ images: all }: ReturnType<typeof statusOf>) =>
  all.map((image) => ('error' in image ? `${image.status} ${image.error.code}` : image.status));

test('what waits is aborted and out of the queue, what runs is canceled, what is finished stays', async () => {
  await using api = await startTestApi(backends);
  const { id } = await post(api, { images: images(3) });
  await backends.requests.writeOutcome(id, 0, captionOf({ index: 0 }));
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  const taken: number[] = [];
  // The first job's outcome stands already; the second never ends.
  await using _consumer = await api.startWorker(
    'interactive',
    async ({ index }) => {
      taken.push(index);
      if (index === 1) await gate;
    },
    { concurrency: 1 },
  );
  await eventually('the second image to run', async () => taken.includes(1));
  const canceled = await cancel(api, id);
  assert.deepEqual(codes(statusOf(canceled)), ['succeeded', 'canceled REQUEST_CANCELED', 'aborted REQUEST_CANCELED']);
  assert.equal(statusOf(canceled).status, 'succeeded');
  assert.equal((await api.producer.counts()).waiting, 0);
  openGate();
  await eventually('the worker to end', async () => (await api.producer.counts()).active === 0);
  const later = statusOf(await api.app.inject(`/v1/captions/${id}`));
  assert.deepEqual(codes(later), ['succeeded', 'canceled REQUEST_CANCELED', 'aborted REQUEST_CANCELED']);
  assert.deepEqual(taken, [0, 1]);
});

test('a second cancel changes nothing, a finished request is not marked, an unknown one is 404', async () => {
  await using api = await startTestApi(backends);
  const { id } = await post(api, { images: images(2) });
  const first = await cancel(api, id);
  assert.equal(statusOf(first).status, 'aborted');
  assert.deepEqual((await cancel(api, id)).json(), first.json());

  const done = await post(api, { images: images(1) });
  await backends.requests.writeOutcome(done.id, 0, captionOf({ index: 0 }));
  assert.equal(statusOf(await cancel(api, done.id)).status, 'succeeded');
  assert.equal((await backends.requests.progress(done.id)).isCanceled, false);

  assert.equal((await cancel(api, '01arz3ndektsv4rrffq69g5fav')).statusCode, 404);
  const wrongPath = await api.app.inject({ method: 'POST', url: `/v1/match/${id}/cancel` });
  assert.equal(wrongPath.statusCode, 404);
});

test('a cancel that was cut off after its mark is finished by the next look, also when Redis knows nothing', async () => {
  await using api = await startTestApi(backends);
  const { id } = await post(api, { images: images(2) });
  await backends.requests.writeCancellation(id);
  await api.producer.abandon('nobody', [`${id}-0`]);
  const status = statusOf(await api.app.inject(`/v1/captions/${id}`));
  assert.deepEqual(codes(status), ['aborted REQUEST_CANCELED', 'aborted REQUEST_CANCELED']);
  assert.equal((await api.producer.counts()).waiting, 0);
});

test('workers hear of a canceled request, also of one whose job they take later', async () => {
  await using api = await startTestApi(backends);
  using withdrawals = openWithdrawals(backends.redisUrl, api.queuePrefix);
  let heard = 0;
  using _ = withdrawals.onWithdrawn('some', () => {
    heard += 1;
  });
  await eventually('the hint', async () => {
    await api.producer.abandon('some', []);
    return heard > 0;
  });
  let later = 0;
  withdrawals.onWithdrawn('some', () => {
    later += 1;
  });
  withdrawals.onWithdrawn('other', () => assert.fail('another request'));
  assert.equal(later, 1);
});

test('a request ends at its deadline without a worker, and says which it was', async () => {
  await using api = await startTestApi(backends);
  const { answer, id } = await post(api, { images: images(2) }, { 'cancel-after': '1' });
  assert.equal(answer.statusCode, 202);
  const { deadline = '', createdAt } = statusOf(answer);
  const leftMs = Date.parse(deadline) - Date.parse(createdAt);
  assert.ok(leftMs > 0 && leftMs <= 1_000, `${leftMs} ms`);
  const ended = await eventually('the end', async () => {
    const status = statusOf(await api.app.inject(`/v1/captions/${id}`));
    return status.status === 'aborted' && status;
  });
  assert.ok(Date.now() >= Date.parse(deadline));
  assert.deepEqual(codes(ended), ['aborted DEADLINE_EXCEEDED', 'aborted DEADLINE_EXCEEDED']);
  assert.equal((await api.producer.counts()).waiting, 0);
});

test('the job carries the deadline of its request', async () => {
  await using api = await startTestApi(backends);
  const deadline = new Date(Date.now() + 60_000).toISOString();
  await post(api, { images: images(1), deadline });
  const deadlines: unknown[] = [];
  await using _consumer = await api.startWorker('interactive', async (job) => void deadlines.push(job.deadline));
  await eventually('the job', async () => deadlines.length > 0);
  assert.deepEqual(deadlines, [Date.parse(deadline)]);
});

test('a deadline that the measured rate cannot meet is refused with the time until it could', async () => {
  await using api = await startTestApi(backends, { maxWaiting: 1_000 });
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  let taken = 0;
  await using _consumer = await api.startWorker(
    'interactive',
    async () => {
      taken += 1;
      if (taken > 4) await gate;
    },
    { concurrency: 1 },
  );
  await post(api, { images: images(64) });
  await eventually('four to end', async () => taken === 5);
  const rate = 1 / (await eventually('a rate', async () => api.producer.drainSeconds(1)));
  const refused = await post(api, { images: images(64) }, { 'cancel-after': '2s' });
  assert.equal(refused.answer.statusCode, 429, refused.answer.body);
  assert.equal(refused.answer.json().code, 'DEADLINE_UNREACHABLE');
  const seconds = Number(refused.answer.headers['retry-after']);
  assert.ok(seconds >= Math.floor(123 / rate) - 2, `${seconds} s at ${rate} images/s`);
  assert.equal((await post(api, { images: images(1) }, { 'cancel-after': '1h' })).answer.statusCode, 202);
  openGate();
});

test('a wish that is none is refused with the form that is one', async () => {
  await using api = await startTestApi(backends);
  for (const cancelAfter of ['0', 'soon', '2d', '-1', '25h']) {
    const { answer } = await post(api, { images: images(1) }, { 'cancel-after': cancelAfter });
    assert.equal(answer.statusCode, 400, cancelAfter);
    assert.match(answer.json().detail, /cancel-after.*such as 90, 90s, 2m or 1h/);
  }
  for (const deadline of ['tomorrow', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z', 5]) {
    const { answer } = await post(api, { images: images(1), deadline });
    assert.equal(answer.statusCode, 400, String(deadline));
    assert.match(answer.json().detail, /deadline/);
  }
  const now = Date.parse('2026-11-25T00:00:00Z');
  assert.equal(deadlineOf({ cancelAfter: 90, deadline: '2026-11-25T01:01:00+01:00' }, now), '2026-11-25T00:01:00.000Z');
  assert.equal(deadlineOf({}, now), undefined);
});

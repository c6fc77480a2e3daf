import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CaptionfleetError, type ErrorCode, reportError } from '@captionfleet/protocol/errors';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { Task } from '@captionfleet/protocol/task';
import { type Delivery, HandBack, Postpone } from '@captionfleet/queue/consumer';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openRequestStore, type RequestStore } from '@captionfleet/storage/request-store';
import { createLogger } from '@captionfleet/telemetry/logger';
import { createWorkerMetrics } from '@captionfleet/telemetry/metrics';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';
import { imageJob, type Stages, writeAbandoned } from './image-job.ts';

const requestId = '01arz3ndektsv4rrffq69g5fav';
const logger = createLogger({ name: 'test', level: 'silent' });
const never = new AbortController().signal;

let azurite: TestAzurite;
let requests: RequestStore;
let lastIndex = 0;

before(async () => {
  azurite = await startAzurite();
  const blobs = await openBlobStore({ connectionString: azurite.connectionString, container: 'fleet' });
  await blobs.ensureContainer();
  requests = openRequestStore(blobs);
});
after(() => azurite[Symbol.asyncDispose]());

/** A delivery of an image that no other test has. */
function deliver(changes: Partial<Delivery> = {}): Delivery {
  lastIndex += 1;
  const source = { url: 'https://images.example.org/a.jpg' };
  const task: Task = { type: 'caption', options: {} };
  const job = { tenant: 'default', requestId, index: lastIndex, source, task, enqueuedAt: Date.now() - 1000 };
  return {
    job,
    jobId: `${requestId}-${lastIndex}`,
    attempt: 1,
    number: 1,
    lastAttempt: false,
    suspect: false,
    ...changes,
  };
}

/** The stages with a batcher that ends each image in the given way, as `inference` would. */
function stagesThat(answer: () => ImageOutcome): Stages & { readonly submitted: { alone: boolean }[] } {
  const submitted: { alone: boolean }[] = [];
  return {
    submitted,
    requests,
    lane: 'interactive',
    withdrawals: { onWithdrawn: () => ({ [Symbol.dispose]: () => undefined }) },
    logger,
    metrics: createWorkerMetrics(),
    batcher: {
      async submit(_, { alone }) {
        submitted.push({ alone });
        return answer();
      },
    },
  };
}

const captioned = (): ImageOutcome => ({
  status: 'succeeded',
  captions: [{ text: 'a cat', tokens: [30522, 1037, 4937, 102], confidence: 0.5, meanLogProbability: Math.log(0.5) }],
  image: { width: 384, height: 384, format: 'png', sha256: 'ab'.repeat(32) },
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  timings: { fetchMs: 1, preprocessMs: 2, inferenceMs: 3 },
});

const failure = (code: ErrorCode): ImageOutcome => ({
  status: 'failed',
  error: reportError(new CaptionfleetError(code, `it is ${code}`)),
});

const outcomeOf = ({ job }: Delivery) => requests.readOutcome(requestId, job.index);

test('a caption is written with all of its timings, and counted', async () => {
  const delivery = deliver();
  const stages = stagesThat(captioned);
  await imageJob(delivery, stages, never);
  const outcome = await outcomeOf(delivery);
  assert.ok(outcome?.status === 'succeeded');
  const { queueMs = 0, batchMs = Number.NaN, ...timings } = outcome.timings;
  assert.ok(queueMs >= 1000 && queueMs < 60_000, `${queueMs}`);
  assert.ok(batchMs >= 0 && batchMs < 60_000, `${batchMs}`);
  assert.deepEqual(timings, { fetchMs: 1, preprocessMs: 2, inferenceMs: 3 });
  const text = await stages.metrics.registry.metrics();
  assert.match(text, /captionfleet_jobs_total\{task="caption",outcome="succeeded",code=""\} 1/);
  assert.match(text, /captionfleet_caption_tokens_sum 3/);
  assert.match(text, /captionfleet_images_in_flight 0/);
});

test('with a price an image costs the time in which it had an inference process, without it nothing is said', async () => {
  const free = deliver();
  await imageJob(free, stagesThat(captioned), never);
  assert.ok(!('costUsd' in ((await outcomeOf(free)) ?? {})));
  const priced = deliver();
  await imageJob(priced, { ...stagesThat(captioned), usdPerSecond: 0.0012345 }, never);
  const outcome = await outcomeOf(priced);
  assert.ok(outcome?.status === 'succeeded');
  // 2 ms of preprocessing and 3 ms of inference.
  assert.equal(outcome.costUsd, 0.00000617);
});

test('a failure that will not pass is the outcome at once', async () => {
  const delivery = deliver();
  await imageJob(
    delivery,
    stagesThat(() => failure('IMAGE_CORRUPT')),
    never,
  );
  assert.deepEqual(await outcomeOf(delivery), failure('IMAGE_CORRUPT'));
});

test('a failure that may pass is thrown for another attempt, and on the last one it is the outcome', async () => {
  const stages = stagesThat(() => failure('SOURCE_UNAVAILABLE'));
  const delivery = deliver();
  await assert.rejects(imageJob(delivery, stages, never), { code: 'SOURCE_UNAVAILABLE', retryable: true });
  assert.equal(await outcomeOf(delivery), undefined);
  await imageJob({ ...delivery, attempt: 4, lastAttempt: true }, stages, never);
  assert.deepEqual(await outcomeOf(delivery), failure('SOURCE_UNAVAILABLE'));
});

test('what the stop of the worker leaves undone is handed back', async () => {
  const delivery = deliver({ lastAttempt: true });
  const stages = stagesThat(() => {
    throw new CaptionfleetError('SHUTTING_DOWN', 'stopping');
  });
  await assert.rejects(imageJob(delivery, stages, never), HandBack);
  assert.equal(await outcomeOf(delivery), undefined);
});

test('a suspect runs alone, and not at all when its outcome stands already', async () => {
  const delivery = deliver({ suspect: true });
  const stages = stagesThat(captioned);
  await imageJob(delivery, stages, never);
  assert.deepEqual(stages.submitted, [{ alone: true }]);
  await imageJob(delivery, stages, never);
  assert.equal(stages.submitted.length, 1);
});

test('a delivery that is no longer ours ends with the reason of its signal and writes nothing', async () => {
  const delivery = deliver();
  const lost = new AbortController();
  const reason = new Error('the lock of the job was lost');
  const stages = stagesThat(() => {
    lost.abort(reason);
    return captioned();
  });
  await assert.rejects(imageJob(delivery, stages, lost.signal), reason);
  assert.equal(await outcomeOf(delivery), undefined);
});

test('a job that the queue gave up has an outcome, and a caption that it has already stays', async () => {
  const stages = stagesThat(captioned);
  const abandoned = deliver();
  await writeAbandoned(abandoned.job, stages);
  const outcome = await outcomeOf(abandoned);
  assert.equal(outcome?.status === 'failed' && outcome.error.code, 'ATTEMPTS_EXHAUSTED');

  const done = deliver();
  await imageJob(done, stages, never);
  await writeAbandoned(done.job, stages);
  assert.equal((await outcomeOf(done))?.status, 'succeeded');
});

test('while Blob storage is away the job is postponed, also on its last attempt', async () => {
  const away = reportError(new CaptionfleetError('STORAGE_UNAVAILABLE', 'no answer'));
  const delivery = deliver({ lastAttempt: true });
  await assert.rejects(
    imageJob(
      delivery,
      stagesThat(() => ({ status: 'failed', error: away })),
      never,
    ),
    Postpone,
  );
  assert.equal(await requests.readOutcome(requestId, delivery.job.index), undefined);
});

test('a job whose deadline has passed costs no inference, and its outcome says so', async () => {
  const delivery = deliver();
  const late = { ...delivery, job: { ...delivery.job, deadline: Date.now() - 1 } };
  const stages = stagesThat(captioned);
  await imageJob(late, stages, never);
  const outcome = await outcomeOf(late);
  assert.equal(outcome?.status === 'aborted' && outcome.error.code, 'DEADLINE_EXCEEDED');
  assert.deepEqual(stages.submitted, []);
  assert.match(
    await stages.metrics.registry.metrics(),
    /jobs_total\{task="caption",outcome="aborted",code="DEADLINE_EXCEEDED"\} 1/,
  );
});

test('an image of a request that is canceled leaves its batch, and is the canceled one', async () => {
  const delivery = deliver();
  let cancel: () => void = () => undefined;
  const stages: Stages = {
    ...stagesThat(captioned),
    withdrawals: {
      onWithdrawn(request, listener) {
        assert.equal(request, requestId);
        cancel = listener;
        return { [Symbol.dispose]: () => undefined };
      },
    },
    batcher: {
      submit: (_, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          cancel();
        }),
    },
  };
  await imageJob(delivery, stages, never);
  const outcome = await outcomeOf(delivery);
  assert.equal(outcome?.status === 'canceled' && outcome.error.code, 'REQUEST_CANCELED');
});

test('a deadline that passes while the image runs ends it', async () => {
  const delivery = deliver();
  const late = { ...delivery, job: { ...delivery.job, deadline: Date.now() + 50 } };
  const stages: Stages = {
    ...stagesThat(captioned),
    batcher: {
      submit: (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    },
  };
  await imageJob(late, stages, never);
  const outcome = await outcomeOf(late);
  assert.equal(outcome?.status === 'canceled' && outcome.error.code, 'DEADLINE_EXCEEDED');
});

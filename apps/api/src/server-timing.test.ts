import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageStatus } from '@captionfleet/protocol/image-outcome';
import { serverTiming } from './server-timing.ts';
import { captionOf } from './test-api.ts';

const image = (index: number, queueMs: number): ImageStatus => {
  const outcome = captionOf({ index });
  assert.ok(outcome.status === 'succeeded');
  return { index, ...outcome, timings: { ...outcome.timings, batchMs: 4, queueMs } };
};

test('the stages are those of the slowest image, and their sum', () => {
  const failed: ImageStatus = {
    index: 2,
    status: 'failed',
    error: { code: 'IMAGE_CORRUPT', message: 'cut off', retryable: false },
  };
  assert.equal(
    serverTiming({ images: [image(0, 5), image(1, 70.25), failed] }),
    'queue;dur=70.25, fetch;dur=1, preprocess;dur=2, batch;dur=4, inference;dur=3, total;dur=80.25;desc="image 1"',
  );
  assert.equal(serverTiming({ images: [failed] }), undefined);
});

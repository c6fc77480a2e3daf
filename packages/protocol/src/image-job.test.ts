import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageJob, ImageJobSchema, jobId, jobPayload } from './image-job.ts';
import type { Task } from './task.ts';

const place = {
  requestId: '01arz3ndektsv4rrffq69g5fav',
  index: 3,
  source: { url: 'https://images.example.org/a.jpg' },
  enqueuedAt: 1_790_000_000_000,
};
const job = (task: Task, tenant = 'default'): ImageJob => ({ tenant, ...place, task });

test('a job for captions has the payload of the first version: workers of before and after share their queue', () => {
  const payload = { version: 1, ...place, options: { num_beams: 3 } };
  assert.deepEqual(jobPayload(job({ type: 'caption', options: { num_beams: 3 } })), payload);
  assert.deepEqual(ImageJobSchema.parse(payload), job({ type: 'caption', options: { num_beams: 3 } }));
});

test('a job for another task has the second version and is read as it was', () => {
  const tasks: Task[] = [
    { type: 'match', texts: ['a cat'] },
    { type: 'embed', texts: [] },
    { type: 'answer', questions: ['what is it?'], options: { max_new_tokens: 4 } },
  ];
  for (const task of tasks) {
    const payload: object = JSON.parse(JSON.stringify(jobPayload(job(task))));
    assert.deepEqual(payload, { version: 2, ...place, task });
    assert.deepEqual(ImageJobSchema.parse(payload), job(task));
  }
});

test('a job of a named tenant says so, and has an id that no other tenant has', () => {
  const mine = job({ type: 'caption', options: {} }, 'acme');
  assert.deepEqual(jobPayload(mine), { version: 1, tenant: 'acme', ...place, options: {} });
  assert.deepEqual(ImageJobSchema.parse(jobPayload(mine)), mine);
  assert.equal(jobId(mine), `acme.${place.requestId}-3`);
  assert.equal(jobId(job(mine.task)), `${place.requestId}-3`);
  assert.ok(!ImageJobSchema.safeParse({ ...jobPayload(mine), tenant: 'a/../b' }).success);
});

test('a job of a request with a deadline carries it, and another has the payload that it always had', () => {
  const late = { ...job({ type: 'caption', options: {} }), deadline: 1_790_000_060_000 };
  assert.deepEqual(jobPayload(late), { version: 1, ...place, options: {}, deadline: 1_790_000_060_000 });
  assert.deepEqual(ImageJobSchema.parse(jobPayload(late)), late);
  assert.ok(!('deadline' in jobPayload(job({ type: 'caption', options: {} }))));
});

test('a payload of a later version or of another form is refused', () => {
  const { success } = ImageJobSchema.safeParse({ version: 3, ...place, task: { type: 'match', texts: ['a'] } });
  assert.ok(!success);
  for (const task of [{ type: 'draw' }, { type: 'match', texts: [] }, { type: 'match', texts: ['a'], options: {} }]) {
    assert.ok(!ImageJobSchema.safeParse({ version: 2, ...place, task }).success);
  }
});

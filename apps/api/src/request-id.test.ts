import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import { firstRequestId, newRequestId, requestIdTime } from './request-id.ts';

test('ids are valid, sort by their time and do not repeat', () => {
  const times = [0, 1, 1_469_918_176_385, Date.now(), 2 ** 48 - 1];
  const ids = times.map((time) => newRequestId(time));
  for (const id of ids) assert.ok(RequestIdSchema.safeParse(id).success, id);
  assert.deepEqual([...ids].sort(), ids);
  for (const [place, id] of ids.entries()) {
    assert.equal(requestIdTime(id), times[place]);
    assert.ok(firstRequestId(times[place] ?? 0) <= id);
  }
  // The time of the example in the specification of ULID.
  assert.equal(newRequestId(1_469_918_176_385).slice(0, 10), '01aryz6s41');
  assert.equal(new Set(Array.from({ length: 10_000 }, () => newRequestId(0))).size, 10_000);
});

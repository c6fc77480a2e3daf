import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideReplicas, type LaneBacklog, noMemory, type PoolObservation } from './scaling-policy.ts';

const settings = {
  minReplicas: 0,
  maxReplicas: 10,
  coldStartSeconds: 10,
  sloSeconds: { interactive: 30, bulk: 3_600 },
  assumedImagesPerSecond: 1,
  scaleDownAfterSeconds: 120,
};
const lane = (part: Partial<LaneBacklog>): LaneBacklog => ({
  lane: 'interactive',
  waiting: 0,
  active: 0,
  overdue: 0,
  oldestSeconds: 0,
  paused: false,
  arrivalsPerSecond: 0,
  ...part,
});
const pool = (lanes: readonly LaneBacklog[], part: Partial<PoolObservation> = {}): PoolObservation => ({
  atSeconds: 1_000,
  lanes,
  readyReplicas: 0,
  imagesPerSecondPerReplica: undefined,
  ...part,
});
const desired = (lanes: readonly LaneBacklog[], part: Partial<PoolObservation> = {}): number =>
  decideReplicas(pool(lanes, part), settings, noMemory).desiredReplicas;

test('what has to be done wakes an empty pool, also where BullMQ shows no job in line', () => {
  assert.equal(desired([lane({})]), 0);
  assert.equal(desired([lane({ waiting: 1 })]), 1);
  assert.equal(desired([lane({ overdue: 1 })]), 1);
  assert.equal(desired([lane({ active: 1 })]), 1);
  assert.equal(desired([lane({ arrivalsPerSecond: 0.01 })]), 1);
});

test('what waits in a paused queue wakes nobody, what runs there is kept company', () => {
  assert.equal(desired([lane({ waiting: 500, overdue: 3, paused: true, oldestSeconds: 1e6 })]), 0);
  assert.equal(desired([lane({ waiting: 500, active: 1, paused: true })]), 1);
});

test('the work is done in the time that the promise, its age and the start of a replica leave', () => {
  // 56 images in 0.8 * 30 - 10 s: 4 a second.
  assert.equal(desired([lane({ waiting: 56 })]), 4);
  assert.equal(desired([lane({ waiting: 56 })], { imagesPerSecondPerReplica: 2 }), 2);
  assert.equal(desired([lane({ waiting: 56, oldestSeconds: 6.5 })]), 8);
  // With four there already nobody has to start: 56 in 24 s is 2.3 a second.
  assert.equal(desired([lane({ waiting: 56 })], { readyReplicas: 4 }), 3);
  assert.equal(desired([lane({ waiting: 56, arrivalsPerSecond: 2 })]), 6);
  assert.equal(desired([lane({ waiting: 5_000 })]), 10);
});

test('a lane with a long promise takes its time, however much comes at once', () => {
  // 5,000 in 0.8 * 3600 - 10 s; that they came within a minute says nothing of the hour.
  const drop = lane({ lane: 'bulk', waiting: 5_000, arrivalsPerSecond: 83 });
  assert.equal(desired([drop]), 4);
  assert.equal(desired([lane({ ...drop, arrivalsPerSecond: 0, oldestSeconds: 2_000 })]), 6);
});

test('replicas are given back when fewer were enough for a while, and taken at once', () => {
  let memory = noMemory;
  const at = (atSeconds: number, waiting: number): number => {
    const decision = decideReplicas(pool([lane({ waiting })], { atSeconds }), settings, memory);
    memory = decision.memory;
    return decision.desiredReplicas;
  };
  assert.deepEqual([at(0, 56), at(30, 0), at(100, 14), at(119, 0)], [4, 4, 4, 4]);
  assert.deepEqual([at(121, 0), at(221, 0), at(222, 112)], [1, 0, 8]);
});

test('whatever is seen, the answer is a whole number in its bounds and what is remembered is small', () => {
  const number = fc.double({ min: 0, max: 1e7, noNaN: true });
  const anyLane = fc.record({
    lane: fc.constantFrom('interactive' as const, 'bulk' as const),
    waiting: fc.nat(1e6),
    active: fc.nat(1e4),
    overdue: fc.nat(1e4),
    oldestSeconds: number,
    paused: fc.boolean(),
    arrivalsPerSecond: number,
  });
  const looks = fc.array(fc.tuple(fc.array(anyLane, { maxLength: 2 }), number, fc.option(number, { nil: undefined })));
  fc.assert(
    fc.property(looks, fc.nat(3), (all, minReplicas) => {
      let memory = noMemory;
      for (const [lanes, atSeconds, imagesPerSecondPerReplica] of all) {
        const seen = pool(lanes, { atSeconds, imagesPerSecondPerReplica });
        const decision = decideReplicas(seen, { ...settings, minReplicas }, memory);
        memory = decision.memory;
        assert.ok(Number.isInteger(decision.desiredReplicas));
        assert.ok(decision.desiredReplicas >= minReplicas && decision.desiredReplicas <= settings.maxReplicas);
        assert.ok(memory.needs.length <= settings.maxReplicas + 1);
      }
    }),
  );
});

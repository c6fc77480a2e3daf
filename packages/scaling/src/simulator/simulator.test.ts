import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrivalTraces } from './arrival-traces.ts';
import { compare, defaultMachine, lateImages } from './comparison.ts';
import { EventQueue } from './event-queue.ts';
import { type Autoscaler, simulateFleet } from './fleet-simulation.ts';
import { Random } from './random.ts';

const fixed =
  (replicas: number): Autoscaler =>
  () =>
    replicas;
const exact = { ...defaultMachine, slots: 1, serviceSeconds: 1, serviceSpread: 0, provisionSpread: 0, idleSeconds: 60 };

test('events come by their time, and those of one time in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const queue = new EventQueue<number>();
      for (const [order, at] of times.entries()) queue.add(at, order);
      const taken = times.map(() => queue.take());
      const expected = [...times.keys()].sort((one, other) => (times[one] ?? 0) - (times[other] ?? 0) || one - other);
      assert.deepEqual(taken, expected);
      assert.equal(queue.take(), undefined);
    }),
  );
});

test('one replica does one image after the other, interactive ones first, and is billed for its time', () => {
  const arrivals = [
    { at: 0, lane: 'bulk' as const },
    { at: 0.1, lane: 'bulk' as const },
    { at: 0.2, lane: 'interactive' as const },
  ];
  const result = simulateFleet({
    arrivals,
    seconds: 3_600,
    machine: exact,
    autoscaler: fixed(1),
    replicas: 1,
    seed: 1,
  });
  assert.deepEqual(
    result.seconds.bulk.map((seconds) => Math.round(10 * seconds)),
    [10, 29],
  );
  assert.deepEqual(
    result.seconds.interactive.map((seconds) => Math.round(10 * seconds)),
    [18],
  );
  assert.equal(result.machineHours, 1);
  assert.equal(result.usd, 0.1);
});

test('a replica that has to start works after its machine has come, and its machine is billed until it was idle long enough', () => {
  const arrivals = [{ at: 0, lane: 'bulk' as const }];
  const once: Autoscaler = ({ lanes }) => (lanes.some(({ waiting, active }) => waiting + active > 0) ? 1 : 0);
  const result = simulateFleet({ arrivals, seconds: 600, machine: exact, autoscaler: once, replicas: 0, seed: 1 });
  // 120 s for the machine, 5 s for the model, 1 s for the image; at 135 s it is let go, and kept for 60 s.
  assert.deepEqual(result.seconds.bulk, [126]);
  assert.equal(Math.round(result.machineHours * 3_600), 195);
});

test('the mean wait of one server is what queueing theory says', () => {
  // M/D/1 (Pollaczek and Khinchine): at a load of 0.8 and a service of 1 s the wait is 0.8 / (2 * 0.2) = 2 s, and the rest is the service.
  const random = new Random(7);
  const arrivals: { at: number; lane: 'bulk' }[] = [];
  for (let at = random.exponential(1.25); at < 400_000; at += random.exponential(1.25))
    arrivals.push({ at, lane: 'bulk' });
  const result = simulateFleet({
    arrivals,
    seconds: 400_000,
    machine: exact,
    autoscaler: fixed(1),
    replicas: 1,
    seed: 1,
  });
  const mean = result.seconds.bulk.reduce((sum, seconds) => sum + seconds, 0) / result.seconds.bulk.length;
  assert.ok(Math.abs(mean - 3) < 0.1, `${mean} s`);
});

test('the same seed gives the same run', () => {
  const [, , flashCrowd] = arrivalTraces;
  assert.ok(flashCrowd !== undefined);
  assert.deepEqual(compare(flashCrowd, defaultMachine, 3), compare(flashCrowd, defaultMachine, 3));
});

test('where all can keep the promise, ours keeps it for less than the best rival', () => {
  for (const name of ['batch drop', 'mixed']) {
    const trace = arrivalTraces.find((one) => one.name === name);
    assert.ok(trace !== undefined);
    const { ours, rivals } = compare(trace, defaultMachine, 1);
    assert.equal(lateImages(ours), 0, name);
    for (const rival of rivals) assert.ok(lateImages(rival) > 0 || ours.usd < rival.usd, `${name}: ${rival.policy}`);
  }
});

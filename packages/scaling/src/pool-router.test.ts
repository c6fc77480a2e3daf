import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { choosePool, expectedSeconds, type PoolOffer } from './pool-router.ts';

const offer = (part: Partial<PoolOffer>): PoolOffer => ({
  pool: 'cpu',
  isAble: true,
  readyWorkers: 1,
  doneInSeconds: 10,
  coldStartSeconds: 60,
  usdPer1000: 1,
  ...part,
});

test('the cheaper pool is taken while it is in time, the dearer one when only it is', () => {
  const cpu = offer({ pool: 'cpu', usdPer1000: 0.2, doneInSeconds: 100 });
  const gpu = offer({ pool: 'gpu', usdPer1000: 0.5, doneInSeconds: 5 });
  assert.equal(choosePool([cpu, gpu], 3_600), 'cpu');
  assert.equal(choosePool([cpu, gpu], 30), 'gpu');
  // Neither is: the one that comes nearest.
  assert.equal(choosePool([cpu, gpu], 1), 'gpu');
});

test('a pool without workers has to start one first, and one that cannot do the job is never taken', () => {
  const cpu = offer({ pool: 'cpu', usdPer1000: 2 });
  const gpu = offer({ pool: 'gpu', usdPer1000: 1, readyWorkers: 0, doneInSeconds: undefined });
  assert.equal(choosePool([cpu, gpu], 30), 'cpu');
  assert.equal(choosePool([cpu, gpu], 60), 'gpu');
  assert.equal(choosePool([cpu, { ...gpu, isAble: false }], 60), 'cpu');
  assert.equal(choosePool([{ ...gpu, isAble: false }], 60), undefined);
});

const seconds = fc.double({ min: 0, max: 1e5, noNaN: true });
const anyOffer = (pool: 'cpu' | 'gpu') =>
  fc.record({
    pool: fc.constant(pool),
    isAble: fc.boolean(),
    readyWorkers: fc.nat(3),
    doneInSeconds: fc.option(fc.oneof(seconds, fc.constant(Number.POSITIVE_INFINITY)), { nil: undefined }),
    coldStartSeconds: seconds,
    usdPer1000: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
  });
const offers = fc.tuple(anyOffer('cpu'), anyOffer('gpu'));

test('whatever the offers: one that is able is taken if there is one, in time if one is, and no cheaper one would be in time', () => {
  fc.assert(
    fc.property(offers, seconds, (all, within) => {
      const chosen = all.find(({ pool }) => pool === choosePool(all, within));
      const able = all.filter(({ isAble }) => isAble);
      assert.equal(chosen === undefined, able.length === 0);
      if (chosen === undefined) return;
      assert.ok(chosen.isAble);
      const inTime = able.filter((one) => expectedSeconds(one) <= within);
      const price = ({ usdPer1000 = Number.POSITIVE_INFINITY }: PoolOffer): number => usdPer1000;
      if (inTime.length > 0) {
        assert.ok(inTime.includes(chosen));
        assert.ok(inTime.every((one) => price(one) >= price(chosen)));
      } else {
        assert.ok(able.every((one) => expectedSeconds(one) >= expectedSeconds(chosen)));
      }
    }),
  );
});

test('more time never makes the job dearer, once it is in time', () => {
  fc.assert(
    fc.property(offers, seconds, seconds, (all, within, more) => {
      const priceIn = (limit: number): number => {
        const chosen = all.find(({ pool }) => pool === choosePool(all, limit));
        return chosen?.usdPer1000 ?? Number.POSITIVE_INFINITY;
      };
      const isInTime = all.some((one) => one.isAble && expectedSeconds(one) <= within);
      if (isInTime) assert.ok(priceIn(within + more) <= priceIn(within));
    }),
  );
});

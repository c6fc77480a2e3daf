import type { Pool } from '@captionfleet/protocol/queue-names';

/** A pool as a job could go to it. */
export interface PoolOffer {
  readonly pool: Pool;
  /** Whether it could ever do the job: its workers have the head, and the options of the task. */
  readonly isAble: boolean;
  /** Workers that are ready. */
  readonly readyWorkers: number;
  /** Seconds from now in which the job would be done: what waits before it, then itself; undefined while no rate is known. */
  readonly doneInSeconds: number | undefined;
  /** Seconds that a worker takes to start, where none is ready. */
  readonly coldStartSeconds: number;
  /** What 1,000 images cost there, in US dollars; undefined while no worker has said. */
  readonly usdPer1000: number | undefined;
}

/**
 * The cheapest pool that meets the deadline; when none does, the one that comes nearest. A pool without a worker has to start one first,
 * and one of unknown price counts as the dearest. Of equal ones the first in the list is taken, so the list's order is a preference.
 * Undefined when no pool is able.
 */
export function choosePool(offers: readonly PoolOffer[], withinSeconds: number): Pool | undefined {
  const able = offers.filter(({ isAble }) => isAble);
  const inTime = able.filter((offer) => expectedSeconds(offer) <= withinSeconds);
  const best =
    inTime.length > 0
      ? cheapest(inTime)
      : able.reduce<PoolOffer | undefined>(
          (best, offer) => (best === undefined || expectedSeconds(offer) < expectedSeconds(best) ? offer : best),
          undefined,
        );
  return best?.pool;
}

/** A pool with workers that have measured nothing yet is taken to be in time: it is how it comes to measure. */
export function expectedSeconds({ readyWorkers, doneInSeconds, coldStartSeconds }: PoolOffer): number {
  return (readyWorkers === 0 ? coldStartSeconds : 0) + (doneInSeconds ?? 0);
}

const priceOf = ({ usdPer1000 }: PoolOffer): number => usdPer1000 ?? Number.POSITIVE_INFINITY;

function cheapest(offers: readonly PoolOffer[]): PoolOffer | undefined {
  return offers.reduce<PoolOffer | undefined>(
    (best, offer) => (best === undefined || priceOf(offer) < priceOf(best) ? offer : best),
    undefined,
  );
}

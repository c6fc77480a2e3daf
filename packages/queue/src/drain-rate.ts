/** Seconds over which the rate is averaged at most. */
const windowSeconds = 60;
/** Seconds without the end of a job, after which the queue counts as having been idle: what was before says nothing. */
const idleSeconds = 10;
/** Jobs a second, taken for a refusal's Retry-After while nothing has been measured. */
const coldRate = 1;
/** Bounds, in seconds, of what a refused caller is told to wait. */
const shortestRetry = 1;
const longestRetry = 3_600;

/** Jobs that ended in one second. */
interface Slice {
  /** Milliseconds of the clock at which the first of them ended. */
  readonly at: number;
  jobs: number;
}

/**
 * How fast a queue drains: the jobs that ended a second, whoever enqueued them and whichever worker did them, averaged over
 * the last minute or since the queue was last idle. A queue in which work waits and nothing ends gets slower with every
 * second, and after ten of them its rate is unknown.
 */
export class DrainRate {
  readonly #now: () => number;
  #slices: Slice[] = [];

  /** @param now A clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** To be called at the end of each job. */
  count(): void {
    const now = this.#now();
    const last = this.#slices.at(-1);
    if (last !== undefined && now - last.at < 1_000) {
      last.jobs += 1;
      return;
    }
    if (last !== undefined && now - last.at > idleSeconds * 1_000) this.#slices = [];
    this.#slices = this.#slices.filter(({ at }) => now - at < windowSeconds * 1_000);
    this.#slices.push({ at: now, jobs: 1 });
  }

  /** Jobs a second; undefined while it is unknown. */
  perSecond(): number | undefined {
    const now = this.#now();
    const [first, last] = [this.#slices[0], this.#slices.at(-1)];
    if (first === undefined || last === undefined || now - last.at > idleSeconds * 1_000) return undefined;
    const jobs = this.#slices.reduce((sum, slice) => sum + slice.jobs, 0);
    return jobs / Math.max(1, (now - first.at) / 1_000);
  }

  /** Seconds in which so many jobs leave the queue; undefined while the rate is unknown. */
  secondsFor(jobs: number): number | undefined {
    const rate = this.perSecond();
    return rate === undefined ? undefined : jobs / rate;
  }

  /** Whole seconds after which a caller may come back whose jobs are `excess` too many, from 1 to 3600. */
  retryAfter(excess: number): number {
    return boundedRetry(excess / (this.perSecond() ?? coldRate));
  }
}

export const boundedRetry = (seconds: number): number =>
  Math.min(longestRetry, Math.max(shortestRetry, Math.ceil(seconds)));

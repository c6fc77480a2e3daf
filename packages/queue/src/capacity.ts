import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { DrainRate } from './drain-rate.ts';

/** Milliseconds for which a look at Redis counts. */
const freshMs = 250;
/** Share of Redis' memory above which nothing more is admitted: running jobs and their locks need the rest. */
const maxMemoryShare = 0.7;

export interface Load {
  waiting: number;
  memory: { readonly used: number; readonly limit: number };
}

/** Room for jobs in the queue that nobody else is promised until it is disposed of. */
export interface Places extends Disposable {
  readonly count: number;
  /** Says that the jobs may be in the queue now: disposing frees nothing that they take. */
  fill(): void;
}

/**
 * Admission to the queue. Redis is asked at most every 250 ms; in between, what this process has added is added to
 * the last answer. Other producers are seen with that delay, so together they can exceed the limit by a little.
 */
export class Capacity {
  readonly #maxWaiting: number;
  readonly #read: () => Promise<Load>;
  readonly #drain: Pick<DrainRate, 'retryAfter'>;
  #load: Promise<Load> | undefined;
  #readAt = 0;
  /** Places that are promised and not filled yet. */
  #promised = 0;

  constructor(maxWaiting: number, read: () => Promise<Load>, drain: Pick<DrainRate, 'retryAfter'>) {
    this.#maxWaiting = maxWaiting;
    this.#read = read;
    this.#drain = drain;
  }

  /**
   * Reserves as many places as there is room for, `wanted` at most. Throws QUEUE_FULL, with the seconds until they should fit,
   * when there is not room for `least`.
   */
  async reserve(wanted: number, least = wanted): Promise<Places> {
    const load = await this.#currentLoad();
    const { memory } = load;
    const waiting = load.waiting + this.#promised;
    const room = this.#maxWaiting - waiting;
    const jobs = Math.min(wanted, room);
    if (jobs < least) {
      const refusal = `${waiting} images are waiting; ${least} more would exceed ${this.#maxWaiting}`;
      throw this.#full(refusal, least - room);
    }
    if (memory.limit > 0 && memory.used > memory.limit * maxMemoryShare) {
      const percent = Math.round((100 * memory.used) / memory.limit);
      const refusal = `Redis uses ${percent} % of its memory; nothing is accepted above ${100 * maxMemoryShare} %`;
      // The jobs whose end would free what is used above the share.
      throw this.#full(refusal, waiting * (1 - (memory.limit * maxMemoryShare) / memory.used));
    }
    this.#promised += jobs;
    let promised = jobs;
    const release = (): void => {
      this.#promised -= promised;
      promised = 0;
    };
    return {
      count: jobs,
      fill: () => {
        if (promised > 0) this.#filled(jobs);
        release();
      },
      [Symbol.dispose]: release,
    };
  }

  /** The last look at Redis may have been before. */
  #filled(jobs: number): void {
    void this.#load?.then(
      (load) => {
        load.waiting += jobs;
      },
      () => undefined,
    );
  }

  #full(refusal: string, excess: number): CaptionfleetError {
    return new CaptionfleetError('QUEUE_FULL', refusal, { retryAfterSeconds: this.#drain.retryAfter(excess) });
  }

  #currentLoad(): Promise<Load> {
    const now = performance.now();
    if (this.#load === undefined || now - this.#readAt > freshMs) {
      const load = this.#read();
      this.#load = load;
      this.#readAt = now;
      load.catch(() => {
        if (this.#load === load) this.#load = undefined;
      });
    }
    return this.#load;
  }
}

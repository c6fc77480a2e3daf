import { CaptionfleetError } from '@captionfleet/protocol/errors';

/** What runs batches. It says when it has room by having `Batcher.dispatch` called. */
export interface BatchRunner<Item, Result> {
  /** idle: somebody waits for work; prefetch: a batch can be prepared behind a running one; none: it must wait here. */
  readonly room: 'idle' | 'prefetch' | 'none';
  /**
   * Takes the batch at once and gives one promise an entry, in order. A batch that is alone is given only to an idle
   * runner, and nothing else runs beside it.
   */
  run(batch: readonly BatchEntry<Item>[], options: { readonly alone: boolean }): readonly Promise<Result>[];
}

export interface BatchEntry<Item> {
  readonly item: Item;
  /** Aborts when nobody wants the result any more. */
  readonly signal: AbortSignal;
}

export interface BatcherConfig {
  /** Entries of a batch at most. */
  readonly maxImages: number;
  /** Milliseconds that the first entry of a batch waits for others. */
  readonly maxWaitMs: number;
  /** Entries that may wait here in all; more are refused with QUEUE_FULL. */
  readonly maxWaiting: number;
  /** False when no further entry can arrive before one of those here is settled: waiting for one would be for nothing. */
  readonly moreMayCome: () => boolean;
}

interface Waiting<Item, Result> extends BatchEntry<Item> {
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to the signal. */
  readonly forget: () => void;
}

interface Batch<Item, Result> {
  readonly entries: Set<Waiting<Item, Result>>;
  readonly alone: boolean;
}

/**
 * Makes batches of entries that come one by one. A batch is open, sealed, or running.
 *
 * open     there is one at most. It accepts entries. It is sealed when it has `maxImages`; and, once the runner has room,
 *          when `maxWaitMs` have passed since its first entry, or at once if the runner is idle and no more may come.
 * sealed   it accepts nothing and is run, first come first served, when the runner has room. An entry that must be alone
 *          is a sealed batch from the start and needs an idle runner.
 * running  it is the runner's: every entry is settled by the runner's promise for it, and by nothing else.
 *
 * An entry whose signal aborts while its batch is open or sealed leaves it at once and costs nothing; a batch that
 * nobody is left in is gone. Every entry is settled exactly once.
 */
export class Batcher<Item, Result> {
  readonly #config: BatcherConfig;
  readonly #runner: BatchRunner<Item, Result>;
  readonly #sealed: Batch<Item, Result>[] = [];
  #open: Batch<Item, Result> | undefined;
  /** Runs while an open batch still waits for others. */
  #timer: NodeJS.Timeout | undefined;
  #waiting = 0;
  #closedBy: Error | undefined;

  constructor(config: BatcherConfig, runner: BatchRunner<Item, Result>) {
    this.#config = config;
    this.#runner = runner;
  }

  /** Entries in open and sealed batches. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Settles as the runner settles the entry; rejects with the signal's reason, or with QUEUE_FULL. */
  submit(item: Item, { alone, signal }: { alone: boolean; signal: AbortSignal }): Promise<Result> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy);
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#waiting >= this.#config.maxWaiting) {
      const reason = `${this.#waiting} images wait in this worker already`;
      return Promise.reject(new CaptionfleetError('QUEUE_FULL', reason));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const leave = (): void => this.#leave(entry, signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const forget = (): void => signal.removeEventListener('abort', leave);
    const entry: Waiting<Item, Result> = { item, signal, resolve, reject, forget };
    this.#waiting += 1;
    if (alone) this.#sealed.push({ entries: new Set([entry]), alone: true });
    else this.#join(entry);
    this.dispatch();
    return promise;
  }

  /** Runs what may run now. Called whenever the runner may have got room. */
  dispatch(): void {
    if (this.#closedBy !== undefined) return;
    for (let batch = this.#sealed[0]; batch !== undefined; batch = this.#sealed[0]) {
      const { room } = this.#runner;
      if (room === 'none' || (batch.alone && room !== 'idle')) return;
      this.#sealed.shift();
      this.#run(batch);
    }
    if (this.#open === undefined || this.#runner.room === 'none') return;
    const waitedEnough = this.#timer === undefined;
    if (!waitedEnough && (this.#runner.room !== 'idle' || this.#config.moreMayCome())) return;
    const batch = this.#open;
    this.#closeOpen();
    this.#run(batch);
  }

  /** Rejects every entry that waits, and every later one, with `reason`. What runs goes on. */
  close(reason: Error): void {
    this.#closedBy = reason;
    const batches = this.#open === undefined ? this.#sealed : [...this.#sealed, this.#open];
    for (const entry of batches.flatMap(({ entries }) => [...entries])) this.#leave(entry, reason);
  }

  #join(entry: Waiting<Item, Result>): void {
    if (this.#open === undefined) {
      this.#open = { entries: new Set(), alone: false };
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.dispatch();
      }, this.#config.maxWaitMs);
    }
    const { entries } = this.#open;
    entries.add(entry);
    if (entries.size < this.#config.maxImages) return;
    this.#sealed.push(this.#open);
    this.#closeOpen();
  }

  #closeOpen(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#open = undefined;
  }

  #leave(entry: Waiting<Item, Result>, reason: unknown): void {
    const batch = [this.#open, ...this.#sealed].find((candidate) => candidate?.entries.has(entry));
    if (batch === undefined) return;
    batch.entries.delete(entry);
    this.#waiting -= 1;
    entry.forget();
    entry.reject(reason);
    if (batch.entries.size > 0) return;
    if (batch === this.#open) this.#closeOpen();
    else this.#sealed.splice(this.#sealed.indexOf(batch), 1);
    // It may have been alone at the head of the queue, with others behind it that need less room.
    this.dispatch();
  }

  #run({ entries, alone }: Batch<Item, Result>): void {
    const batch = [...entries];
    this.#waiting -= batch.length;
    for (const entry of batch) entry.forget();
    const results = this.#runner.run(batch, { alone });
    for (const [position, { resolve, reject }] of batch.entries()) {
      const result = results[position] ?? Promise.reject(new Error('a batch came back with too few results'));
      void result.then(resolve, reject);
    }
  }
}

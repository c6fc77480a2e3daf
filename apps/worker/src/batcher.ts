import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type Lane, lanes } from '@captionfleet/protocol/queue-names';

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
  /** False when no further entry of the lane can arrive before one of its own is settled: waiting for one would be for nothing. */
  readonly moreMayCome: (lane: Lane) => boolean;
}

interface SubmitOptions {
  readonly lane: Lane;
  readonly alone: boolean;
  readonly signal: AbortSignal;
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

/** What waits of one lane. */
class Line<Item, Result> {
  readonly sealed: Batch<Item, Result>[] = [];
  open: Batch<Item, Result> | undefined;
  /** Runs while an open batch still waits for others. */
  timer: NodeJS.Timeout | undefined;

  get isEmpty(): boolean {
    return this.open === undefined && this.sealed.length === 0;
  }

  get batches(): readonly Batch<Item, Result>[] {
    return this.open === undefined ? this.sealed : [...this.sealed, this.open];
  }

  closeOpen(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.open = undefined;
  }

  remove(batch: Batch<Item, Result>): void {
    if (batch === this.open) this.closeOpen();
    else this.sealed.splice(this.sealed.indexOf(batch), 1);
  }
}

/**
 * Makes batches of entries that come one by one. Entries of different lanes never share one. A batch is open, sealed, or
 * running.
 *
 * open     there is one a lane at most. It accepts entries. It is sealed when it has `maxImages`; and, once the runner has
 *          room, when `maxWaitMs` have passed since its first entry, or at once if the runner is idle and no more may come.
 * sealed   it accepts nothing and is run, first come first served in its lane, when the runner has room. An entry that must
 *          be alone is a sealed batch from the start and needs an idle runner.
 * running  it is the runner's: every entry is settled by the runner's promise for it, and by nothing else.
 *
 * No batch of the bulk lane is run while an interactive entry waits, in an open or a sealed batch: an interactive entry waits
 * for what was running when it came, for interactive ones before it and for `maxWaitMs`, and for nothing else.
 *
 * An entry whose signal aborts while its batch is open or sealed leaves it at once and costs nothing; a batch that
 * nobody is left in is gone. Every entry is settled exactly once.
 */
export class Batcher<Item, Result> {
  readonly #config: BatcherConfig;
  readonly #runner: BatchRunner<Item, Result>;
  readonly #lines: Readonly<Record<Lane, Line<Item, Result>>> = { interactive: new Line(), bulk: new Line() };
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
  submit(item: Item, { lane, alone, signal }: SubmitOptions): Promise<Result> {
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
    const line = this.#lines[lane];
    if (alone) line.sealed.push({ entries: new Set([entry]), alone: true });
    else this.#join(line, entry);
    this.dispatch();
    return promise;
  }

  /** Runs what may run now. Called whenever the runner may have got room. */
  dispatch(): void {
    if (this.#closedBy !== undefined) return;
    for (const lane of lanes) {
      this.#dispatchLane(lane);
      if (!this.#lines[lane].isEmpty) return;
    }
  }

  #dispatchLane(lane: Lane): void {
    const line = this.#lines[lane];
    for (let batch = line.sealed[0]; batch !== undefined; batch = line.sealed[0]) {
      const { room } = this.#runner;
      if (room === 'none' || (batch.alone && room !== 'idle')) return;
      line.sealed.shift();
      this.#run(batch);
    }
    if (line.open === undefined || this.#runner.room === 'none') return;
    const waitedEnough = line.timer === undefined;
    if (!waitedEnough && (this.#runner.room !== 'idle' || this.#config.moreMayCome(lane))) return;
    const batch = line.open;
    line.closeOpen();
    this.#run(batch);
  }

  /** Rejects every entry that waits, and every later one, with `reason`. What runs goes on. */
  close(reason: Error): void {
    this.#closedBy = reason;
    const batches = lanes.flatMap((lane) => this.#lines[lane].batches);
    for (const entry of batches.flatMap(({ entries }) => [...entries])) this.#leave(entry, reason);
  }

  #join(line: Line<Item, Result>, entry: Waiting<Item, Result>): void {
    if (line.open === undefined) {
      line.open = { entries: new Set(), alone: false };
      line.timer = setTimeout(() => {
        line.timer = undefined;
        this.dispatch();
      }, this.#config.maxWaitMs);
    }
    const { entries } = line.open;
    entries.add(entry);
    if (entries.size < this.#config.maxImages) return;
    line.sealed.push(line.open);
    line.closeOpen();
  }

  #leave(entry: Waiting<Item, Result>, reason: unknown): void {
    for (const line of Object.values(this.#lines)) {
      const batch = line.batches.find(({ entries }) => entries.has(entry));
      if (batch === undefined) continue;
      batch.entries.delete(entry);
      this.#waiting -= 1;
      entry.forget();
      entry.reject(reason);
      if (batch.entries.size > 0) return;
      line.remove(batch);
      // It may have been alone at the head of the queue, with others behind it that need less room.
      this.dispatch();
      return;
    }
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

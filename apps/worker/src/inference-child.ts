import type { ChildProcess } from 'node:child_process';
import type { ErrorReport } from '@captionfleet/protocol/errors';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { forkInference } from './inference-fork.ts';
import type {
  BatchImage,
  FromProcess,
  ImageTimes,
  InferenceSettings,
  LoadedModel,
  ToProcess,
} from './inference-messages.ts';

/**
 * The life of one inference process, which is never used again once it is dead.
 *
 * starting  forked; it loads, verifies and warms the model; it holds no batch
 * ready     it holds no batch and waits for one
 * busy      it holds one batch, which runs, or two: then the second one is fetched and prepared meanwhile. Images that
 *           arrive late become batches of their own, which leave room for others.
 * dead      it ended by itself, or was killed because it passed a deadline or is not needed any more
 *
 * A start has `startMs`; a batch has `batchMs` from when it is the oldest one. A batch is over when each of its images
 * is settled or dropped. Images that are in it when the process dies are reported with its end.
 */
export type ChildState = 'starting' | 'ready' | 'busy' | 'dead';

/** Why a process is dead: `stopped` is our own wish. */
export type ChildEnd = 'died' | 'timeout' | 'stopped';

export interface ChildListener {
  ready(model: LoadedModel): void;
  refused(error: ErrorReport): void;
  fetched(imageId: number, sha256: string): void;
  settled(imageId: number, outcome: ImageOutcome, times: ImageTimes | undefined): void;
  /** There may be room for another batch. */
  batchEnded(): void;
  /** Last of all. `unsettled` are the images that it held. `exit` is for the log. */
  ended(end: ChildEnd, unsettled: readonly number[], exit: string): void;
}

export interface ChildOptions {
  readonly settings: InferenceSettings;
  /** SHA-256 of images that are not decoded. */
  readonly quarantined: readonly string[];
  /** The command that keeps a process on its cores, put before node's; empty for none. */
  readonly affinity: readonly string[];
  /** Milliseconds from the fork to a warm model. */
  readonly startMs: number;
  /** Milliseconds for one batch. */
  readonly batchMs: number;
}

interface HeldBatch {
  /** Those that are not settled. */
  readonly imageIds: Set<number>;
  readonly late: boolean;
}

const entryPoint = new URL('./inference-process.ts', import.meta.url);

export class InferenceChild implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #listener: ChildListener;
  readonly #batchMs: number;
  readonly #ended: Promise<void>;
  /** The batches that it holds, oldest first. */
  readonly #batches: HeldBatch[] = [];
  #state: ChildState = 'starting';
  #isAlone = false;
  #deadline: NodeJS.Timeout | undefined;
  #end: ChildEnd = 'died';

  constructor(options: ChildOptions, listener: ChildListener) {
    const { settings, quarantined, affinity, startMs, batchMs } = options;
    this.#listener = listener;
    this.#batchMs = batchMs;
    this.#process = forkInference(entryPoint, affinity);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#process.on('message', (message: FromProcess) => this.#receive(message));
    this.#process.on('error', (error) => this.#process.pid === undefined && this.#die(resolve, error.message));
    // What it had sent before it ended is read before the channel closes; its end may be noticed in either order.
    let left = 2;
    const half = (): void => {
      left -= 1;
      const { exitCode, signalCode } = this.#process;
      if (left === 0) this.#die(resolve, signalCode ?? `exit code ${exitCode}`);
    };
    this.#process.once('exit', half);
    this.#process.once('disconnect', half);
    this.#send({ type: 'start', settings, quarantined });
    this.#watch(startMs);
  }

  get state(): ChildState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get room(): 'idle' | 'prefetch' | 'none' {
    if (this.#state === 'ready') return 'idle';
    if (this.#state !== 'busy' || this.#isAlone) return 'none';
    return this.#batches.filter(({ late }) => !late).length < 2 ? 'prefetch' : 'none';
  }

  /** Only while there is room; a batch that is alone only while it is idle. */
  run(images: readonly BatchImage[], { alone }: { readonly alone: boolean }): void {
    this.#isAlone = alone;
    this.#batches.push({ imageIds: new Set(images.map(({ imageId }) => imageId)), late: false });
    if (this.#state === 'ready') this.#watch(this.#batchMs);
    this.#state = 'busy';
    this.#send({ type: 'batch', images });
  }

  cancel(imageId: number): void {
    this.#send({ type: 'cancel', imageId });
  }

  quarantine(sha256: string): void {
    this.#send({ type: 'quarantine', sha256 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill('stopped');
    await this.#ended;
  }

  #receive(message: FromProcess): void {
    if (this.#state === 'dead') return;
    switch (message.type) {
      case 'ready':
        clearTimeout(this.#deadline);
        this.#state = 'ready';
        this.#listener.ready(message.model);
        break;
      case 'refused':
        clearTimeout(this.#deadline);
        this.#listener.refused(message.error);
        break;
      case 'fetched':
        this.#listener.fetched(message.imageId, message.sha256);
        break;
      case 'late':
        this.#splitBatch(message.imageIds);
        break;
      case 'settled':
        this.#listener.settled(message.imageId, message.outcome, message.times);
        this.#leaveBatch(message.imageId);
        break;
      case 'dropped':
        this.#leaveBatch(message.imageId);
    }
  }

  #splitBatch(imageIds: readonly number[]): void {
    const held = imageIds.filter((imageId) => this.#batches.some((batch) => batch.imageIds.has(imageId)));
    for (const imageId of held) this.#batches.push({ imageIds: new Set([imageId]), late: true });
    for (const imageId of held) this.#leaveBatch(imageId);
  }

  /** The oldest batch with this image is the one that it leaves. */
  #leaveBatch(imageId: number): void {
    const position = this.#batches.findIndex((batch) => batch.imageIds.delete(imageId));
    if (position < 0 || this.#batches[position]?.imageIds.size !== 0) return;
    this.#batches.splice(position, 1);
    if (this.#batches.length === 0) {
      clearTimeout(this.#deadline);
      this.#state = 'ready';
    } else if (position === 0) this.#watch(this.#batchMs);
    this.#listener.batchEnded();
  }

  #watch(milliseconds: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#kill('timeout'), milliseconds);
  }

  #kill(end: ChildEnd): void {
    if (this.#state === 'dead') return;
    this.#end = end;
    this.#process.kill('SIGKILL');
  }

  #die(resolve: () => void, exit: string): void {
    if (this.#state === 'dead') return;
    clearTimeout(this.#deadline);
    this.#state = 'dead';
    this.#listener.ended(
      this.#end,
      this.#batches.flatMap(({ imageIds }) => [...imageIds]),
      exit,
    );
    resolve();
  }

  #send(message: ToProcess): void {
    // A failure to send is the end of the process, which is noticed by itself.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }
}

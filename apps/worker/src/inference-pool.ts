import { CaptionfleetError, errorFromReport, reportError } from '@captionfleet/protocol/errors';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { ImageReference } from '@captionfleet/protocol/image-reference';
import type { Task } from '@captionfleet/protocol/task';
import type { BatchEntry, BatchRunner } from './batcher.ts';
import { type ChildEnd, type ChildState, InferenceChild } from './inference-child.ts';
import type { BatchImage, ImageTimes, InferenceSettings, LoadedModel } from './inference-messages.ts';
import { Quarantine } from './quarantine.ts';

export interface ImageTask {
  readonly source: ImageReference;
  readonly task: Task;
  /** Told, before it is settled, when the stages of the image were. */
  readonly onTimed?: ((times: ImageTimes) => void) | undefined;
}

export interface InferencePoolConfig {
  readonly settings: InferenceSettings;
  readonly processes: number;
  /** The command that keeps the process of a slot on its cores; empty for none. */
  readonly affinity: (slot: number) => readonly string[];
  /** Milliseconds for one batch; then its process is replaced. */
  readonly batchMs: number;
  readonly events: PoolEvents;
}

/** What happens in the pool, for logs and metrics. */
export interface PoolEvents {
  /** An inference process has the bytes of an image and goes on to decode it. */
  imageFetched?(event: { pid: number | undefined; source: ImageReference; sha256: string }): void;
  processReady?(event: { pid: number | undefined; model: LoadedModel }): void;
  processEnded?(event: { pid: number | undefined; end: ChildEnd; exit: string; images: number }): void;
  imageQuarantined?(event: { source: ImageReference; sha256: string | undefined }): void;
  batchStarted?(event: { images: number }): void;
}

/** Milliseconds from the fork of a process to a warm model: a gigabyte is read, hashed and loaded. */
const startMs = 180_000;
/** Starts in a row that may fail, while no process is ready, before the pool gives up. */
const maxFailedStarts = 5;
const backoff = { firstMs: 250, longestMs: 10_000 } as const;
const maxQuarantined = 1000;
/** Ends of a process that an image may take part in. */
const maxDeaths = 2;

/** One place for a process, filled again when its process dies. */
interface Slot {
  readonly index: number;
  child: InferenceChild | undefined;
  /** Ends of its processes since one of them settled an image. */
  failures: number;
  restart: NodeJS.Timeout | undefined;
}

/** An image in the pool: in a process, or waiting to be run again. */
interface PoolImage extends BatchImage {
  readonly settle: (outcome: ImageOutcome) => void;
  readonly onTimed: ImageTask['onTimed'];
  readonly fail: (reason: unknown) => void;
  child: InferenceChild | undefined;
  /** Ends of a process that it took part in. */
  deaths: number;
  /** Known once a process has read its bytes. */
  sha256: string | undefined;
}

/**
 * Keeps inference processes alive and gives them batches.
 *
 * An image is in a process, suspected, or settled.
 * in a process  it is in a batch of a process. The process settles it, or dies: then it is suspected.
 * suspected     it waits, before all new batches, to be run with nothing beside it, so that what happens then is its own
 *               doing. When its process dies again the image is quarantined: settled as IMAGE_QUARANTINED, and refused
 *               from then on.
 * settled       its promise is. An image whose signal aborts is settled at once with the signal's reason, wherever it is.
 *
 * A process that dies is replaced: at once, then after pauses that double up to a bound, until one settles an image again.
 * The pool fails for good when the model is refused or no process can be started; see `failed`.
 */
export class InferencePool implements BatchRunner<ImageTask, ImageOutcome>, AsyncDisposable {
  readonly #config: InferencePoolConfig;
  readonly #slots: readonly Slot[];
  readonly #quarantine = new Quarantine(maxQuarantined);
  readonly #images = new Map<number, PoolImage>();
  readonly #suspected: PoolImage[] = [];
  readonly #failed = Promise.withResolvers<CaptionfleetError>();
  readonly #ready = Promise.withResolvers<LoadedModel>();
  #onRoom: () => void = () => undefined;
  #lastImageId = 0;
  #closed = false;

  constructor(config: InferencePoolConfig) {
    this.#config = config;
    this.#slots = Array.from({ length: config.processes }, (_, index) => ({
      index,
      child: undefined,
      failures: 0,
      restart: undefined,
    }));
    for (const slot of this.#slots) this.#start(slot);
  }

  /** Resolves when the first process is ready for a batch. */
  get ready(): Promise<LoadedModel> {
    return this.#ready.promise;
  }

  /** Resolves, never rejects, when the pool can do no more work: the reason that the worker ends for. */
  get failed(): Promise<CaptionfleetError> {
    return this.#failed.promise;
  }

  get processes(): Readonly<Record<ChildState, number>> {
    const count = { starting: 0, ready: 0, busy: 0, dead: 0 };
    for (const { child } of this.#slots) count[child?.state ?? 'dead'] += 1;
    return count;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get room(): 'idle' | 'prefetch' | 'none' {
    if (this.#closed || this.#suspected.length > 0) return 'none';
    const rooms = this.#slots.map(({ child }) => child?.room);
    if (rooms.includes('idle')) return 'idle';
    return rooms.includes('prefetch') ? 'prefetch' : 'none';
  }

  /** Has `listener` called whenever there may be more room than before. */
  onRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  run(
    batch: readonly BatchEntry<ImageTask>[],
    { alone }: { readonly alone: boolean },
  ): readonly Promise<ImageOutcome>[] {
    const { room } = this;
    const child = this.#slots.find((slot) => slot.child?.room === room)?.child;
    const images: PoolImage[] = [];
    const outcomes = batch.map(({ item, signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<ImageOutcome>();
      if (child === undefined || room === 'none') reject(stopping());
      else if (this.#quarantine.hasSource(item.source)) resolve(quarantined());
      else images.push(this.#admit(item, signal, resolve, reject));
      return promise;
    });
    if (child !== undefined) this.#give(child, images, alone);
    return outcomes;
  }

  /** Fails with SHUTTING_DOWN what waits to be run again, and starts no process any more. What runs goes on. */
  close(): void {
    this.#closed = true;
    for (const { restart } of this.#slots) clearTimeout(restart);
    for (const image of this.#suspected.splice(0)) image.fail(stopping());
  }

  /** Ends the processes. What they had not settled fails with SHUTTING_DOWN. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.all(this.#slots.map(({ child }) => child?.[Symbol.asyncDispose]()));
  }

  #admit(
    { source, task, onTimed }: ImageTask,
    signal: AbortSignal,
    resolve: (outcome: ImageOutcome) => void,
    reject: (reason: unknown) => void,
  ): PoolImage {
    this.#lastImageId += 1;
    const imageId = this.#lastImageId;
    const forget = (): void => {
      signal.removeEventListener('abort', abandon);
      this.#images.delete(imageId);
    };
    const image: PoolImage = {
      imageId,
      source,
      task,
      onTimed,
      settle(outcome) {
        forget();
        resolve(outcome);
      },
      fail(reason) {
        forget();
        reject(reason);
      },
      child: undefined,
      deaths: 0,
      sha256: undefined,
    };
    const abandon = (): void => {
      image.child?.cancel(imageId);
      const position = this.#suspected.indexOf(image);
      if (position >= 0) this.#suspected.splice(position, 1);
      image.fail(signal.reason);
      this.#roomChanged();
    };
    signal.addEventListener('abort', abandon, { once: true });
    this.#images.set(imageId, image);
    return image;
  }

  #give(child: InferenceChild, images: readonly PoolImage[], alone: boolean): void {
    if (images.length === 0) return;
    for (const image of images) image.child = child;
    this.#config.events.batchStarted?.({ images: images.length });
    child.run(
      images.map(({ imageId, source, task }) => ({ imageId, source, task })),
      { alone },
    );
  }

  #roomChanged(): void {
    for (const { child } of this.#slots) {
      if (child?.room !== 'idle') continue;
      const image = this.#suspected.shift();
      if (image === undefined) break;
      this.#give(child, [image], true);
    }
    this.#onRoom();
  }

  #start(slot: Slot): void {
    const { settings, affinity, batchMs, events } = this.#config;
    let wasReady = false;
    const child = new InferenceChild(
      { settings, quarantined: this.#quarantine.hashes, affinity: affinity(slot.index), startMs, batchMs },
      {
        ready: (model) => {
          wasReady = true;
          events.processReady?.({ pid: child.pid, model });
          this.#ready.resolve(model);
          this.#roomChanged();
        },
        refused: (error) => this.#fail(errorFromReport(error)),
        fetched: (imageId, sha256) => {
          const image = this.#images.get(imageId);
          if (image === undefined) return;
          image.sha256 = sha256;
          events.imageFetched?.({ pid: child.pid, source: image.source, sha256 });
        },
        settled: (imageId, outcome, times) => {
          slot.failures = 0;
          const image = this.#images.get(imageId);
          if (times !== undefined) image?.onTimed?.(times);
          image?.settle(outcome);
        },
        batchEnded: () => this.#roomChanged(),
        ended: (end, unsettled, exit) => {
          slot.child = undefined;
          events.processEnded?.({ pid: child.pid, end, exit, images: unsettled.length });
          for (const imageId of unsettled) this.#suspect(this.#images.get(imageId));
          this.#replace(slot, wasReady, exit);
        },
      },
    );
    slot.child = child;
  }

  /** A process ended with this image in it. */
  #suspect(image: PoolImage | undefined): void {
    if (image === undefined) return;
    image.child = undefined;
    image.deaths += 1;
    if (this.#closed) image.fail(stopping());
    else if (image.deaths < maxDeaths) this.#suspected.push(image);
    else this.#quarantineImage(image);
  }

  #quarantineImage({ source, sha256, settle }: PoolImage): void {
    if (sha256 === undefined) this.#quarantine.addSource(source);
    else {
      this.#quarantine.addHash(sha256);
      for (const { child } of this.#slots) child?.quarantine(sha256);
    }
    this.#config.events.imageQuarantined?.({ source, sha256 });
    settle(quarantined());
  }

  #replace(slot: Slot, wasReady: boolean, exit: string): void {
    if (this.#closed) return;
    slot.failures += 1;
    const { ready, busy } = this.processes;
    if (!wasReady && slot.failures >= maxFailedStarts && ready + busy === 0) {
      const reason = `${slot.failures} inference processes ended while they started, the last one with ${exit}`;
      this.#fail(new CaptionfleetError('INFERENCE_FAILED', reason));
      return;
    }
    const pauseMs = slot.failures === 1 ? 0 : Math.min(backoff.firstMs * 2 ** (slot.failures - 2), backoff.longestMs);
    slot.restart = setTimeout(() => this.#start(slot), pauseMs);
    // Another process may be idle, for what this one left behind.
    this.#roomChanged();
  }

  #fail(error: CaptionfleetError): void {
    this.close();
    this.#failed.resolve(error);
  }
}

const stopping = (): CaptionfleetError =>
  new CaptionfleetError('SHUTTING_DOWN', 'the worker is stopping before this image was worked on');

const quarantined = (): ImageOutcome => ({
  status: 'failed',
  error: reportError(new CaptionfleetError('IMAGE_QUARANTINED', 'the image ended an inference process twice')),
});

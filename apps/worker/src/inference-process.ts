// A process in which native code runs: it fetches, decodes and resizes here, and infers on its inference thread. It is
// forked and watched by inference-child.ts, and may die without harm to anybody but the image that ended it.
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { prepareImage } from '@captionfleet/blip/preprocess';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import type { ImageFacts, ImageOutcome, ModelIdentity, Timings } from '@captionfleet/protocol/image-outcome';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { type ImageSource, openImageSource } from '@captionfleet/storage/image-source';
import type {
  BatchImage,
  FromProcess,
  FromThread,
  GroupAnswer,
  ImageTimes,
  InferenceSettings,
  LoadedModel,
  ThreadSettings,
  ToProcess,
  ToThread,
} from './inference-messages.ts';
import { Permits } from './permits.ts';

/** Images that are decoded at a time: one takes up to some hundred megabytes, and there is about one core. */
const maxDecodes = 2;
/** Milliseconds that an idle inference thread waits for the last images of a batch. */
const patienceMs = 250;

interface Prepared {
  readonly image: BatchImage;
  readonly signal: AbortSignal;
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly facts: ImageFacts;
  readonly fetchMs: number;
  readonly preprocessMs: number;
  readonly times: ImageTimes;
}

type Ran = Extract<FromThread, { type: 'ran' }>;

interface EngineThread {
  readonly model: LoadedModel;
  readonly imageSide: number;
  /** The pixels are transferred: they are gone here afterwards. */
  run(group: readonly Prepared[]): Promise<Ran>;
  /** Resolves when no group runs or waits to be run. */
  idle(): Promise<void>;
}

const send = (message: FromProcess): void => void process.send?.(message);

// Ctrl-C and service managers signal every process of a group; the main process alone decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
// The main process let go, or died. process.exit would wait until the inference thread returns from its run.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const quarantined = new Set<string>();
/** The images here that can still be left out, by their id. */
const cancellable = new Map<number, AbortController>();
/** Prepared after the rest of their batch was gone. */
const late: Prepared[] = [];
const decodePermits = new Permits(maxDecodes);

const [start] = (await once(process, 'message')) as [ToProcess];
if (start.type !== 'start') throw new Error(`the first message is ${start.type} and must be start`);
for (const sha256 of start.quarantined) quarantined.add(sha256);
const source = await openSource(start.settings);
const thread = await openThread(start.settings);
if (thread !== undefined) {
  process.on('message', (message: ToProcess) => receive(message, source, thread));
  send({ type: 'ready', model: thread.model });
}

function receive(message: ToProcess, source: ImageSource, thread: EngineThread): void {
  if (message.type === 'batch') void runBatch(message.images, source, thread);
  if (message.type === 'cancel') cancellable.get(message.imageId)?.abort();
  if (message.type === 'quarantine') quarantined.add(message.sha256);
}

/**
 * Settles or drops every image of the batch. Its images run together when all of them are prepared; those that the
 * inference thread would have to wait for are late: it goes on without them, and they run when they are here.
 */
async function runBatch(images: readonly BatchImage[], source: ImageSource, thread: EngineThread): Promise<void> {
  for (const { imageId } of images) cancellable.set(imageId, new AbortController());
  const missing = new Set(images.map(({ imageId }) => imageId));
  const group: Prepared[] = [];
  let isGone = false;
  const preparing = images.map(async (image) => {
    const prepared = await prepareOrSettle(image, source, thread.imageSide);
    missing.delete(image.imageId);
    if (prepared === undefined) return;
    if (isGone) await runLate(prepared, thread);
    else group.push(prepared);
  });
  const all = Promise.all(preparing);
  await Promise.race([all, sleep(patienceMs).then(() => thread.idle())]);
  isGone = true;
  if (missing.size > 0) send({ type: 'late', imageIds: [...missing] });
  await runGroup(group, thread);
  await all;
}

/** Those that come while the thread is busy run together. */
async function runLate(prepared: Prepared, thread: EngineThread): Promise<void> {
  late.push(prepared);
  await thread.idle();
  await runGroup(late.splice(0), thread);
}

async function runGroup(prepared: readonly Prepared[], thread: EngineThread): Promise<void> {
  const group = prepared.filter(isWanted);
  if (group.length === 0) return;
  for (const { image } of group) cancellable.delete(image.imageId);
  const { groupId, answers, startedAt, endedAt } = await thread.run(group);
  const run = { id: `${process.pid}.${groupId}`, images: group.length, startedAt, endedAt };
  for (const [position, { image, facts, fetchMs, preprocessMs, times }] of group.entries()) {
    const answer = answers[position];
    if (answer === undefined) throw new Error('the inference thread lost an image');
    const outcome: ImageOutcome =
      'error' in answer
        ? { status: 'failed', error: answer.error }
        : succeeded(answer, facts, thread.model.identity, { fetchMs, preprocessMs });
    send({ type: 'settled', imageId: image.imageId, outcome, times: { ...times, run } });
  }
}

type Stages = Pick<Timings, 'fetchMs' | 'preprocessMs'>;

function succeeded(
  { inferenceMs, ...result }: Exclude<GroupAnswer, { error: unknown }>,
  image: ImageFacts,
  model: ModelIdentity,
  stages: Stages,
): ImageOutcome {
  return { status: 'succeeded', ...result, image, model, timings: { ...stages, inferenceMs } };
}

function isWanted({ image, signal }: Prepared): boolean {
  if (signal.aborted) drop(image.imageId);
  return !signal.aborted;
}

function drop(imageId: number): void {
  cancellable.delete(imageId);
  send({ type: 'dropped', imageId });
}

async function prepareOrSettle(image: BatchImage, source: ImageSource, side: number): Promise<Prepared | undefined> {
  const { imageId } = image;
  const signal = cancellable.get(imageId)?.signal ?? AbortSignal.abort();
  try {
    return await prepare(image, source, side, signal);
  } catch (error) {
    if (signal.aborted) drop(imageId);
    else {
      cancellable.delete(imageId);
      if (!(error instanceof CaptionfleetError)) console.error(error);
      send({ type: 'settled', imageId, outcome: { status: 'failed', error: reportError(error) } });
    }
    return undefined;
  }
}

async function prepare(image: BatchImage, source: ImageSource, side: number, signal: AbortSignal): Promise<Prepared> {
  const started = performance.now();
  const startedAt = Date.now();
  const { bytes, sha256 } = await source.fetch(image.source, { signal });
  const fetchMs = performance.now() - started;
  const fetchedAt = Date.now();
  send({ type: 'fetched', imageId: image.imageId, sha256 });
  using _ = await decodePermits.acquire();
  if (quarantined.has(sha256)) {
    throw new CaptionfleetError('IMAGE_QUARANTINED', 'an image of these bytes ended inference processes before');
  }
  const fetched = performance.now();
  const { pixels, width, height, format } = await prepareImage(bytes, side, { signal });
  return {
    image,
    signal,
    // A buffer of its own, whatever `pixels` is a view of: it is transferred.
    pixels: new Uint8Array(pixels),
    facts: { width, height, format, sha256 },
    fetchMs,
    preprocessMs: performance.now() - fetched,
    times: { fetch: [startedAt, fetchedAt], preprocess: [fetchedAt, Date.now()] },
  };
}

async function openSource({ blobs, imageContainers, allowPrivateHosts }: InferenceSettings): Promise<ImageSource> {
  const blobStore = blobs === undefined ? undefined : await openBlobStore(blobs);
  return openImageSource({ blobStore, allowedContainers: imageContainers, allowPrivateHosts });
}

/** Undefined when the model is refused, which is reported. A thread that ends takes the process with it. */
async function openThread({ modelDirectory, prepared, threads }: InferenceSettings): Promise<EngineThread | undefined> {
  const workerData: ThreadSettings = { modelDirectory, prepared, threads };
  const worker = new Worker(new URL('./inference-thread.ts', import.meta.url), { workerData });
  worker.once('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  const dieWithThread = (): void => process.exit(1);
  worker.once('exit', dieWithThread);
  // A listener and no await: a thread that refuses ends, and its end may be told in the same turn as its message.
  const { promise: first, resolve } = Promise.withResolvers<FromThread>();
  worker.once('message', (message: FromThread) => {
    if (message.type === 'refused') worker.off('exit', dieWithThread);
    resolve(message);
  });
  const opened = await first;
  if (opened.type === 'refused') {
    send(opened);
    return undefined;
  }
  if (opened.type !== 'opened') throw new Error(`the first message of the thread is ${opened.type}`);

  const running = new Map<number, (ran: Ran) => void>();
  const idle = new EventEmitter();
  let lastGroupId = 0;
  worker.on('message', (message: FromThread) => {
    if (message.type !== 'ran') return;
    running.get(message.groupId)?.(message);
    running.delete(message.groupId);
    if (running.size === 0) idle.emit('idle');
  });
  return {
    model: opened.model,
    imageSide: opened.imageSide,
    run(group) {
      lastGroupId += 1;
      const { promise, resolve } = Promise.withResolvers<Ran>();
      running.set(lastGroupId, resolve);
      const items = group.map(({ image, pixels }) => ({ pixels, task: image.task }));
      const message: ToThread = { groupId: lastGroupId, items };
      worker.postMessage(
        message,
        items.map(({ pixels }) => pixels.buffer),
      );
      return promise;
    },
    async idle() {
      if (running.size > 0) await once(idle, 'idle');
    },
  };
}

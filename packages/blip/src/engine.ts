import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { ModelIdentity } from '@captionfleet/protocol/image-outcome';
import type { ModelTask, Task, TaskOf, TaskType } from '@captionfleet/protocol/task';
import type { TaskResult } from '@captionfleet/protocol/task-result';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { startAnswers } from './answer-batch.ts';
import { startCaptions } from './caption-batch.ts';
import { startMatches } from './match-batch.ts';
import { assertHead, type ModelDirectory, modelFiles, type Variant } from './model-directory.ts';
import { openPrepared, type PreparedVariant } from './prepared-model.ts';
import { createSession } from './session.ts';
import type { EncodedImage, TaskBatch, Work } from './task-batch.ts';
import { textGenerator } from './text-generator.ts';
import { openTokenizer } from './tokenizer.ts';

export interface EngineInput {
  /** RGB bytes [imageSide, imageSide, 3], as `prepareImage` gives them. Items with the same array share its encoding. */
  readonly pixels: Uint8Array;
  readonly task: Task;
}

export type EngineAnswer =
  | (TaskResult & {
      /** Milliseconds: the item's share of its image's encoder run, and of the runs of its task. */
      readonly inferenceMs: number;
    })
  | { readonly error: CaptionfleetError };

/** A BLIP model in memory. Its runs block the thread that calls them. */
export interface Engine extends AsyncDisposable {
  readonly identity: ModelIdentity;
  readonly imageSide: number;
  readonly tasks: readonly ModelTask[];
  /**
   * Does tasks together; answers in their order. An item with a task that the model does not have (TASK_UNSUPPORTED) or
   * with wrong options (OPTION_INVALID) has its own error and does not touch the others; what stands beside an item
   * changes its numbers in the last bits at most.
   *
   * @throws INFERENCE_FAILED when the runtime fails; the signal's reason between two runs
   */
  run(items: readonly EngineInput[], options: { readonly signal: AbortSignal }): Promise<readonly EngineAnswer[]>;
  /** Does each task on a gray image, so that the first real one does not pay for first allocations. */
  warmUp(): Promise<void>;
}

export interface EngineOptions {
  readonly intraOpThreads: number;
  /** @defaultValue 'fp32' */
  readonly variant?: Variant;
  /** The variant's graphs as `prepareVariant` left them: they load faster, and processes share their weights. */
  readonly prepared?: PreparedVariant;
}

/** @throws MODEL_CORRUPT when the runtime refuses a graph, MODEL_UNSUPPORTED for its tokenizer */
export async function openEngine(
  model: ModelDirectory,
  { intraOpThreads, prepared, variant = prepared?.variant ?? 'fp32' }: EngineOptions,
): Promise<Engine> {
  const { id, revision, image, tasks } = model.manifest;
  await using sessions = new AsyncDisposableStack();
  const open = async (file: string): Promise<InferenceSession> => {
    const session = await (prepared === undefined
      ? createSession(model.file(file, variant), { intraOpNumThreads: intraOpThreads })
      : openPrepared(prepared, file, intraOpThreads));
    sessions.defer(() => session.release());
    return session;
  };
  const encoder = await open(modelFiles.visionEncoder);
  const startBatches = await openHeads(model, open);
  const opened = sessions.move();

  const engine: Engine = {
    identity: { id, revision, variant },
    imageSide: image.side,
    tasks,
    async run(items, { signal }) {
      const batches = startBatches();
      const images = new Map<Uint8Array, SharedImage>();
      const works = items.map((item) => planItem(item, model, batches, images));
      try {
        for (const [pixels, shared] of images) await encode(pixels, shared, signal);
        for (const batch of new Set(Object.values(batches))) await batch.run(signal);
      } catch (cause) {
        signal.throwIfAborted();
        throw new CaptionfleetError('INFERENCE_FAILED', 'the runtime failed on these images', { cause });
      }
      return works.map((planned) => ('work' in planned ? answerOf(planned) : planned));
    },
    async warmUp() {
      const pixels = new Uint8Array(image.side * image.side * 3).fill(127);
      const items = tasks.map((task) => ({ pixels, task: warmUpTasks[task] }));
      await engine.run(items, { signal: new AbortController().signal });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return engine;

  /** Image by image: on a CPU a batch of images is slower than its members one after the other. */
  async function encode(bytes: Uint8Array, shared: SharedImage, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const started = performance.now();
    const outputs = await encoder.run({ pixels: new Tensor('uint8', bytes, [1, image.side, image.side, 3]) });
    const data = (name: string) => outputs[name]?.data as Float32Array;
    shared.states = {
      values: data('image_embeds'),
      ...(tasks.includes('caption') ? { transposed: data('image_embeds_transposed') } : {}),
      tokens: image.tokens,
    };
    if (tasks.includes('match')) shared.features = data('image_features');
    shared.encodeMs = performance.now() - started;
  }
}

/** The batches of one run, for the tasks that the model has. */
type Batches = { readonly [Type in TaskType]?: TaskBatch<TaskOf<Type>> };

/** Opens the graphs of the heads that the model has. Returns what starts a run's batches. */
async function openHeads(
  model: ModelDirectory,
  open: (file: string) => Promise<InferenceSession>,
): Promise<() => Batches> {
  const { manifest } = model;
  const tokenizer = await openTokenizer(model);
  const heads: Readonly<Record<ModelTask, () => Promise<() => Batches>>> = {
    async caption() {
      const generator = textGenerator(await open(modelFiles.textDecoder), manifest, tokenizer);
      return () => ({ caption: startCaptions(generator) });
    },
    async match() {
      const encoder = await open(modelFiles.textEncoder);
      return () => {
        const batch = startMatches(encoder, model, tokenizer);
        return { match: batch, embed: batch };
      };
    },
    async answer() {
      const encoder = await open(modelFiles.questionEncoder);
      const generator = textGenerator(await open(modelFiles.answerDecoder), manifest, tokenizer);
      return () => ({ answer: startAnswers(encoder, generator, model, tokenizer) });
    },
  };
  const starts: (() => Batches)[] = [];
  for (const task of manifest.tasks) starts.push(await heads[task]());
  return () => Object.assign({}, ...starts.map((start) => start()));
}

const warmUpTasks: Readonly<Record<ModelTask, Task>> = {
  caption: { type: 'caption', options: { max_new_tokens: 2 } },
  match: { type: 'match', texts: ['a'] },
  answer: { type: 'answer', questions: ['a'], options: { max_new_tokens: 2 } },
};

interface SharedImage extends EncodedImage {
  encodeMs: number;
  /** Items that ask something of it. */
  items: number;
}

interface Planned {
  readonly work: Work;
  readonly image: SharedImage;
}

function planItem(
  { pixels, task }: EngineInput,
  { manifest }: ModelDirectory,
  batches: Batches,
  images: Map<Uint8Array, SharedImage>,
): Planned | { readonly error: CaptionfleetError } {
  try {
    const { side } = manifest.image;
    if (pixels.length !== side * side * 3) {
      throw new CaptionfleetError(
        'INTERNAL',
        `${pixels.length} bytes of pixels where the model takes ${side * side * 3}`,
      );
    }
    const image = images.get(pixels) ?? newImage();
    assertHead(manifest, task.type);
    const work = batchOf(task, batches).add(task, image);
    image.items += 1;
    images.set(pixels, image);
    return { work, image };
  } catch (error) {
    if (error instanceof CaptionfleetError) return { error };
    throw error;
  }
}

const newImage = (): SharedImage => ({
  states: { values: new Float32Array(0), tokens: 1 },
  features: new Float32Array(0),
  encodeMs: 0,
  items: 0,
});

function batchOf<Type extends TaskType>(task: TaskOf<Type>, batches: Batches): TaskBatch<TaskOf<Type>> {
  const batch = batches[task.type];
  if (batch === undefined) throw new Error(`the head to ${task.type} was not opened`);
  return batch;
}

const answerOf = ({ work, image }: Planned): EngineAnswer => ({
  ...work.result(),
  inferenceMs: image.encodeMs / image.items + work.spentMs,
});

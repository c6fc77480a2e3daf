import type { Caption, ModelIdentity } from '@captionfleet/protocol/caption-result';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { startBeamSearch } from './beam-search.ts';
import { decodeGroup } from './decode-group.ts';
import { type GenerationConfig, resolveGenerationConfig } from './generation-config.ts';
import { type ModelDirectory, modelFiles } from './model-directory.ts';
import { startSampling } from './sampling-search.ts';
import type { FoundSequence, SequenceSearch } from './sequence-search.ts';
import { openTokenizer, type Tokenizer } from './tokenizer.ts';

export interface CaptionInput {
  /** RGB bytes [imageSide, imageSide, 3], as `prepareImage` gives them. */
  readonly pixels: Uint8Array;
  readonly options: GenerationOptions;
}

export type CaptionAnswer =
  | {
      /** As many as `num_return_sequences`, best first. */
      readonly captions: Caption[];
      /** Milliseconds: this image's encoder run and its equal share of the decoder's. */
      readonly inferenceMs: number;
    }
  | { readonly error: CaptionfleetError };

/** A BLIP captioner in memory. Its runs block the thread that calls them. */
export interface Captioner extends AsyncDisposable {
  readonly identity: ModelIdentity;
  readonly imageSide: number;
  /**
   * Captions images together; answers in their order. An item with wrong options has its own error (OPTION_INVALID) and
   * does not touch the others; which images stand beside one changes its log-probabilities in the last bits at most.
   *
   * @throws INFERENCE_FAILED when the runtime fails; the signal's reason between two runs
   */
  caption(items: readonly CaptionInput[], options: { readonly signal: AbortSignal }): Promise<readonly CaptionAnswer[]>;
  /** Captions a gray image, so that the first real one does not pay for first allocations. */
  warmUp(): Promise<void>;
}

/** Rows of one decoder step at most: beyond it a step gains nothing and its state grows. */
const maxRows = 64;

/** @throws MODEL_CORRUPT when the runtime refuses a graph, MODEL_UNSUPPORTED for its tokenizer */
export async function openCaptioner(
  model: ModelDirectory,
  { intraOpThreads }: { readonly intraOpThreads: number },
): Promise<Captioner> {
  const { manifest } = model;
  const tokenizer = await openTokenizer(model);
  const encoder = await openSession(model, modelFiles.visionEncoder, intraOpThreads);
  const decoder = await openSession(model, modelFiles.textDecoder, intraOpThreads);
  const { id, revision, variant, image } = manifest;

  // bos and sep by id: some tokenizers list them as ordinary pieces.
  const frame = new Set([manifest.text.bosTokenId, manifest.text.sepTokenId, manifest.text.padTokenId]);
  const textOf: TextOf = (tokens) => tokenizer.decode(tokens.filter((token) => !frame.has(token)));

  const captioner: Captioner = {
    identity: { id, revision, variant },
    imageSide: image.side,
    async caption(items, { signal }) {
      const tasks = items.map((item) => planTask(item, model, tokenizer));
      const ready = tasks.filter((task) => 'search' in task);
      try {
        for (const task of ready) await encode(task, signal);
        for (const group of groupTasks(ready)) await decode(group, signal);
      } catch (cause) {
        signal.throwIfAborted();
        throw new CaptionfleetError('INFERENCE_FAILED', 'the runtime failed on these images', { cause });
      }
      return tasks.map((task) => ('search' in task ? answer(task, textOf) : task));
    },
    async warmUp() {
      const pixels = new Uint8Array(image.side * image.side * 3).fill(127);
      await captioner.caption([{ pixels, options: { max_new_tokens: 2 } }], { signal: new AbortController().signal });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([encoder.release(), decoder.release()]);
    },
  };
  return captioner;

  /** Image by image: on a CPU a batch of images is slower than its members one after the other. */
  async function encode(task: Task, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const started = performance.now();
    const pixels = new Tensor('uint8', task.pixels, [1, image.side, image.side, 3]);
    const outputs = await encoder.run({ pixels });
    task.imageEmbeds = outputs['image_embeds']?.data as Float32Array;
    task.inferenceMs = performance.now() - started;
  }

  async function decode(group: readonly Task[], signal: AbortSignal): Promise<void> {
    const started = performance.now();
    await decodeGroup(decoder, manifest, group, signal);
    const share = (performance.now() - started) / group.length;
    for (const task of group) task.inferenceMs += share;
  }
}

interface Task {
  readonly pixels: Uint8Array;
  /** bos and the prompt's tokens. */
  readonly prompt: readonly number[];
  readonly search: SequenceSearch;
  imageEmbeds: Float32Array;
  inferenceMs: number;
}

function planTask(
  { pixels, options }: CaptionInput,
  { manifest }: ModelDirectory,
  tokenizer: Tokenizer,
): Task | { error: CaptionfleetError } {
  try {
    const { side } = manifest.image;
    if (pixels.length !== side * side * 3) {
      throw new CaptionfleetError(
        'INTERNAL',
        `${pixels.length} bytes of pixels where the model takes ${side * side * 3}`,
      );
    }
    const { bosTokenId, sepTokenId, padTokenId, maxPositions } = manifest.text;
    const prompt = [bosTokenId, ...(options.prompt === undefined ? [] : tokenizer.encode(options.prompt))];
    const limits = { endTokenId: sepTokenId, padTokenId, maxPositions };
    const search = startSearch(prompt, resolveGenerationConfig(options, prompt.length, limits));
    return { pixels, prompt, search, imageEmbeds: new Float32Array(0), inferenceMs: 0 };
  } catch (error) {
    if (error instanceof CaptionfleetError) return { error };
    throw error;
  }
}

const startSearch = (prompt: readonly number[], config: GenerationConfig): SequenceSearch =>
  config.numBeams > 1 ? startBeamSearch(prompt, config) : startSampling(prompt, config);

/** The decoder steps images together whose prompts are equally long and that ask for equally many rows. */
function groupTasks(tasks: readonly Task[]): readonly (readonly Task[])[] {
  const alike = Map.groupBy(tasks, ({ prompt, search }) => `${search.width}:${prompt.length}`);
  return [...alike.values()].flatMap((group) => {
    const size = Math.max(1, Math.floor(maxRows / (group[0]?.search.width ?? 1)));
    return Array.from({ length: Math.ceil(group.length / size) }, (_, part) =>
      group.slice(part * size, (part + 1) * size),
    );
  });
}

type TextOf = (tokens: readonly number[]) => string;

function answer({ search, prompt, inferenceMs }: Task, textOf: TextOf): CaptionAnswer {
  return { captions: search.results().map((found) => toCaption(found, prompt.length, textOf)), inferenceMs };
}

function toCaption({ tokens, logProbability }: FoundSequence, promptLength: number, textOf: TextOf): Caption {
  const meanLogProbability = logProbability / (tokens.length - promptLength);
  return {
    text: textOf(tokens),
    tokens: [...tokens],
    confidence: Math.exp(meanLogProbability),
    meanLogProbability,
  };
}

async function openSession(model: ModelDirectory, file: string, intraOpThreads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model.file(file), {
      intraOpNumThreads: intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Threads that spin while they wait take the cores of the processes beside this one.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (cause) {
    if (cause instanceof CaptionfleetError) throw cause;
    throw new CaptionfleetError('MODEL_CORRUPT', `${file}: ONNX Runtime cannot load it`, { cause });
  }
}

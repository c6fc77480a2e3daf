import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Caption } from '@captionfleet/protocol/task-result';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Engine, EngineAnswer, EngineInput } from './engine.ts';
import type { GenerationConfig } from './generation-config.ts';
import { type CaptionGraphPrecision, captionGraphFiles, type ModelDirectory } from './model-directory.ts';
import { createSession } from './session.ts';
import { integers } from './tensors.ts';
import { captionsOf, readGeneration } from './text-generator.ts';
import { openTokenizer } from './tokenizer.ts';

export interface GraphCaptionerOptions {
  readonly provider: 'cpu' | 'cuda';
  /** Number of the GPU. @defaultValue 0 */
  readonly deviceId?: number;
  readonly precision: CaptionGraphPrecision;
  /** Threads of what runs on the CPU. @defaultValue 1 */
  readonly intraOpThreads?: number;
  /** Images of a run, ascending: fewer are filled up to the next of these. @defaultValue imageBuckets */
  readonly buckets?: readonly number[];
}

/** Few sizes, so that a warmed provider has seen each of them: it tunes and allocates by shape. */
const imageBuckets = [1, 8, 32] as const;

/** As many tokens as captions have by default. */
const warmUpTokens = 20;

/**
 * An engine whose captions come out of one graph from pixels to tokens (caption-graph.ts), many images a run. It captions
 * greedily; other tasks are TASK_UNSUPPORTED here, and options that ask for another search OPTION_INVALID.
 *
 * @throws MODEL_NOT_FOUND when the model was built without the graph, MODEL_CORRUPT when the runtime refuses it, CONFIG_INVALID
 * when the provider does not start here, MODEL_UNSUPPORTED for its tokenizer
 */
export async function openGraphCaptioner(
  model: ModelDirectory,
  { provider, deviceId = 0, precision, intraOpThreads = 1, buckets = imageBuckets }: GraphCaptionerOptions,
): Promise<Engine> {
  const { id, revision, image, text } = model.manifest;
  const largest = buckets.at(-1) ?? 1;
  const tokenizer = await openTokenizer(model);
  const toCaption = captionsOf(model.manifest, tokenizer);
  const session = await openSession(model, { provider, deviceId, precision, intraOpThreads });

  const engine: Engine = {
    identity: { id, revision, variant: precision },
    imageSide: image.side,
    tasks: ['caption'],
    async run(items, { signal }) {
      const works = items.map(plan);
      const alike = Map.groupBy(
        works.filter((work) => 'prompt' in work),
        ({ prompt, config }) => [config.maxLength, config.minLength, ...prompt].join(),
      );
      for (const group of alike.values()) {
        for (let start = 0; start < group.length; start += largest) {
          signal.throwIfAborted();
          await caption(group.slice(start, start + largest), signal);
        }
      }
      return works.map((work) => ('prompt' in work ? answerOf(work) : work));
    },
    async warmUp() {
      const pixels = new Uint8Array(image.side * image.side * 3).fill(127);
      const tokens = Math.min(warmUpTokens, text.maxPositions - 1);
      const options = { max_new_tokens: tokens, min_new_tokens: tokens };
      for (const size of buckets) {
        const items = Array.from({ length: size }, () => ({ pixels, task: { type: 'caption', options } as const }));
        await engine.run(items, { signal: new AbortController().signal });
      }
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
  return engine;

  function plan({ pixels, task }: EngineInput): Work | { readonly error: CaptionfleetError } {
    try {
      if (task.type !== 'caption') {
        throw new CaptionfleetError('TASK_UNSUPPORTED', `this engine captions; it has no head to ${task.type}`);
      }
      const bytes = image.side * image.side * 3;
      if (pixels.length !== bytes) {
        throw new CaptionfleetError('INTERNAL', `${pixels.length} bytes of pixels where the model takes ${bytes}`);
      }
      const { prompt, config } = readGeneration(task.options, model.manifest, tokenizer);
      assertGreedy(config);
      return { pixels, prompt, config, captions: [], inferenceMs: 0 };
    } catch (error) {
      if (error instanceof CaptionfleetError) return { error };
      throw error;
    }
  }

  /** One run, of works that ask for the same. */
  async function caption(works: readonly Work[], signal: AbortSignal): Promise<void> {
    const started = performance.now();
    const [{ prompt, config } = works[0] as Work] = works;
    const size = buckets.find((bucket) => bucket >= works.length) ?? works.length;
    const outputs = await session
      .run({
        pixels: stackPixels(works, size, image.side),
        prompt: integers(prompt),
        max_new_tokens: integers([config.maxLength - prompt.length]),
        min_new_tokens: integers([Math.max(0, config.minLength - prompt.length)]),
      })
      .catch((cause: unknown) => {
        signal.throwIfAborted();
        throw new CaptionfleetError('INFERENCE_FAILED', 'the runtime failed on these images', { cause });
      });
    const tokens = outputs['tokens'] as Tensor;
    const logProbabilities = outputs['log_probabilities']?.data as Float32Array;
    for (const [row, work] of works.entries()) {
      const found = { tokens: rowOf(tokens, row, work), logProbability: logProbabilities[row] as number };
      work.captions = [toCaption(found, prompt.length)];
      work.inferenceMs = (performance.now() - started) / works.length;
    }
  }
}

interface Work {
  readonly pixels: Uint8Array;
  /** bos and the prompt's tokens. */
  readonly prompt: readonly number[];
  readonly config: GenerationConfig;
  captions: Caption[];
  inferenceMs: number;
}

const answerOf = ({ captions, inferenceMs }: Work): EngineAnswer => ({ captions, inferenceMs });

async function openSession(
  model: ModelDirectory,
  { provider, deviceId, precision, intraOpThreads }: Required<Omit<GraphCaptionerOptions, 'buckets'>>,
): Promise<InferenceSession> {
  const path = model.file(captionGraphFiles[precision]);
  const options = { intraOpNumThreads: intraOpThreads };
  if (provider === 'cpu') return await createSession(path, options);
  try {
    return await createSession(path, { ...options, executionProviders: [{ name: 'cuda', deviceId }] });
  } catch (cause) {
    // The files were compared with their checksums: what fails here is CUDA or its libraries.
    throw new CaptionfleetError('CONFIG_INVALID', `ONNX Runtime cannot use CUDA on GPU ${deviceId} here`, { cause });
  }
}

/** @throws OPTION_INVALID when the graph does not decode so */
function assertGreedy({ numBeams, sampling, repetitionPenalty, noRepeatNgramSize }: GenerationConfig): void {
  const other = {
    num_beams: numBeams > 1,
    do_sample: sampling !== undefined,
    repetition_penalty: repetitionPenalty !== 1,
    no_repeat_ngram_size: noRepeatNgramSize > 0,
  };
  const names = Object.entries(other).flatMap(([name, asked]) => (asked ? [name] : []));
  if (names.length === 0) return;
  throw new CaptionfleetError('OPTION_INVALID', `this engine decodes greedily; it does not take ${names.join(', ')}`);
}

/** [size, side, side, 3]. What is left is filled with the last image: copies of it end when it does and prolong nothing. */
function stackPixels(works: readonly Work[], size: number, side: number): Tensor {
  const bytes = side * side * 3;
  const stacked = new Uint8Array(size * bytes);
  for (let place = 0; place < size; place += 1) {
    stacked.set((works[Math.min(place, works.length - 1)] as Work).pixels, place * bytes);
  }
  return new Tensor('uint8', stacked, [size, side, side, 3]);
}

/** A row of int64 [N, L], without the padding after its end token. */
function rowOf(tokens: Tensor, row: number, { prompt, config }: Work): readonly number[] {
  const length = tokens.dims[1] ?? 0;
  const all = Array.from((tokens.data as BigInt64Array).subarray(row * length, (row + 1) * length), Number);
  const end = all.indexOf(config.endTokenId, prompt.length);
  return end === -1 ? all : all.slice(0, end + 1);
}

import type { TaskOf } from '@captionfleet/protocol/task';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelDirectory } from './model-directory.ts';
import { packTexts, partsOfTexts, type TokenizedText, tokenizeTexts } from './packed-texts.ts';
import type { EncodedImage, TaskBatch, Work } from './task-batch.ts';
import { integers } from './tensors.ts';
import type { Tokenizer } from './tokenizer.ts';

interface ReadText {
  readonly text: string;
  readonly tokens: TokenizedText;
  /** Of length 1. */
  features: Float32Array;
  /** That it is true of the image; asked of a match only. */
  probability: number;
}

interface Asked {
  readonly isMatch: boolean;
  readonly image: EncodedImage;
  readonly texts: readonly ReadText[];
  spentMs: number;
}

/**
 * Matches and embeddings: the text encoder reads texts before the image and, for the vectors, without it. A text is read in
 * one run both ways, with the other texts of its image.
 */
export function startMatches(
  encoder: InferenceSession,
  model: ModelDirectory,
  tokenizer: Tokenizer,
): TaskBatch<TaskOf<'match' | 'embed'>> {
  const asked: Asked[] = [];
  return {
    add({ type, texts }, image) {
      const tokens = tokenizeTexts(texts, 'texts', model, tokenizer);
      const read = texts.map(
        (text, index): ReadText => ({
          ...{ text, tokens: tokens[index] ?? [], features: new Float32Array(0), probability: Number.NaN },
        }),
      );
      const task: Asked = { isMatch: type === 'match', image, texts: read, spentMs: 0 };
      asked.push(task);
      return workOf(task);
    },
    async run(signal) {
      for (const task of asked) {
        for (const part of partsOfTexts(task.texts, task.isMatch ? 2 : 1)) {
          signal.throwIfAborted();
          const started = performance.now();
          await readTexts(encoder, model, task, part);
          task.spentMs += performance.now() - started;
        }
      }
    },
  };
}

const workOf = (task: Asked): Work => ({
  result() {
    const { isMatch, image, texts } = task;
    if (isMatch) {
      return {
        matches: texts.map(({ text, probability, features }) => ({
          text,
          probability,
          similarity: product(image.features, features),
        })),
      };
    }
    const vectors = texts.map(({ text, features }) => ({ text, embedding: decimals(features) }));
    return { embedding: { image: decimals(image.features), texts: vectors } };
  },
  get spentMs() {
    return task.spentMs;
  },
});

async function readTexts(
  encoder: InferenceSession,
  { manifest }: ModelDirectory,
  { image, isMatch }: Asked,
  texts: readonly ReadText[],
): Promise<void> {
  const tokens = texts.map((text) => text.tokens);
  // Where nothing is to be matched one row stands for it: ONNX Runtime 1.30 dies of a product with no rows.
  const grounded = isMatch ? tokens : [tokens[0]?.slice(0, 1) ?? []];
  const { starts, inputs } = packTexts([...grounded, ...tokens]);
  const outputs = await encoder.run({
    ...inputs,
    grounded: integers([grounded.flat().length]),
    starts: integers(starts),
    image_embeds: new Tensor('float32', image.states.values, [1, image.states.tokens, manifest.image.width]),
  });
  const probabilities = outputs['match_probabilities']?.data as Float32Array;
  const features = outputs['text_features']?.data as Float32Array;
  const size = features.length / starts.length;
  for (const [index, text] of texts.entries()) {
    if (isMatch) text.probability = probabilities[index] as number;
    const place = (grounded.length + index) * size;
    text.features = features.slice(place, place + size);
  }
}

const product = (left: Float32Array, right: Float32Array): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? Number.NaN), 0);

/** Nine digits tell every float32 from its neighbours; a double's seventeen would say nothing more. */
const decimals = (vector: Float32Array): number[] => Array.from(vector, (value) => Number(value.toPrecision(9)));

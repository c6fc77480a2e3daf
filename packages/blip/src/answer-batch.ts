import type { TaskOf } from '@captionfleet/protocol/task';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelDirectory } from './model-directory.ts';
import { packTexts, partsOfTexts, type TokenizedText, tokenizeTexts } from './packed-texts.ts';
import type { EncodedImage, TaskBatch } from './task-batch.ts';
import type { PlannedText, TextGenerator } from './text-generator.ts';
import type { Tokenizer } from './tokenizer.ts';

interface Question {
  readonly question: string;
  readonly tokens: TokenizedText;
  readonly answer: PlannedText;
}

interface Asked {
  readonly image: EncodedImage;
  readonly questions: readonly Question[];
  /** Reading the questions, milliseconds. */
  readMs: number;
}

/**
 * Answers: the encoder reads the questions before the image, and the decoder looks at a question's states alone, every one
 * of them. So questions are never padded here: transformers would let the decoder look at the padding too.
 */
export function startAnswers(
  encoder: InferenceSession,
  generator: TextGenerator,
  model: ModelDirectory,
  tokenizer: Tokenizer,
): TaskBatch<TaskOf<'answer'>> {
  const asked: Asked[] = [];
  return {
    add({ questions, options }, image) {
      const tokens = tokenizeTexts(questions, 'questions', model, tokenizer);
      const planned = questions.map(
        (question, index): Question => ({ question, tokens: tokens[index] ?? [], answer: generator.plan(options) }),
      );
      const task: Asked = { image, questions: planned, readMs: 0 };
      asked.push(task);
      return {
        result: () => ({
          answers: planned.flatMap(({ question, answer }) =>
            generator.captions(answer).map((caption) => ({ question, ...caption })),
          ),
        }),
        get spentMs() {
          return planned.reduce((sum, { answer }) => sum + answer.spentMs, task.readMs);
        },
      };
    },
    async run(signal) {
      for (const task of asked) {
        for (const part of partsOfTexts(task.questions, 1)) {
          signal.throwIfAborted();
          const started = performance.now();
          await readQuestions(encoder, model, task.image, part);
          task.readMs += performance.now() - started;
        }
      }
      const answers = asked.flatMap(({ questions }) => questions.map(({ answer }) => answer));
      await generator.run(answers, signal);
    },
  };
}

async function readQuestions(
  encoder: InferenceSession,
  { manifest }: ModelDirectory,
  { states }: EncodedImage,
  questions: readonly Question[],
): Promise<void> {
  const { starts, inputs } = packTexts(questions.map(({ tokens }) => tokens));
  const image = new Tensor('float32', states.values, [1, states.tokens, manifest.image.width]);
  const outputs = await encoder.run({ ...inputs, image_embeds: image });
  const values = outputs['states']?.data as Float32Array;
  const width = manifest.text.heads * manifest.text.headSize;
  for (const [index, { tokens, answer }] of questions.entries()) {
    const start = (starts[index] ?? 0) * width;
    answer.states = { values: values.slice(start, start + tokens.length * width), tokens: tokens.length };
  }
}

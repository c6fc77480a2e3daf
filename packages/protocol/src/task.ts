import { z } from 'zod';
import { GenerationOptionsSchema } from './generation-options.ts';

/**
 * Limits on what is asked of one image. They keep the longest work below that of captions at their own limits, for a worker
 * takes a batch that runs for too long for one that hangs. The model's limit on a text's tokens comes on top.
 */
export const textLimits = {
  texts: 64,
  questions: 16,
  /** Of each text or question. */
  characters: 512,
  /** Of all of them. */
  charactersTogether: 4096,
  /** Tokens of an answer. */
  answerTokens: 32,
} as const;

const TextSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(textLimits.characters, `must have at most ${textLimits.characters} characters`);

const listOfTexts = (minimum: number, maximum: number) =>
  z
    .array(TextSchema)
    .min(minimum, 'must hold at least one')
    .max(maximum, `must hold at most ${maximum}`)
    .refine(
      (texts) => texts.reduce((sum, { length }) => sum + length, 0) <= textLimits.charactersTogether,
      `must have at most ${textLimits.charactersTogether} characters together`,
    );

/** Of captions, but an answer has no prompt, for it begins where the question ends, and it is short. */
export const AnswerOptionsSchema = GenerationOptionsSchema.omit({ prompt: true }).extend({
  max_new_tokens: z.int().min(1).max(textLimits.answerTokens).describe('Tokens of an answer at most.').optional(),
  max_length: z
    .int()
    .min(2)
    .max(textLimits.answerTokens + 1)
    .describe('The same with the leading bos; max_new_tokens wins over it.')
    .optional(),
});

export const TaskSchemas = {
  /** What is in the image, in words. */
  caption: z.strictObject({ type: z.literal('caption'), options: GenerationOptionsSchema }),
  /** How well each text goes with the image. */
  match: z.strictObject({ type: z.literal('match'), texts: listOfTexts(1, textLimits.texts) }),
  /** The vectors of the image and of each text. */
  embed: z.strictObject({ type: z.literal('embed'), texts: listOfTexts(0, textLimits.texts) }),
  /** What the image says to each question. */
  answer: z.strictObject({
    type: z.literal('answer'),
    questions: listOfTexts(1, textLimits.questions),
    options: AnswerOptionsSchema,
  }),
} as const;

/** What is asked of an image. */
export const TaskSchema = z.discriminatedUnion('type', [
  TaskSchemas.caption,
  TaskSchemas.match,
  TaskSchemas.embed,
  TaskSchemas.answer,
]);
export type Task = z.infer<typeof TaskSchema>;
export type TaskType = Task['type'];
export const taskTypes = ['caption', 'match', 'embed', 'answer'] as const satisfies readonly TaskType[];
export type TaskOf<Type extends TaskType> = Extract<Task, { type: Type }>;

/** What a model can have heads for. One that matches also embeds: the embeddings are half of matching. */
export const modelTasks = ['caption', 'match', 'answer'] as const;
export type ModelTask = (typeof modelTasks)[number];

/** The head that a task needs. */
export const headOf = {
  caption: 'caption',
  match: 'match',
  embed: 'match',
  answer: 'answer',
} as const satisfies Record<TaskType, ModelTask>;

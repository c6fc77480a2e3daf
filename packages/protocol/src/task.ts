import { z } from 'zod';
import { GenerationOptionsSchema } from './generation-options.ts';

/** Limits on the texts and questions of a task. The model's own limit on tokens comes on top. */
export const textLimits = {
  /** Texts or questions for one image. */
  perImage: 64,
  /** Characters of each. */
  characters: 512,
} as const;

const TextSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(textLimits.characters, `must have at most ${textLimits.characters} characters`);
const texts = (minimum: number) =>
  z
    .array(TextSchema)
    .min(minimum, 'must hold at least one')
    .max(textLimits.perImage, `must hold at most ${textLimits.perImage}`);

/** An answer begins where the question ends: it has no prompt. */
export const AnswerOptionsSchema = GenerationOptionsSchema.omit({ prompt: true });

export const TaskSchemas = {
  /** What is in the image, in words. */
  caption: z.strictObject({ type: z.literal('caption'), options: GenerationOptionsSchema }),
  /** How well each text goes with the image. */
  match: z.strictObject({ type: z.literal('match'), texts: texts(1) }),
  /** The vectors of the image and of each text. */
  embed: z.strictObject({ type: z.literal('embed'), texts: texts(0) }),
  /** What the image says to each question. */
  answer: z.strictObject({ type: z.literal('answer'), questions: texts(1), options: AnswerOptionsSchema }),
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

import { z } from 'zod';
import type { TaskType } from './task.ts';

export const CaptionSchema = z.object({
  text: z.string(),
  tokens: z
    .array(z.int())
    .describe('Token ids with the leading bos, the prompt, and the final sep when generation reached it.'),
  confidence: z
    .number()
    .describe(
      'Geometric mean of the probabilities that the model gave the generated tokens (the prompt excluded, the final sep included): exp(meanLogProbability), in (0, 1]. A likelihood, not a calibrated chance of being right.',
    ),
  meanLogProbability: z
    .number()
    .describe(
      "Natural logarithm, per generated token, of the model's own distribution before any penalty or temperature.",
    ),
});
export type Caption = z.infer<typeof CaptionSchema>;

/** How well a text goes with an image, by both of BLIP's measures. */
export const MatchSchema = z.object({
  text: z.string(),
  probability: z
    .number()
    .describe(
      'That the text is true of the image, in [0, 1], from the head that reads the text with the image before it (ITM).',
    ),
  similarity: z
    .number()
    .describe(
      'Cosine of the angle between the embeddings of the text and of the image, each made without the other (ITC).',
    ),
});
export type Match = z.infer<typeof MatchSchema>;

/** Vectors of length 1 in the space that images and texts share: a product of two is the cosine of their angle. */
export const EmbeddingSchema = z.object({
  image: z.array(z.number()),
  texts: z.array(z.object({ text: z.string(), embedding: z.array(z.number()) })),
});
export type Embedding = z.infer<typeof EmbeddingSchema>;

/** A generated text, as a caption is, and the question that it answers. */
export const AnswerSchema = z.object({ question: z.string(), ...CaptionSchema.shape });
export type Answer = z.infer<typeof AnswerSchema>;

/** What each task gives, under a member whose name says which task it was. */
export const resultShapes = {
  /** As many as `num_return_sequences`, best first. */
  caption: { captions: z.array(CaptionSchema).min(1) },
  /** One a text, in their order. */
  match: { matches: z.array(MatchSchema).min(1) },
  embed: { embedding: EmbeddingSchema },
  /** For each question, in their order, as many as `num_return_sequences`, best first. */
  answer: { answers: z.array(AnswerSchema).min(1) },
} as const satisfies Record<TaskType, z.ZodRawShape>;

export type ResultOf<Type extends TaskType> = z.infer<z.ZodObject<(typeof resultShapes)[Type]>>;
export type TaskResult = { [Type in TaskType]: ResultOf<Type> }[TaskType];

import { z } from 'zod';

/**
 * The options of generation under the names, and with the meaning, that they have in Hugging Face transformers'
 * `generate`. Unknown names are refused: a misspelt option must not change nothing in silence.
 *
 * What is absent takes transformers' default: greedy decoding of at most 20 new tokens.
 */
export const GenerationOptionsSchema = z.strictObject({
  prompt: z
    .string()
    .max(512)
    .describe('Text the caption starts with, such as "a picture of"; it stays in the text.')
    .optional(),
  max_new_tokens: z
    .int()
    .min(1)
    .max(511)
    .describe('Tokens to add after the prompt at most; wins over max_length.')
    .optional(),
  max_length: z
    .int()
    .min(2)
    .max(512)
    .describe('Tokens in all at most, with the leading bos and the prompt.')
    .optional(),
  min_new_tokens: z.int().min(0).max(511).describe('No end before this many new tokens.').optional(),
  min_length: z.int().min(0).max(512).describe('No end before this many tokens in all.').optional(),
  num_beams: z.int().min(1).max(16).describe('Beams of the beam search; 1 is greedy decoding or sampling.').optional(),
  num_return_sequences: z
    .int()
    .min(1)
    .max(16)
    .describe('Captions for each image; at most num_beams unless sampling.')
    .optional(),
  length_penalty: z
    .number()
    .min(-10)
    .max(10)
    .describe('Exponent of the length that a beam score is divided by.')
    .optional(),
  early_stopping: z
    .union([z.boolean(), z.literal('never')], { error: 'must be true, false or "never"' })
    .describe('When the beam search stops.')
    .optional(),
  repetition_penalty: z
    .number()
    .positive()
    .max(100)
    .describe('Divides the score of tokens already present; 1 is none.')
    .optional(),
  no_repeat_ngram_size: z
    .int()
    .min(0)
    .max(64)
    .describe('N-grams of this size occur only once; 0 is no limit.')
    .optional(),
  do_sample: z.boolean().describe('Draw tokens at random instead of taking the most probable.').optional(),
  temperature: z.number().positive().max(100).describe('Divides the logits before sampling.').optional(),
  top_k: z.int().min(0).max(65536).describe('Sample among this many most probable tokens; 0 is all.').optional(),
  top_p: z
    .number()
    .positive()
    .max(1)
    .describe('Sample among the fewest tokens whose probabilities sum to this.')
    .optional(),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('Makes sampling repeatable.').optional(),
});
export type GenerationOptions = z.infer<typeof GenerationOptionsSchema>;

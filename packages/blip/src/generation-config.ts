import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { defaultNewTokens, optionConflict } from '@captionfleet/protocol/option-conflict';

/** What a model needs to know to end and bound a caption. */
export interface TokenLimits {
  readonly endTokenId: number;
  readonly padTokenId: number;
  readonly maxPositions: number;
}

/** Generation options with every default filled in, for a prompt of known length. */
export interface GenerationConfig extends TokenLimits {
  /** Tokens that are there before generation: bos and the prompt. */
  readonly promptLength: number;
  /** Tokens in all at most. */
  readonly maxLength: number;
  /** Tokens in all before which no end is allowed. */
  readonly minLength: number;
  readonly numBeams: number;
  readonly numReturnSequences: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly repetitionPenalty: number;
  readonly noRepeatNgramSize: number;
  /** Absent: the most probable token is taken. */
  readonly sampling?: SamplingConfig;
}

export interface SamplingConfig {
  readonly temperature: number;
  /** 0: all tokens. */
  readonly topK: number;
  readonly topP: number;
  readonly seed: number | undefined;
}

/** transformers samples among the 50 most probable tokens unless told otherwise. */
const defaultTopK = 50;

/**
 * Fills in transformers' defaults. Lengths are `max_new_tokens` and `min_new_tokens` after the prompt, or `max_length` and
 * `min_length` in all; the first of each pair wins. Like there, options of sampling have no effect without `do_sample`.
 *
 * @throws OPTION_INVALID naming the options that contradict each other, the model, or the prompt
 */
export function resolveGenerationConfig(
  options: GenerationOptions,
  promptLength: number,
  limits: TokenLimits,
): GenerationConfig {
  const numBeams = options.num_beams ?? 1;
  const numReturnSequences = options.num_return_sequences ?? 1;
  const samples = options.do_sample ?? false;
  const conflict = optionConflict(options);
  if (conflict !== undefined) refuse(`${conflict.option} ${conflict.message}`);
  return {
    ...limits,
    promptLength,
    ...resolveLengths(options, promptLength, limits.maxPositions),
    numBeams,
    numReturnSequences,
    lengthPenalty: options.length_penalty ?? 1,
    earlyStopping: options.early_stopping ?? false,
    repetitionPenalty: options.repetition_penalty ?? 1,
    noRepeatNgramSize: options.no_repeat_ngram_size ?? 0,
    ...(samples ? { sampling: resolveSampling(options) } : {}),
  };
}

function resolveLengths(
  options: GenerationOptions,
  promptLength: number,
  maxPositions: number,
): Pick<GenerationConfig, 'maxLength' | 'minLength'> {
  const longest = longestOf(options, promptLength, maxPositions);
  if (longest.tokens > maxPositions) {
    refuse(`${longest.name} asks for captions of up to ${longest.tokens} tokens; the model has ${maxPositions}`);
  }
  if (promptLength >= longest.tokens) {
    refuse(`prompt has ${promptLength} tokens with bos, which leaves no room in a length of ${longest.tokens}`);
  }
  const { min_new_tokens: newTokens } = options;
  const minLength = newTokens === undefined ? (options.min_length ?? 0) : promptLength + newTokens;
  if (minLength > longest.tokens) {
    const name = newTokens === undefined ? 'min_length' : 'min_new_tokens';
    refuse(`${name} asks for at least ${minLength} tokens, ${longest.name} allows ${longest.tokens}`);
  }
  return { maxLength: longest.tokens, minLength };
}

/** Tokens in all at most, and what says so. */
function longestOf(
  { max_new_tokens: newTokens, max_length: maxLength }: GenerationOptions,
  promptLength: number,
  maxPositions: number,
): { readonly name: string; readonly tokens: number } {
  if (newTokens !== undefined) return { name: 'max_new_tokens', tokens: promptLength + newTokens };
  if (maxLength !== undefined) return { name: 'max_length', tokens: maxLength };
  return { name: 'the default length', tokens: Math.min(promptLength + defaultNewTokens, maxPositions) };
}

const resolveSampling = (options: GenerationOptions): SamplingConfig => ({
  temperature: options.temperature ?? 1,
  topK: options.top_k ?? defaultTopK,
  topP: options.top_p ?? 1,
  seed: options.seed,
});

function refuse(reason: string): never {
  throw new CaptionfleetError('OPTION_INVALID', reason);
}

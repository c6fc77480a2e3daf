import type { GenerationOptions } from './generation-options.ts';

/** transformers 5: without a length, this many tokens follow the prompt. */
export const defaultNewTokens = 20;

export interface OptionConflict {
  readonly option: keyof GenerationOptions;
  readonly message: string;
}

/**
 * Options that contradict each other for every model and every prompt, or undefined. Those that only contradict a model or
 * a prompt are found when it is at hand.
 */
export function optionConflict(options: GenerationOptions): OptionConflict | undefined {
  return searchConflict(options) ?? lengthConflict(options);
}

function searchConflict({
  num_beams: beams = 1,
  num_return_sequences: sequences = 1,
  do_sample: samples = false,
}: GenerationOptions): OptionConflict | undefined {
  if (samples && beams > 1) {
    return { option: 'do_sample', message: 'goes with num_beams 1; beams are searched, not sampled' };
  }
  if (samples || sequences <= beams) return undefined;
  const message = `is ${sequences} and num_beams ${beams}; raise num_beams or set do_sample`;
  return { option: 'num_return_sequences', message };
}

/** `max_new_tokens` wins over `max_length`, and `min_new_tokens` over `min_length`. */
function lengthConflict(options: GenerationOptions): OptionConflict | undefined {
  const { max_new_tokens: maxNew, max_length: maxLength, min_new_tokens: minNew, min_length: minLength } = options;
  if (minNew !== undefined) {
    if (maxNew === undefined && maxLength !== undefined) {
      // The bos alone is one token before the new ones.
      if (minNew < maxLength) return undefined;
      return { option: 'min_new_tokens', message: `is ${minNew} and max_length ${maxLength}, with the leading bos` };
    }
    const longest = maxNew ?? defaultNewTokens;
    const name = maxNew === undefined ? 'the default of max_new_tokens' : 'max_new_tokens';
    if (minNew > longest) return { option: 'min_new_tokens', message: `is ${minNew} and ${name} ${longest}` };
  } else if (minLength !== undefined && maxNew === undefined && maxLength !== undefined && minLength > maxLength) {
    return { option: 'min_length', message: `is ${minLength} and max_length ${maxLength}` };
  }
  return undefined;
}

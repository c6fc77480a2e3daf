import type { GenerationConfig } from './generation-config.ts';

/**
 * Changes the scores of the next token in place, in transformers' order: repetition penalty, n-grams, shortest length. In
 * greedy decoding and sampling scores are logits; in beam search they are log-probabilities, and stay unnormalised.
 *
 * @param scores float32 [vocabulary]
 * @param sequence all tokens so far, with bos and prompt
 */
export function processScores(scores: Float32Array, sequence: readonly number[], config: GenerationConfig): void {
  if (config.repetitionPenalty !== 1) penalizeRepetition(scores, sequence, config.repetitionPenalty);
  if (config.noRepeatNgramSize > 0) forbidRepeatedNgrams(scores, sequence, config.noRepeatNgramSize);
  if (sequence.length < config.minLength) scores[config.endTokenId] = -Infinity;
}

/** Each distinct token of the sequence once: s * p below zero, s / p above (RepetitionPenaltyLogitsProcessor). */
function penalizeRepetition(scores: Float32Array, sequence: readonly number[], penalty: number): void {
  const factor = Math.fround(penalty);
  for (const token of new Set(sequence)) {
    const score = scores[token];
    if (score !== undefined) scores[token] = score < 0 ? score * factor : score / factor;
  }
}

/** Forbids every token that once followed the last size - 1 tokens (NoRepeatNGramLogitsProcessor). */
function forbidRepeatedNgrams(scores: Float32Array, sequence: readonly number[], size: number): void {
  const prefixLength = size - 1;
  const prefixStart = sequence.length - prefixLength;
  for (let start = 0; start + size <= sequence.length; start += 1) {
    let equal = 0;
    while (equal < prefixLength && sequence[start + equal] === sequence[prefixStart + equal]) equal += 1;
    const follower = sequence[start + prefixLength];
    if (equal === prefixLength && follower !== undefined) scores[follower] = -Infinity;
  }
}

/** log(sum(exp(x))) in float64, shifted by the largest x. */
export function logSumExp(values: Float32Array): number {
  // Counted loops: this is most of what a step costs outside the runtime, and iterators take twice as long.
  let largest = -Infinity;
  for (let index = 0; index < values.length; index += 1) {
    if ((values[index] as number) > largest) largest = values[index] as number;
  }
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += Math.exp((values[index] as number) - largest);
  return largest + Math.log(sum);
}

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

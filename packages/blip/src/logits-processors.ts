import type { GenerationConfig } from './generation-config.ts';

/** Scores of the next token, by its id; undefined outside of the vocabulary. */
type ScoreOf = (token: number) => number | undefined;

/**
 * The scores of the next token that are not what the model says, in transformers' order: repetition penalty, n-grams, shortest
 * length. In greedy decoding and sampling scores are logits; in beam search they are log-probabilities, and stay unnormalised.
 *
 * @param sequence all tokens so far, with bos and prompt
 */
export function changedScores(
  scoreOf: ScoreOf,
  sequence: readonly number[],
  config: GenerationConfig,
): ReadonlyMap<number, number> {
  const changed = new Map<number, number>();
  if (config.repetitionPenalty !== 1) penalizeRepetition(changed, scoreOf, sequence, config.repetitionPenalty);
  if (config.noRepeatNgramSize > 0) forbidRepeatedNgrams(changed, sequence, config.noRepeatNgramSize);
  if (sequence.length < config.minLength) changed.set(config.endTokenId, -Infinity);
  return changed;
}

/** Makes these changes in place. @param scores float32 [vocabulary] */
export function processScores(scores: Float32Array, sequence: readonly number[], config: GenerationConfig): void {
  for (const [token, score] of changedScores((id) => scores[id], sequence, config)) scores[token] = score;
}

/** Each distinct token of the sequence once: s * p below zero, s / p above (RepetitionPenaltyLogitsProcessor). */
function penalizeRepetition(
  changed: Map<number, number>,
  scoreOf: ScoreOf,
  sequence: readonly number[],
  penalty: number,
): void {
  const factor = Math.fround(penalty);
  for (const token of new Set(sequence)) {
    const score = scoreOf(token);
    if (score !== undefined) changed.set(token, Math.fround(score < 0 ? score * factor : score / factor));
  }
}

/** Forbids every token that once followed the last size - 1 tokens (NoRepeatNGramLogitsProcessor). */
function forbidRepeatedNgrams(changed: Map<number, number>, sequence: readonly number[], size: number): void {
  const prefixLength = size - 1;
  const prefixStart = sequence.length - prefixLength;
  for (let start = 0; start + size <= sequence.length; start += 1) {
    let equal = 0;
    while (equal < prefixLength && sequence[start + equal] === sequence[prefixStart + equal]) equal += 1;
    const follower = sequence[start + prefixLength];
    if (equal === prefixLength && follower !== undefined) changed.set(follower, -Infinity);
  }
}

import { randomInt } from 'node:crypto';
import type { GenerationConfig, SamplingConfig } from './generation-config.ts';
import { logSumExp, processScores } from './logits-processors.ts';
import type { FoundSequence, SearchRow, SequenceSearch } from './sequence-search.ts';

interface Sequence {
  readonly tokens: number[];
  logProbability: number;
  finished: boolean;
  readonly random: () => number;
}

/**
 * Greedy decoding, or sampling of one or several captions. A sequence is running or finished; it finishes with its end token
 * or at the greatest length. Finished sequences keep their row, fed with padding, until all are.
 */
export function startSampling(prompt: readonly number[], config: GenerationConfig): SequenceSearch {
  const width = config.sampling === undefined ? 1 : config.numReturnSequences;
  const seed = config.sampling?.seed ?? randomInt(2 ** 47);
  const sequences: readonly Sequence[] = Array.from({ length: width }, (_, index) => ({
    tokens: [...prompt],
    logProbability: 0,
    finished: false,
    random: splitmix32(seed, index),
  }));
  return {
    width,
    advance(logits) {
      const rows = sequences.map((sequence, row): SearchRow => {
        // The first step has one row, which every sequence continues.
        const source = Math.min(row, logits.length - 1);
        return { token: extend(sequence, logits[source] as Float32Array, config), source };
      });
      return sequences.every(({ finished }) => finished) ? undefined : rows;
    },
    results: (): readonly FoundSequence[] => sequences,
  };
}

function extend(sequence: Sequence, logits: Float32Array, config: GenerationConfig): number {
  if (sequence.finished) return config.padTokenId;
  const scores = Float32Array.from(logits);
  processScores(scores, sequence.tokens, config);
  const token =
    config.sampling === undefined ? indexOfLargest(scores) : sample(scores, config.sampling, sequence.random);
  sequence.tokens.push(token);
  sequence.logProbability += (logits[token] ?? -Infinity) - logSumExp(logits);
  sequence.finished = token === config.endTokenId || sequence.tokens.length >= config.maxLength;
  return token;
}

/** The first of the largest. */
function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] as number) > (values[best] as number)) best = index;
  }
  return best;
}

/**
 * Draws from softmax(scores / temperature), cut to the top_k largest (ties with the k-th stay) and then to the fewest tokens
 * whose probabilities reach top_p, at least one. transformers draws from the same distribution with torch's generator, so
 * the tokens of one seed differ from its.
 */
export function sample(
  scores: Float32Array,
  { temperature, topK, topP }: SamplingConfig,
  random: () => number,
): number {
  const order = candidates(scores, topK);
  const best = (scores[order[0] ?? 0] ?? 0) / temperature;
  const weights = order.map((token) => Math.exp((scores[token] as number) / temperature - best));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = 0;
  let keptSum = 0;
  while (kept < weights.length && (kept === 0 || keptSum < topP * total)) {
    keptSum += weights[kept] ?? 0;
    kept += 1;
  }
  let left = random() * keptSum;
  for (let rank = 0; rank < kept; rank += 1) {
    left -= weights[rank] ?? 0;
    if (left < 0) return order[rank] ?? 0;
  }
  return order[kept - 1] ?? 0;
}

/** Tokens with a finite score, largest first, lower ids first among equals; no more than topK, ties with the last kept. */
function candidates(scores: Float32Array, topK: number): readonly number[] {
  const finite = Array.from(scores.keys()).filter((token) => scores[token] !== -Infinity);
  const sorted = finite.sort((left, right) => (scores[right] as number) - (scores[left] as number) || left - right);
  if (topK === 0 || topK >= sorted.length) return sorted;
  const last = scores[sorted[topK - 1] as number] as number;
  return sorted.filter((token, rank) => rank < topK || scores[token] === last);
}

/** Steele, Lea and Flood's SplitMix with 32 bits of output (Stafford's mix): numbers in [0, 1), a stream for each index. */
function splitmix32(seed: number, stream: number): () => number {
  let state =
    (Math.imul(seed >>> 0, 0x9e3779b1) ^
      Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b) ^
      Math.imul(stream, 0xc2b2ae35)) |
    0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

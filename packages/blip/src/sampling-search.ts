import { randomInt } from 'node:crypto';
import type { GenerationConfig, SamplingConfig } from './generation-config.ts';
import { processScores } from './logits-processors.ts';
import type { FoundSequence, NextToken, SearchRow, SequenceSearch } from './sequence-search.ts';

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
    advance(following) {
      const rows = sequences.map((sequence, row): SearchRow => {
        // The first step has one row, which every sequence continues.
        const source = Math.min(row, following.length - 1);
        return { token: extend(sequence, following[source] as NextToken, config), source };
      });
      return sequences.every(({ finished }) => finished) ? undefined : rows;
    },
    results: (): readonly FoundSequence[] => sequences,
  };
}

function extend(sequence: Sequence, { logits, logNormalizer }: NextToken, config: GenerationConfig): number {
  if (sequence.finished) return config.padTokenId;
  const scores = logits.slice();
  processScores(scores, sequence.tokens, config);
  const token =
    config.sampling === undefined ? indexOfLargest(scores) : sample(scores, config.sampling, sequence.random);
  sequence.tokens.push(token);
  sequence.logProbability += (logits[token] ?? -Infinity) - logNormalizer;
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
 * Draws from softmax(scores / temperature) over what `cutoff` leaves, in the order of token ids. transformers draws from the
 * same distribution with torch's generator, so the tokens of one seed differ from its.
 *
 * @param random gives numbers in [0, 1)
 */
export function sample(scores: Float32Array, sampling: SamplingConfig, random: () => number): number {
  const lowest = cutoff(scores, sampling);
  const largest = scores[indexOfLargest(scores)] as number;
  const kept: number[] = [];
  const weights: number[] = [];
  let total = 0;
  for (let token = 0; token < scores.length; token += 1) {
    const score = scores[token] as number;
    if (score < lowest || score === -Infinity) continue;
    const weight = Math.exp((score - largest) / sampling.temperature);
    kept.push(token);
    weights.push(weight);
    total += weight;
  }
  let left = random() * total;
  const rank = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return kept.at(rank) as number;
}

/**
 * The least score that may be drawn: first the top_k largest stay, then the fewest of these whose probabilities reach
 * top_p, at least one (TopKLogitsWarper, then TopPLogitsWarper). Scores equal to the least one stay too.
 */
function cutoff(scores: Float32Array, { temperature, topK, topP }: SamplingConfig): number {
  const lowest = topK > 0 && topK < scores.length ? kthLargest(scores, topK) : -Infinity;
  if (topP >= 1) return lowest;
  const sorted = scores.filter((score) => score >= lowest && score !== -Infinity).sort();
  const largest = sorted.at(-1) ?? 0;
  const weights = sorted.map((score) => Math.exp((score - largest) / temperature));
  // Ascending, as there: what is below has no more than 1 - top_p.
  let spare = (1 - topP) * weights.reduce((sum, weight) => sum + weight, 0);
  const first = weights.findIndex((weight) => {
    spare -= weight;
    return spare < 0;
  });
  return sorted.at(first) ?? lowest;
}

/** Hoare's quickselect. 1 <= k <= length. */
function kthLargest(scores: Float32Array, k: number): number {
  const values = scores.slice();
  const wanted = values.length - k;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const [lowerEnd, upperStart] = partition(values, low, high);
    if (wanted > lowerEnd && wanted < upperStart) break;
    if (wanted <= lowerEnd) high = lowerEnd;
    else low = upperStart;
  }
  return values[wanted] as number;
}

/** Moves what is below the middle value to the left and what is above to the right; returns where the two parts end and start. */
function partition(values: Float32Array, low: number, high: number): readonly [number, number] {
  const pivot = values[(low + high) >> 1] as number;
  let left = low;
  let right = high;
  while (left <= right) {
    while ((values[left] as number) < pivot) left += 1;
    while ((values[right] as number) > pivot) right -= 1;
    if (left > right) break;
    const moved = values[left] as number;
    values[left] = values[right] as number;
    values[right] = moved;
    left += 1;
    right -= 1;
  }
  return [right, left];
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

import type { GenerationConfig } from './generation-config.ts';
import { changedScores } from './logits-processors.ts';
import type { FoundSequence, NextToken, SearchRow, SequenceSearch } from './sequence-search.ts';

interface Beam extends FoundSequence {
  /** float32: the sum of processed log-probabilities; of a finished beam, divided by its length to the penalty. */
  readonly score: number;
  readonly finished: boolean;
}

/** A beam, by its row, and the token that would extend it. */
interface Extension {
  readonly row: number;
  readonly token: number;
  readonly score: number;
}

interface Candidate extends Extension {
  readonly logProbability: number;
}

/** transformers' stand-in for minus infinity: large, but its sums stay finite. */
const farBelow = -1e9;

/**
 * transformers' beam search for one image (`_beam_search` of generation/utils.py), in float32 like it. Of K running beams,
 * the 2K best extensions are candidates. Those that end (with the end token, or at the greatest length) may enter the K
 * finished beams if they rank among the best K; the best K others run on. The search is finished when no running beam can
 * still beat a finished one (judged by `early_stopping`), when `early_stopping` is true and K are finished, or when every
 * candidate ended.
 */
export function startBeamSearch(prompt: readonly number[], config: GenerationConfig): SequenceSearch {
  const { numBeams } = config;
  let running: readonly Beam[] = [{ tokens: prompt, logProbability: 0, score: 0, finished: false }];
  let finished: readonly Beam[] = Array.from({ length: numBeams }, () => ({
    tokens: prompt,
    logProbability: 0,
    score: farBelow,
    finished: false,
  }));
  let canImprove = true;

  return {
    width: numBeams,
    advance(following) {
      const candidates = bestCandidates(running, following, config);
      const length = (running[0]?.tokens.length ?? 0) + 1;
      const ends = candidates.map(({ token }) => token === config.endTokenId || length >= config.maxLength);
      const extended = candidates.map((candidate, rank) => ({
        tokens: [...(running[candidate.row]?.tokens ?? []), candidate.token],
        logProbability: candidate.logProbability,
        score: Math.fround(candidate.score + (ends[rank] ? farBelow : 0)),
        source: candidate.row,
        finished: false,
      }));
      const next = best(extended, numBeams);
      finished = best([...finished, ...endings(candidates, ends)], numBeams);
      canImprove &&= beatsFinished(next[0]?.score ?? farBelow, length);
      running = next;
      const allFinished = config.earlyStopping === true && finished.every((beam) => beam.finished);
      if (!canImprove || allFinished || ends.every(Boolean)) return undefined;
      return next.map(({ tokens, source }): SearchRow => ({ token: tokens.at(-1) ?? config.padTokenId, source }));
    },
    results: () => finished.slice(0, config.numReturnSequences),
  };

  /** The candidates as finished beams, with the scores that they would enter with. */
  function endings(candidates: readonly Candidate[], ends: readonly boolean[]): readonly Beam[] {
    const closed = (config.earlyStopping === true && finished.every((beam) => beam.finished)) || !canImprove;
    return candidates.map(({ row, token, score, logProbability }, rank) => {
      const tokens = [...(running[row]?.tokens ?? []), token];
      const enters = ends[rank] === true && rank < numBeams;
      const normalized = Math.fround(score / lengthDivisor(tokens.length));
      const shut = Math.fround(normalized + (closed ? farBelow : 0));
      return { tokens, logProbability, score: enters ? shut : Math.fround(shut + farBelow), finished: enters };
    });
  }

  /** length ^ length_penalty, over the generated tokens only. */
  function lengthDivisor(length: number): number {
    return Math.fround((length - config.promptLength) ** config.lengthPenalty);
  }

  /** Whether the best running beam could still displace a finished one. */
  function beatsFinished(bestRunning: number, length: number): boolean {
    const longest = config.earlyStopping === 'never' && config.lengthPenalty > 0;
    const reachable = Math.fround(bestRunning / lengthDivisor(longest ? config.maxLength : length));
    const worst = Math.min(...finished.map(({ score }) => score));
    return finished.some((beam) => reachable > (beam.finished ? worst : farBelow));
  }
}

/** The first `count` by score; equal scores keep their order. */
function best<Scored extends { readonly score: number }>(items: readonly Scored[], count: number): readonly Scored[] {
  return items.toSorted((left, right) => right.score - left.score).slice(0, count);
}

/** The 2K extensions of running beams with the greatest sums of processed log-probabilities, greatest first. */
function bestCandidates(
  running: readonly Beam[],
  following: readonly NextToken[],
  config: GenerationConfig,
): readonly Candidate[] {
  const top: Extension[] = [];
  for (const [row, beam] of running.entries()) {
    collect(top, 2 * config.numBeams, following[row] as NextToken, { row, beam, config });
  }
  return top.map((extension) => {
    const { logits, logNormalizer } = following[extension.row] as NextToken;
    const gained = (logits[extension.token] ?? 0) - logNormalizer;
    return { ...extension, logProbability: (running[extension.row]?.logProbability ?? 0) + gained };
  });
}

/** Merges a beam's extensions into `top`, which stays sorted and no longer than `count`. Ties: lower row and token first. */
function collect(
  top: Extension[],
  count: number,
  { logits, logNormalizer }: NextToken,
  { row, beam, config }: { readonly row: number; readonly beam: Beam; readonly config: GenerationConfig },
): void {
  let least = top.length < count ? -Infinity : (top.at(-1) as Extension).score;
  /** False when the score does not rank among the best. */
  const offer = (token: number, logProbability: number): boolean => {
    const score = Math.fround(logProbability + beam.score);
    if (score <= least) return false;
    let rank = top.length;
    while (rank > 0 && (top[rank - 1] as Extension).score < score) rank -= 1;
    top.splice(rank, 0, { row, token, score });
    if (top.length > count) top.pop();
    if (top.length === count) least = (top.at(-1) as Extension).score;
    return true;
  };
  // Scores rise with logits, so of most tokens a comparison of the logit says enough.
  let tooLow = -Infinity;
  const offerRange = (from: number, to: number): void => {
    for (let token = from; ; token += 1) {
      token = firstAbove(logits, tooLow, token, to);
      if (token === to) return;
      const logit = logits[token] as number;
      if (!offer(token, Math.fround(logit - logNormalizer))) tooLow = logit;
    }
  };
  const scoreOf = (token: number): number | undefined => {
    const logit = logits[token];
    return logit === undefined ? undefined : Math.fround(logit - logNormalizer);
  };
  const changed = changedScores(scoreOf, beam.tokens, config);
  let next = 0;
  for (const token of [...changed.keys()].toSorted((left, right) => left - right)) {
    offerRange(next, token);
    offer(token, changed.get(token) as number);
    next = token + 1;
  }
  offerRange(next, logits.length);
}

/** The first index from `from` whose value is above the bound; `to` when there is none. Most of what a step costs in JavaScript. */
function firstAbove(values: Float32Array, bound: number, from: number, to: number): number {
  let index = from;
  while (index < to && !((values[index] as number) > bound)) index += 1;
  return index;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import fc from 'fast-check';
import { nextToken } from '../../../test/support/next-token.ts';
import { startBeamSearch } from './beam-search.ts';
import { type GenerationConfig, resolveGenerationConfig } from './generation-config.ts';

// The search beside a plain transcription of `_beam_search` of transformers 5.23, made of whole arrays as there: K copies of
// the prompt of which all but one are out of reach, every score of every row, one sort.

const end = 2;
const vocabularySize = 40;
const { fround } = Math;

type Tokens = readonly number[];
type Model = (tokens: Tokens) => Float32Array;

interface Scored {
  readonly tokens: Tokens;
  readonly score: number;
  readonly done: boolean;
}

/** Logits of chance, by a hash of seed and tokens. */
const randomModel =
  (seed: number, endBias: number): Model =>
  (tokens) => {
    let state = tokens.reduce((hash, token) => Math.imul(hash ^ token, 0x01000193), seed ^ 0x811c9dc5);
    return Float32Array.from({ length: vocabularySize }, (_, token) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      const mixed = Math.imul(state ^ (state >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 29 + (token === end ? endBias : 0);
    });
  };

function logSoftmax(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const normalizer = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return Array.from(logits, (logit) => fround(logit - normalizer));
}

function processed(tokens: Tokens, scores: readonly number[], config: GenerationConfig): number[] {
  const { repetitionPenalty, noRepeatNgramSize: size, minLength } = config;
  return scores.map((score, token) => {
    if (token === end && tokens.length < minLength) return -Infinity;
    const ngram = size > 0 ? [...tokens.slice(tokens.length - size + 1), token].join() : 'none';
    const earlier = tokens.map((_, start) => tokens.slice(start, start + size).join());
    if (size > 0 && tokens.length >= size && earlier.includes(ngram)) return -Infinity;
    if (!tokens.includes(token)) return score;
    return fround(score < 0 ? score * fround(repetitionPenalty) : score / fround(repetitionPenalty));
  });
}

const top = <T extends { readonly score: number }>(items: readonly T[], count: number): T[] =>
  [...items].sort((left, right) => right.score - left.score).slice(0, count);

function referenceSearch(prompt: Tokens, config: GenerationConfig, model: Model): Tokens[] {
  const { numBeams, maxLength, lengthPenalty, earlyStopping } = config;
  const reached = (length: number) => fround((length - prompt.length) ** lengthPenalty);
  const copies = Array.from({ length: numBeams }, (_, beam) => beam);
  let running: Scored[] = copies.map((beam) => ({ tokens: prompt, score: beam === 0 ? 0 : -1e9, done: false }));
  let finished: Scored[] = copies.map(() => ({ tokens: prompt, score: -1e9, done: false }));
  let canImprove = true;
  for (let length = prompt.length + 1; ; length += 1) {
    const all = running.flatMap(({ tokens, score }) =>
      processed(tokens, logSoftmax(model(tokens)), config).map((own, token) => ({
        tokens: [...tokens, token],
        score: fround(own + score),
        done: token === end || length >= maxLength,
      })),
    );
    const candidates = top(all, 2 * numBeams);
    running = top(
      candidates.map((each) => ({ ...each, score: fround(each.score + (each.done ? -1e9 : 0)) })),
      numBeams,
    );
    const full = earlyStopping === true && finished.every(({ done }) => done);
    const entering = candidates.map((each, rank): Scored => {
      const done = each.done && rank < numBeams;
      const penalties = [full, !canImprove, !done].filter(Boolean).length;
      return { ...each, done, score: fround(fround(each.score / reached(length)) - 1e9 * penalties) };
    });
    finished = top([...finished, ...entering], numBeams);
    const atBest = earlyStopping === 'never' && lengthPenalty > 0 ? maxLength : length;
    const hope = fround((running[0]?.score ?? 0) / reached(atBest));
    const worst = Math.min(...finished.map(({ score }) => score));
    canImprove &&= finished.some(({ done }) => hope > (done ? worst : -1e9));
    const enough = earlyStopping === true && finished.every(({ done }) => done);
    if (!canImprove || enough || candidates.every(({ done }) => done)) break;
  }
  return finished.slice(0, config.numReturnSequences).map(({ tokens }) => tokens);
}

function search(prompt: Tokens, config: GenerationConfig, model: Model): Tokens[] {
  const beams = startBeamSearch(prompt, config);
  let sequences: Tokens[] = [prompt];
  for (;;) {
    const rows = beams.advance(sequences.map((tokens) => nextToken(model(tokens))));
    if (rows === undefined) return beams.results().map(({ tokens }) => tokens);
    sequences = rows.map(({ token, source }) => [...(sequences[source] ?? []), token]);
  }
}

const options: fc.Arbitrary<GenerationOptions> = fc
  .record({
    num_beams: fc.integer({ min: 2, max: 8 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    max_new_tokens: fc.integer({ min: 1, max: 12 }),
    min_new_tokens: fc.integer({ min: 0, max: 6 }),
    length_penalty: fc.constantFrom(-2, -1, -0.5, 0, 0.6, 1, 2),
    early_stopping: fc.constantFrom(true, false, 'never' as const),
    repetition_penalty: fc.constantFrom(0.8, 1, 1.1, 1.5),
    no_repeat_ngram_size: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ share, ...record }) => ({
    ...record,
    num_return_sequences: 1 + Math.floor(share * (record.num_beams - 1)),
    min_new_tokens: Math.min(record.min_new_tokens, record.max_new_tokens),
  }));

test('every option finds the sequences, in the order, of a plain transcription of the search of transformers', () => {
  const limits = { endTokenId: end, padTokenId: 0, maxPositions: 64 };
  const prompts = fc.array(fc.integer({ min: 4, max: 20 }), { maxLength: 3 }).map((words) => [3, ...words]);
  const models = fc.tuple(fc.integer(), fc.integer({ min: -2, max: 8 })).map((pair) => randomModel(...pair));
  fc.assert(
    fc.property(options, prompts, models, (chosen, prompt, model) => {
      const config = resolveGenerationConfig(chosen, prompt.length, limits);
      assert.deepEqual(search(prompt, config, model), referenceSearch(prompt, config, model));
    }),
    { numRuns: 600 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import fc from 'fast-check';
import { logSumExp, nextToken } from '../../../test/support/next-token.ts';
import { startBeamSearch } from './beam-search.ts';
import { type GenerationConfig, resolveGenerationConfig } from './generation-config.ts';
import { startSampling } from './sampling-search.ts';
import type { FoundSequence, SequenceSearch } from './sequence-search.ts';

const end = 2;
const start = 3;
const limits = { endTokenId: end, padTokenId: 0, maxPositions: 64 };
/** Tokens of the toy models: more than twice the beams of any test. */
const vocabularySize = 24;

/** A language model: logits of the next token, a function of the tokens before it. */
type Model = (tokens: readonly number[]) => Float32Array;

/** Logits of chance, by a hash of seed and tokens; `endBias` makes captions shorter or longer. */
const randomModel =
  (seed: number, endBias: number): Model =>
  (tokens) => {
    let state = tokens.reduce((hash, token) => Math.imul(hash ^ token, 0x01000193), seed ^ 0x811c9dc5);
    return Float32Array.from({ length: vocabularySize }, (_, token) => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 30 + (token === end ? endBias : 0);
    });
  };

/** Runs a search as the decoder would, keeping each row's tokens by the sources that the search names. */
function runSearch(search: SequenceSearch, model: Model, prompt: readonly number[]): readonly FoundSequence[] {
  let sequences: readonly (readonly number[])[] = [prompt];
  for (let step = 0; step < 100; step += 1) {
    const rows = search.advance(sequences.map((tokens) => nextToken(model(tokens))));
    if (rows === undefined) return search.results();
    assert.equal(rows.length, search.width);
    sequences = rows.map(({ token, source }) => [...(sequences[source] ?? []), token]);
  }
  throw new Error('the search did not finish');
}

function resolve(options: GenerationOptions, prompt: readonly number[]): GenerationConfig {
  return resolveGenerationConfig(options, prompt.length, limits);
}

const beams = (options: GenerationOptions, model: Model, prompt: readonly number[] = [start]) =>
  runSearch(startBeamSearch(prompt, resolve(options, prompt)), model, prompt);

const logProbabilityOf = (model: Model, tokens: readonly number[], promptLength: number): number =>
  tokens.slice(promptLength).reduce((sum, token, index) => {
    const logits = model(tokens.slice(0, promptLength + index));
    return sum + (logits[token] ?? 0) - logSumExp(logits);
  }, 0);

const models = fc.tuple(fc.integer(), fc.integer({ min: -4, max: 6 })).map((pair) => randomModel(...pair));

test('one beam finds what greedy decoding finds', () => {
  const options = fc.record({
    max_new_tokens: fc.integer({ min: 1, max: 12 }),
    length_penalty: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(models, options, (model, given) => {
      const greedy = runSearch(startSampling([start], resolve(given, [start])), model, [start]);
      assert.deepEqual(beams(given, model)[0]?.tokens, greedy[0]?.tokens);
    }),
  );
});

test('with a beam for every likely token, the search finds the most probable caption', () => {
  const likely = Array.from({ length: 10 }, (_, token) => token);
  fc.assert(
    fc.property(models, (anyModel) => {
      const model: Model = (tokens) => anyModel(tokens).map((logit, token) => (likely.includes(token) ? logit : -50));
      const [found] = beams({ num_beams: 12, max_new_tokens: 2, length_penalty: 0 }, model);
      const longer = (tokens: readonly number[]): readonly (readonly number[])[] =>
        tokens.at(-1) === end ? [tokens] : likely.map((token) => [...tokens, token]);
      const captions = [[start]].flatMap(longer).flatMap(longer);
      const best = Math.max(...captions.map((tokens) => logProbabilityOf(model, tokens, 1)));
      assert.ok(Math.abs(best - (found?.logProbability ?? 0)) < 1e-5);
    }),
    { numRuns: 20 },
  );
});

const anyOptions = fc.record(
  {
    num_beams: fc.constantFrom(2, 3, 5, 8),
    max_new_tokens: fc.integer({ min: 1, max: 10 }),
    min_new_tokens: fc.constant(0),
    length_penalty: fc.constantFrom(-1, 0, 1, 2),
    early_stopping: fc.constantFrom(true, false, 'never' as const),
    repetition_penalty: fc.constantFrom(1, 1.3),
    no_repeat_ngram_size: fc.constantFrom(0, 2),
  },
  { requiredKeys: ['num_beams', 'max_new_tokens'] },
);

test('every caption ends properly, holds no forbidden n-gram, and has the log-probability of the model', () => {
  fc.assert(
    fc.property(models, anyOptions, (model, options) => {
      const prompt = [start, 5, 6];
      const found = beams({ ...options, num_return_sequences: options.num_beams }, model, prompt);
      assert.equal(found.length, options.num_beams);
      for (const { tokens, logProbability } of found) {
        assert.deepEqual(tokens.slice(0, 3), prompt);
        const ending = tokens.indexOf(end);
        assert.ok(ending === -1 ? tokens.length === 3 + options.max_new_tokens : ending === tokens.length - 1);
        assert.ok(Math.abs(logProbability - logProbabilityOf(model, tokens, 3)) < 1e-4);
        const size = options.no_repeat_ngram_size ?? 0;
        const ngrams = tokens.slice(0, tokens.length - size + 1).map((_, at) => String(tokens.slice(at, at + size)));
        if (size > 0) assert.equal(new Set(ngrams).size, ngrams.length);
      }
      assert.equal(new Set(found.map(({ tokens }) => String(tokens))).size, found.length, 'no caption twice');
    }),
  );
});

test('no caption ends before the shortest length', () => {
  fc.assert(
    fc.property(models, fc.integer({ min: 0, max: 6 }), (model, shortest) => {
      const options = { num_beams: 3, num_return_sequences: 3, max_new_tokens: 8, min_new_tokens: shortest };
      for (const { tokens } of beams(options, model)) {
        const ending = tokens.indexOf(end);
        assert.ok(ending === -1 || ending >= 1 + shortest);
      }
    }),
  );
});

test('captions come best first, by the sum of log-probabilities over the length to the penalty', () => {
  fc.assert(
    fc.property(models, fc.constantFrom(-1, 0, 1, 2), (model, penalty) => {
      const options = { num_beams: 5, num_return_sequences: 5, max_new_tokens: 7, length_penalty: penalty };
      const scores = beams(options, model).map(
        ({ tokens, logProbability }) => logProbability / (tokens.length - 1) ** penalty,
      );
      for (const [rank, score] of scores.entries()) {
        assert.ok(score <= (scores[rank - 1] ?? Infinity) + 1e-5, String(scores));
      }
    }),
  );
});

/** Logits that give these probabilities after some tokens, and spread what is left evenly. */
const scripted =
  (script: Readonly<Record<string, Readonly<Record<number, number>>>>): Model =>
  (tokens) => {
    const given = script[tokens.join(' ')] ?? {};
    const left = 1 - Object.values(given).reduce((a, b) => a + b, 0);
    const others = vocabularySize - Object.keys(given).length;
    return Float32Array.from({ length: vocabularySize }, (_, token) => Math.log(given[token] ?? left / others));
  };

test('a caption that begins less probably and is more probable as a whole is found by two beams, not by one', () => {
  const model = scripted({
    '3': { 10: 0.6, 11: 0.39 },
    '3 10': { 12: 0.3, 13: 0.3 },
    '3 11': { 14: 0.99 },
  });
  const options = { max_new_tokens: 2 };
  assert.deepEqual(beams({ ...options, num_beams: 1 }, model)[0]?.tokens.slice(0, 2), [3, 10]);
  assert.deepEqual(beams({ ...options, num_beams: 2 }, model)[0]?.tokens, [3, 11, 14]);
});

test('the length penalty chooses between a short and a long caption', () => {
  const model = scripted({
    '3': { [end]: 0.4, 10: 0.35 },
    '3 10': { 11: 0.9 },
    '3 10 11': { [end]: 0.9 },
  });
  const best = (penalty: number) =>
    beams({ num_beams: 2, max_new_tokens: 4, length_penalty: penalty }, model)[0]?.tokens;
  assert.deepEqual(best(0), [3, end]);
  assert.deepEqual(best(2), [3, 10, 11, end]);
});

test('early_stopping true stops at as many ended captions as beams, where a better one was still to come', () => {
  const model = scripted({
    '3': { [end]: 0.3, 10: 0.28 },
    '3 10': { [end]: 0.3, 11: 0.6 },
    '3 10 11': { 12: 0.99 },
    '3 10 11 12': { [end]: 0.99 },
  });
  const best = (stopping: boolean | 'never') =>
    beams({ num_beams: 2, max_new_tokens: 6, length_penalty: 3, early_stopping: stopping }, model)[0]?.tokens;
  assert.deepEqual(best(true), [3, 10, end]);
  assert.deepEqual(best('never'), [3, 10, 11, 12, end]);
});

test('of equal scores the earlier row and the lower token go first', () => {
  const search = startBeamSearch([start], resolve({ num_beams: 3, max_new_tokens: 4 }, [start]));
  const level = new Float32Array(vocabularySize);
  assert.deepEqual(search.advance([nextToken(level)]), [
    { token: 0, source: 0 },
    { token: 1, source: 0 },
    { token: 3, source: 0 },
  ]);
});

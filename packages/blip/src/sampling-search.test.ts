import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import fc from 'fast-check';
import { nextToken } from '../../../test/support/next-token.ts';
import { resolveGenerationConfig, type SamplingConfig } from './generation-config.ts';
import { sample, startSampling } from './sampling-search.ts';

const everything: SamplingConfig = { temperature: 1, topK: 0, topP: 1, seed: 1 };

/** The tokens that can be drawn, found by trying numbers over the whole of [0, 1). */
function drawable(scores: readonly number[], sampling: Partial<SamplingConfig>): readonly number[] {
  const values = Float32Array.from(scores);
  const tries = Array.from({ length: 4000 }, (_, index) => index / 4000);
  return [...new Set(tries.map((random) => sample(values, { ...everything, ...sampling }, () => random)))].sort(
    (left, right) => left - right,
  );
}

/** What TopKLogitsWarper and then TopPLogitsWarper leave, step by step as transformers has it. */
function left(scores: readonly number[], { topK, topP, temperature }: SamplingConfig): readonly number[] {
  const warm = scores.map((score) => score / temperature);
  const kth = topK === 0 ? -Infinity : (warm.toSorted((a, b) => b - a)[Math.min(topK, warm.length) - 1] ?? 0);
  const kept = warm.flatMap((score, token) => (score >= kth ? [token] : []));
  const ascending = kept.toSorted((a, b) => (warm[a] ?? 0) - (warm[b] ?? 0));
  const total = ascending.reduce((sum, token) => sum + Math.exp(warm[token] ?? 0), 0);
  let cumulative = 0;
  const survivors = ascending.filter((token, rank) => {
    cumulative += Math.exp(warm[token] ?? 0) / total;
    return rank === ascending.length - 1 || cumulative > 1 - topP;
  });
  return survivors.toSorted((a, b) => a - b);
}

test('top_k keeps the most probable tokens, and those equal to the last of them', () => {
  assert.deepEqual(drawable([1, 4, 2, 3], { topK: 2 }), [1, 3]);
  assert.deepEqual(drawable([1, 2, 2, 2], { topK: 2 }), [1, 2, 3]);
  assert.deepEqual(drawable([1, 2, 3], { topK: 9 }), [0, 1, 2]);
  assert.deepEqual(drawable([1, -Infinity, 3], { topK: 3 }), [0, 2]);
});

test('top_p keeps the fewest tokens that reach it, at least one', () => {
  const scores = [0.5, 0.3, 0.15, 0.05].map(Math.log);
  assert.deepEqual(drawable(scores, { topP: 0.01 }), [0]);
  assert.deepEqual(drawable(scores, { topP: 0.6 }), [0, 1]);
  assert.deepEqual(drawable(scores, { topP: 0.9 }), [0, 1, 2]);
  assert.deepEqual(drawable(scores, { topP: 1 }), [0, 1, 2, 3]);
  // Of the two that top_k leaves, the first has 0.625.
  assert.deepEqual(drawable(scores, { topP: 0.6, topK: 2 }), [0]);
});

test('what can be drawn is what a straightforward reading of transformers leaves', () => {
  const score = fc.integer({ min: -40, max: 40 }).map((tenth) => tenth / 10);
  const sampling = fc.record({
    temperature: fc.constantFrom(0.5, 1, 2),
    topK: fc.nat(12),
    topP: fc.constantFrom(0.2, 0.5, 0.9, 1),
    seed: fc.constant(1),
  });
  fc.assert(
    // Different scores: which of two equal ones top_p drops first is left open there.
    fc.property(fc.uniqueArray(score, { minLength: 1, maxLength: 10 }), sampling, (scores, config) => {
      const drawn = drawable(scores, config);
      const expected = left(scores, config);
      assert.ok(drawn.every((token) => expected.includes(token)));
      // A token whose share is under a step of the tries may be missed.
      const total = expected.reduce((sum, token) => sum + Math.exp((scores[token] ?? 0) / config.temperature), 0);
      const likely = expected.filter((token) => Math.exp((scores[token] ?? 0) / config.temperature) / total > 0.001);
      assert.ok(likely.every((token) => drawn.includes(token)));
    }),
    { numRuns: 300 },
  );
});

const limits = { endTokenId: 2, padTokenId: 0, maxPositions: 64 };
const probabilities = [0.1, 0.2, 0.1, 0.6];
const logits = Float32Array.from(probabilities, Math.log);

/** The tokens that sampling the same logits in every step gives. */
function run(options: GenerationOptions, rowsOfStep: () => Float32Array = () => logits): readonly number[][] {
  const search = startSampling([3], resolveGenerationConfig(options, 1, limits));
  let rows = search.advance([nextToken(rowsOfStep())]);
  while (rows !== undefined) {
    assert.equal(rows.length, search.width);
    rows = search.advance(rows.map(() => nextToken(rowsOfStep())));
  }
  return search.results().map(({ tokens }) => [...tokens]);
}

test('drawn tokens have the frequencies of their probabilities, tempered', () => {
  const draws = 4000;
  for (const temperature of [0.5, 1, 2]) {
    const seeds = Array.from({ length: draws }, (_, seed) => seed);
    const counts = [0, 0, 0, 0];
    for (const seed of seeds) {
      const [tokens] = run({ do_sample: true, temperature, seed, max_new_tokens: 1 });
      counts[tokens?.[1] ?? 0] = (counts[tokens?.[1] ?? 0] ?? 0) + 1;
    }
    const powers = probabilities.map((probability) => probability ** (1 / temperature));
    const sum = powers.reduce((a, b) => a + b);
    for (const [token, power] of powers.entries()) {
      const expected = power / sum;
      // Four standard deviations.
      const tolerance = 4 * Math.sqrt((expected * (1 - expected)) / draws);
      assert.ok(Math.abs((counts[token] ?? 0) / draws - expected) < tolerance, `${temperature}: ${counts}`);
    }
  }
});

test('a seed gives the same captions again, and another seed others', () => {
  const options = { do_sample: true, num_return_sequences: 4, max_new_tokens: 20 } as const;
  const first = run({ ...options, seed: 5 });
  assert.deepEqual(run({ ...options, seed: 5 }), first);
  assert.notDeepEqual(run({ ...options, seed: 6 }), first);
  // Seeds above 32 bits count in full.
  assert.notDeepEqual(run({ ...options, seed: 5 + 2 ** 40 }), first);
  assert.ok(new Set(first.map(String)).size > 1, 'the captions of one image differ');
  assert.deepEqual(run({ ...options, num_return_sequences: 2, seed: 5 }), first.slice(0, 2));
});

test('without a seed two runs differ', () => {
  const options = { do_sample: true, max_new_tokens: 60, min_new_tokens: 60 } as const;
  assert.notDeepEqual(run(options), run(options));
});

test('each caption ends with its own end token or at the greatest length', () => {
  const captions = run({ do_sample: true, num_return_sequences: 16, max_new_tokens: 6, min_new_tokens: 2, seed: 1 });
  for (const tokens of captions) {
    const ending = tokens.indexOf(limits.endTokenId);
    assert.equal(ending, ending < 0 ? -1 : tokens.length - 1);
    assert.ok(tokens.length === 7 || ending >= 0);
    assert.ok(tokens.length >= 4 || ending < 0);
  }
  assert.ok(new Set(captions.map(({ length }) => length)).size > 1);
});

test('greedy decoding takes the first of the largest logits', () => {
  const steps = [Float32Array.of(1, 5, 0, 5), Float32Array.of(0, 0, 0, 1), Float32Array.of(0, 0, 9, 1)].values();
  const search = startSampling([3], resolveGenerationConfig({}, 1, limits));
  assert.deepEqual(search.advance([nextToken(steps.next().value as Float32Array)]), [{ token: 1, source: 0 }]);
  assert.deepEqual(search.advance([nextToken(steps.next().value as Float32Array)]), [{ token: 3, source: 0 }]);
  assert.equal(search.advance([nextToken(steps.next().value as Float32Array)]), undefined);
  assert.deepEqual(search.results()[0]?.tokens, [3, 1, 3, 2]);
});

test("a caption's log-probability is the model's own, whatever the penalties and the temperature", () => {
  const options = { do_sample: true, temperature: 3, top_k: 1, repetition_penalty: 1.5, max_new_tokens: 3, seed: 1 };
  const search = startSampling([3], resolveGenerationConfig(options, 1, limits));
  for (let rows = search.advance([nextToken(logits)]); rows !== undefined; ) rows = search.advance([nextToken(logits)]);
  const [found] = search.results();
  const expected = (found?.tokens ?? []).slice(1).map((token) => Math.log(probabilities[token] ?? 0));
  assert.ok(Math.abs((found?.logProbability ?? 0) - expected.reduce((a, b) => a + b)) < 1e-6);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import fc from 'fast-check';
import { resolveGenerationConfig } from './generation-config.ts';
import { processScores } from './logits-processors.ts';

const end = 2;
function process(scores: readonly number[], sequence: readonly number[], options: GenerationOptions): number[] {
  const limits = { endTokenId: end, padTokenId: 0, maxPositions: 64 };
  const values = Float32Array.from(scores);
  processScores(values, sequence, resolveGenerationConfig(options, 1, limits));
  return [...values];
}

test('a repetition penalty touches each present token once, and pushes down whatever its sign', () => {
  const options = { repetition_penalty: 2 };
  assert.deepEqual(process([1, 2, -3, 4, -5], [1, 2, 1, 1], options), [1, 1, -6, 4, -5]);
  // 0.1 in float32, times and over 1.3 in float32.
  const [positive, negative] = process([0.1, -0.1], [0, 1], { repetition_penalty: 1.3 });
  assert.equal(positive, Math.fround(Math.fround(0.1) / Math.fround(1.3)));
  assert.equal(negative, Math.fround(Math.fround(-0.1) * Math.fround(1.3)));
});

test('no token may complete an n-gram a second time, the prompt included', () => {
  const forbidden = (sequence: readonly number[], size: number) =>
    process([0, 0, 0, 0, 0, 0], sequence, { no_repeat_ngram_size: size }).flatMap((score, token) =>
      score === -Infinity ? [token] : [],
    );
  assert.deepEqual(forbidden([5, 1, 3, 1], 2), [3]);
  assert.deepEqual(forbidden([1, 3, 1, 4, 1], 2), [3, 4]);
  assert.deepEqual(forbidden([1, 3, 4, 1, 3], 3), [4]);
  assert.deepEqual(forbidden([1, 3, 4, 3, 1], 3), []);
  assert.deepEqual(forbidden([5, 4, 5], 1), [4, 5]);
  assert.deepEqual(forbidden([5], 3), []);
});

test('a sequence grown only by allowed tokens never holds an n-gram twice', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(1000), { maxLength: 40 }), (size, choices) => {
      const sequence = [0];
      for (const choice of choices) {
        const scores = process([0, 0, 0, 0, 0], sequence, { no_repeat_ngram_size: size });
        const allowed = scores.flatMap((score, token) => (score === 0 ? [token] : []));
        if (allowed.length === 0) break;
        sequence.push(allowed[choice % allowed.length] ?? 0);
      }
      const ngrams = sequence.slice(0, sequence.length - size + 1).map((_, at) => sequence.slice(at, at + size).join());
      assert.equal(new Set(ngrams).size, ngrams.length);
    }),
  );
});

test('the end is forbidden until the shortest length, which counts bos and prompt', () => {
  const endScore = (length: number, options: GenerationOptions) =>
    process([0, 0, 0], new Array<number>(length).fill(1), options)[end];
  assert.equal(endScore(4, { min_length: 5 }), -Infinity);
  assert.equal(endScore(5, { min_length: 5 }), 0);
  assert.equal(endScore(3, { min_new_tokens: 3 }), -Infinity);
  assert.equal(endScore(4, { min_new_tokens: 3 }), 0);
});

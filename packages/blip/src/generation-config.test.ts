import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { resolveGenerationConfig } from './generation-config.ts';

const limits = { endTokenId: 102, padTokenId: 0, maxPositions: 64 };
const resolve = (options: GenerationOptions, promptLength = 1) =>
  resolveGenerationConfig(options, promptLength, limits);

test('without options: greedily, 20 new tokens, no shortest length', () => {
  assert.deepEqual(resolve({}), {
    ...limits,
    promptLength: 1,
    maxLength: 21,
    minLength: 0,
    numBeams: 1,
    numReturnSequences: 1,
    lengthPenalty: 1,
    earlyStopping: false,
    repetitionPenalty: 1,
    noRepeatNgramSize: 0,
  });
});

test('the default length stops at what the model has positions for', () => {
  assert.equal(resolve({}, 4).maxLength, 24);
  assert.equal(resolve({}, 50).maxLength, 64);
});

test('lengths of new tokens win over lengths in all', () => {
  const both = resolve({ max_new_tokens: 8, max_length: 30, min_new_tokens: 2, min_length: 10 }, 4);
  assert.deepEqual([both.maxLength, both.minLength], [12, 6]);
  const total = resolve({ max_length: 30, min_length: 10 }, 4);
  assert.deepEqual([total.maxLength, total.minLength], [30, 10]);
});

test('sampling takes the 50 most probable tokens unless told otherwise', () => {
  assert.equal(resolve({ temperature: 2, top_k: 5 }).sampling, undefined);
  assert.deepEqual(resolve({ do_sample: true }).sampling, { temperature: 1, topK: 50, topP: 1, seed: undefined });
  assert.deepEqual(resolve({ do_sample: true, temperature: 0.5, top_k: 0, top_p: 0.9, seed: 7 }).sampling, {
    temperature: 0.5,
    topK: 0,
    topP: 0.9,
    seed: 7,
  });
});

test('contradictions are refused by the name of the option', () => {
  const cases: readonly (readonly [GenerationOptions, number, RegExp])[] = [
    [{ min_length: 12, max_length: 10 }, 1, /^min_length is 12 and max_length 10$/],
    [{ min_new_tokens: 9, max_new_tokens: 8 }, 4, /^min_new_tokens is 9 and max_new_tokens 8$/],
    [{ min_new_tokens: 9, max_length: 12 }, 4, /^min_new_tokens asks for at least 13 tokens, max_length allows 12$/],
    [{ min_length: 22 }, 1, /^min_length .* the default length allows 21$/],
    [{ max_length: 4 }, 4, /^prompt has 4 tokens with bos.* length of 4$/],
    [{}, 64, /^prompt has 64 tokens with bos.* length of 64$/],
    [{ max_length: 65 }, 1, /^max_length asks for captions of up to 65 tokens; the model has 64$/],
    [{ max_new_tokens: 63 }, 2, /^max_new_tokens asks for captions of up to 65 tokens/],
    [{ num_return_sequences: 3, num_beams: 2 }, 1, /^num_return_sequences is 3 and num_beams 2/],
    [{ num_return_sequences: 2 }, 1, /^num_return_sequences is 2 and num_beams 1; .*do_sample/],
    [{ do_sample: true, num_beams: 2 }, 1, /^do_sample goes with num_beams 1/],
  ];
  for (const [options, promptLength, message] of cases) {
    assert.throws(() => resolve(options, promptLength), { code: 'OPTION_INVALID', message });
  }
  assert.equal(resolve({ do_sample: true, num_return_sequences: 4 }).numReturnSequences, 4);
  assert.equal(resolve({ min_length: 10, max_length: 10 }).minLength, 10);
});

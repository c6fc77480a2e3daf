import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationOptions } from './generation-options.ts';
import { optionConflict } from './option-conflict.ts';

test('options that contradict each other whatever the model is are found', () => {
  const conflicts: readonly (readonly [GenerationOptions, option: string, message: RegExp])[] = [
    [{ num_return_sequences: 3 }, 'num_return_sequences', /^is 3 and num_beams 1; .*do_sample/],
    [{ num_return_sequences: 3, num_beams: 2 }, 'num_return_sequences', /^is 3 and num_beams 2/],
    [{ do_sample: true, num_beams: 3 }, 'do_sample', /^goes with num_beams 1/],
    [{ min_length: 12, max_length: 10 }, 'min_length', /^is 12 and max_length 10$/],
    [{ min_new_tokens: 9, max_new_tokens: 8 }, 'min_new_tokens', /^is 9 and max_new_tokens 8$/],
    [{ min_new_tokens: 10, max_length: 10 }, 'min_new_tokens', /^is 10 and max_length 10/],
    [{ min_new_tokens: 21 }, 'min_new_tokens', /^is 21 and the default of max_new_tokens 20$/],
  ];
  for (const [options, option, message] of conflicts) {
    const conflict = optionConflict(options);
    assert.equal(conflict?.option, option, JSON.stringify(options));
    assert.match(conflict?.message ?? '', message);
  }
});

test('what only a model or a prompt can contradict is none, and neither is what another option wins over', () => {
  const good: readonly GenerationOptions[] = [
    {},
    { num_return_sequences: 3, num_beams: 3 },
    { num_return_sequences: 3, do_sample: true },
    { min_length: 10, max_length: 10 },
    { min_length: 30 },
    { min_length: 30, max_new_tokens: 10 },
    { min_length: 30, max_length: 10, min_new_tokens: 5 },
    { min_new_tokens: 9, max_length: 10 },
    { min_new_tokens: 9, max_new_tokens: 10, max_length: 5 },
    { max_length: 512 },
  ];
  for (const options of good) assert.equal(optionConflict(options), undefined, JSON.stringify(options));
});

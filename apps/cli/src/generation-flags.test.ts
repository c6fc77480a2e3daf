import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';
import { Command } from 'commander';
import { addGenerationFlags, readGenerationFlags, withSwitchValues } from './generation-flags.ts';

function parse(...argv: string[]): { options: object; inputs: readonly string[] } {
  const command = addGenerationFlags(GenerationOptionsSchema, new Command().argument('<input...>'));
  command.parse(withSwitchValues(argv), { from: 'user' });
  return { options: readGenerationFlags(GenerationOptionsSchema, command.opts()), inputs: command.args };
}

test('flags carry the names of transformers in kebab case and their types', () => {
  const flags = ['--num-beams', '3', '--length-penalty', '-0.5', '--early-stopping', 'never', '--prompt', '42'];
  assert.deepEqual(parse('a.jpg', ...flags, '--no-repeat-ngram-size', '2').options, {
    num_beams: 3,
    length_penalty: -0.5,
    early_stopping: 'never',
    prompt: '42',
    no_repeat_ngram_size: 2,
  });
});

test('a bare switch is true and leaves the file behind it alone', () => {
  const parsed = parse('--early-stopping', 'a.jpg', '--do-sample', 'false');
  assert.deepEqual(parsed, { options: { early_stopping: true, do_sample: false }, inputs: ['a.jpg'] });
});

test('a lone word behind a switch is its value, and refused when it is none', () => {
  assert.throws(() => parse('--early-stopping', 'sometimes', 'a.jpg'), {
    code: 'OPTION_INVALID',
    message: /^--early-stopping: /,
  });
  assert.deepEqual(parse('--early-stopping', 'no-such-file.jpg').inputs, ['no-such-file.jpg']);
});

test('a value out of range is refused under the name of its flag', () => {
  assert.throws(() => parse('a.jpg', '--num-beams', '0'), { code: 'OPTION_INVALID', message: /^--num-beams: / });
  assert.throws(() => parse('a.jpg', '--num-return-sequences', '3'), {
    code: 'OPTION_INVALID',
    message: /^--num-return-sequences is 3 and num_beams 1/,
  });
  assert.throws(() => parse('a.jpg', '--top-p', 'much'), { code: 'OPTION_INVALID', message: /^--top-p: / });
});

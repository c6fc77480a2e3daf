import { existsSync } from 'node:fs';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { GenerationOptions, GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';
import { optionConflict } from '@captionfleet/protocol/option-conflict';
import type { AnswerOptionsSchema } from '@captionfleet/protocol/task';
import { type Command, Option } from 'commander';

const kebabCase = (name: string): string => name.replaceAll('_', '-');
const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

type OptionsSchema = typeof GenerationOptionsSchema | typeof AnswerOptionsSchema;

/** Adds one flag for each generation option, under Hugging Face's name in kebab case. */
export function addGenerationFlags(options: OptionsSchema, command: Command): Command {
  for (const [name, schema] of Object.entries(options.shape)) {
    const value = isSwitch(name) ? '[value]' : '<value>';
    const option = new Option(`--${kebabCase(name)} ${value}`, schema.unwrap().description);
    // no_repeat_ngram_size is a name of its own, not the negation of repeat_ngram_size.
    option.negate = false;
    command.addOption(option);
  }
  return command;
}

const isSwitch = (name: string): boolean => name === 'early_stopping' || name === 'do_sample';

/**
 * Writes `--early-stopping` out as `--early-stopping=true`, so that a bare switch does not swallow the file behind it. A
 * lone word that is no file is meant as its value, right or wrong.
 */
export function withSwitchValues(argv: readonly string[]): string[] {
  return argv.map((argument, position) => {
    if (argument !== '--early-stopping' && argument !== '--do-sample') return argument;
    const next = argv[position + 1] ?? '';
    return /^\w+$/.test(next) && !existsSync(next) ? argument : `${argument}=true`;
  });
}

/** Reads the flags back; OPTION_INVALID names the flag and what would be right. */
export function readGenerationFlags(
  options: OptionsSchema,
  flags: Readonly<Record<string, unknown>>,
): GenerationOptions {
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(options.shape)) {
    const value = flags[camelCase(name)];
    if (value !== undefined) given[name] = name === 'prompt' ? value : readValue(value);
  }
  const parsed = options.safeParse(given);
  if (parsed.success) {
    const conflict = optionConflict(parsed.data);
    if (conflict === undefined) return parsed.data;
    throw new CaptionfleetError('OPTION_INVALID', `--${kebabCase(conflict.option)} ${conflict.message}`);
  }
  const reasons = parsed.error.issues.map((issue) => `--${kebabCase(String(issue.path[0]))}: ${issue.message}`);
  throw new CaptionfleetError('OPTION_INVALID', reasons.join('; '));
}

function readValue(value: unknown): unknown {
  if (value === true || value === 'true') return true;
  if (value === 'false') return false;
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';
import { AnswerOptionsSchema, type Task, TaskSchema, type TaskType } from '@captionfleet/protocol/task';
import { readGenerationFlags } from './generation-flags.ts';

type Flags = Readonly<Record<string, unknown>>;

/** What a command's flags ask of each image. */
const readers: Readonly<Record<TaskType, (flags: Flags) => object>> = {
  caption: (flags) => ({ options: readGenerationFlags(GenerationOptionsSchema, flags) }),
  match: ({ text }) => ({ texts: text }),
  embed: ({ text }) => ({ texts: text }),
  answer: ({ question, ...flags }) => ({
    questions: question,
    options: readGenerationFlags(AnswerOptionsSchema, flags),
  }),
};

/** Flags that may be given several times, by the member of the task that they fill. */
const repeatedFlags: Readonly<Record<string, string>> = { texts: '--text', questions: '--question' };

/** Reads the flags of a command back; OPTION_INVALID names the flag and what would be right. */
export function readTask(type: TaskType, flags: Flags): Task {
  const parsed = TaskSchema.safeParse({ type, ...readers[type](flags) });
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map(({ path, message }) => {
    const [member = '', index] = path;
    const flag = repeatedFlags[String(member)] ?? String(member);
    return `${flag}${typeof index === 'number' ? ` number ${index + 1}` : ''}: ${message}`;
  });
  throw new CaptionfleetError('OPTION_INVALID', reasons.join('; '));
}

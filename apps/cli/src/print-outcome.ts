import type { ErrorReport } from '@captionfleet/protocol/errors';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import { inputName } from './image-inputs.ts';

/** Writes what became of an image: a line of JSON, or lines to read; an error that is to be read goes to standard error. */
export function printOutcome(input: string, outcome: ImageOutcome, json: boolean): void {
  const file = inputName(input);
  if (json) process.stdout.write(`${JSON.stringify(jsonLine(file, outcome))}\n`);
  else if (outcome.status !== 'succeeded') printFailure(input, outcome.error);
  else for (const line of plainLines(outcome)) process.stdout.write(`${file}: ${line}\n`);
}

/** The reason of an image that failed, on standard error. */
export function printFailure(input: string, { code, message }: ErrorReport): void {
  process.stderr.write(`captionfleet: ${code}: ${inputName(input)}: ${message}\n`);
}

type Succeeded = Extract<ImageOutcome, { status: 'succeeded' }>;

/** The best caption's members stand in the line itself; all of them are named when there are several. */
function jsonLine(file: string, outcome: ImageOutcome): object {
  if (outcome.status !== 'succeeded') return { file, error: outcome.error };
  const { status: _, image, model, timings, ...result } = outcome;
  if (!('captions' in result)) return { file, ...result, timings, image, model };
  const [first, ...others] = result.captions;
  return { file, ...first, ...(others.length > 0 ? result : {}), timings, image, model };
}

function plainLines(outcome: Succeeded): readonly string[] {
  if ('captions' in outcome) return outcome.captions.map(({ text }) => text);
  if ('answers' in outcome) return outcome.answers.map(({ question, text }) => `${question} ${text}`);
  if ('matches' in outcome) {
    return outcome.matches.map(
      ({ text, probability, similarity }) => `${probability.toFixed(4)} ${similarity.toFixed(4)} ${text}`,
    );
  }
  const { image, texts } = outcome.embedding;
  return [image.join(' '), ...texts.map(({ text, embedding }) => `${text}: ${embedding.join(' ')}`)];
}

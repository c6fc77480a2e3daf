import { type BatchEndpoint, type BatchIssue, batchEndpoints, batchLimits } from '@captionfleet/protocol/batch';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Task } from '@captionfleet/protocol/task';
import { z } from 'zod';
import type { FileLine } from './file-lines.ts';
import { parseBody } from './problem.ts';
import { type DoorImage, taskOf, taskRequestSchemas } from './task-request.ts';

const customIdForm = `must be a string of 1 to ${batchLimits.customId} characters`;

/** What every line has, whatever its body asks. */
const EnvelopeSchema = z.strictObject({
  custom_id: z.string(customIdForm).min(1, customIdForm).max(batchLimits.customId, customIdForm),
  method: z.literal('POST', 'must be "POST"'),
  url: z.string('must be the endpoint of the batch'),
  body: z.looseObject({}, 'must be an object'),
});

export interface BatchLine {
  readonly customId: string;
  readonly body: object;
}

type Issue = Omit<BatchIssue, 'line'>;

/** A line, or what is wrong with it, in OpenAI's words where it has some; that fails the batch as a whole. */
export function readLine({ text }: Pick<FileLine, 'text'>, endpoint: BatchEndpoint): BatchLine | Issue {
  if (text === undefined) {
    const message = `This line has more than ${batchLimits.lineBytes} bytes.`;
    return { code: 'line_too_long', message, param: null };
  }
  const value = parseJson(text);
  if (value === undefined) {
    return { code: 'invalid_json_line', message: 'This line is not parseable as valid JSON.', param: null };
  }
  const parsed = EnvelopeSchema.safeParse(value);
  if (!parsed.success) return issueOf(parsed.error, value);
  const { custom_id: customId, url, body } = parsed.data;
  if (url === endpoint) return { customId, body };
  const message = `The url "${url.slice(0, 100)}" is not the endpoint of the batch, ${endpoint}.`;
  return { code: 'url_mismatch', message, param: 'url' };
}

function issueOf({ issues: [issue] }: z.ZodError, value: unknown): Issue {
  const [name] = issue?.path ?? [];
  const what = 'custom_id, method, url and body';
  if (name === undefined) {
    const unknown = issue !== undefined && 'keys' in issue ? ` It also has ${JSON.stringify(issue.keys)}.` : '';
    return { code: 'invalid_value', message: `A line is an object with ${what}.${unknown}`, param: null };
  }
  const param = String(name);
  if (Object.hasOwn(Object(value), name)) {
    return { code: 'invalid_value', message: `${param} ${issue?.message}.`, param };
  }
  return { code: 'missing_required_parameter', message: `${param} is missing; a line has ${what}.`, param };
}

/** `undefined`, which JSON cannot say, for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What the body of a line asks. What is wrong with it fails the line and no other.
 *
 * @throws REQUEST_INVALID or OPTION_INVALID
 */
export function askedOf(body: object, endpoint: BatchEndpoint): { readonly task: Task; readonly image: DoorImage } {
  if ('lane' in body) throw new CaptionfleetError('REQUEST_INVALID', '/lane: batches have a lane of their own, bulk');
  const type = batchEndpoints[endpoint];
  const schema: z.ZodType<Parameters<typeof taskOf>[1]> = taskRequestSchemas[type];
  const asked = parseBody(schema, body);
  const [image, second] = asked.images;
  if (image === undefined || second !== undefined) {
    throw new CaptionfleetError('REQUEST_INVALID', '/images: a line has one image; others go on lines of their own');
  }
  return { task: taskOf(type, asked), image };
}

import { type BatchRecord, batchIdOf, type FileId } from '@captionfleet/protocol/batch';
import { errorTable } from '@captionfleet/protocol/errors';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { BatchWork } from './batch-feed.ts';
import { readLine } from './batch-line.ts';
import { fileLines } from './file-lines.ts';
import { mapBounded } from './map-bounded.ts';
import { openAiError } from './openai-error.ts';

/** Outcomes that are read at a time, of as many lines. */
const readsAtOnce = 32;

/** How a batch of which every line has an outcome ends. */
export type BatchEnd = 'completed' | 'expired' | 'cancelled';

export interface BatchOutput {
  readonly counts: { readonly total: number; readonly completed: number; readonly failed: number };
  /** Absent where it would be empty. */
  readonly outputFileId?: FileId;
  readonly errorFileId?: FileId;
}

/**
 * Writes the files of a batch of which every line has an outcome. Outcomes never change, so whoever writes them writes the same
 * bytes under the same ids, and the first one's stand.
 */
export async function writeOutput(work: BatchWork, status: BatchEnd, signal: AbortSignal): Promise<BatchOutput> {
  const { record, lines, requests } = work;
  const ends = await requests.readEnds(record.id, { signal });
  const completed = [...ends.values()].filter((end) => end === 'succeeded').length;
  const counts = { total: lines, completed, failed: ends.size - completed };
  const outputFileId: FileId = `file-${record.id}-output`;
  const errorFileId: FileId = `file-${record.id}-errors`;
  const write = async (id: FileId, what: 'output' | 'error'): Promise<void> => {
    const isWanted = (index: number): boolean => (ends.get(index) === 'succeeded') === (what === 'output');
    const staged = await work.files.stage(id, outputLines(work, { status, isWanted }, signal), { signal });
    const filename = `${batchIdOf(record.id)}_${what}.jsonl`;
    await staged.keep({ filename, purpose: 'batch_output' }, { signal });
  };
  if (counts.completed > 0) await write(outputFileId, 'output');
  if (counts.failed > 0) await write(errorFileId, 'error');
  return {
    counts,
    ...(counts.completed > 0 ? { outputFileId } : {}),
    ...(counts.failed > 0 ? { errorFileId } : {}),
  };
}

interface NamedLine {
  readonly index: number;
  readonly customId: string;
  readonly imageId: unknown;
}

/** In the order of the input. */
async function* outputLines(
  work: BatchWork,
  { status, isWanted }: { readonly status: BatchEnd; readonly isWanted: (index: number) => boolean },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { record, files, requests } = work;
  const describe = async (lines: readonly NamedLine[]): Promise<Buffer> => {
    const described = await mapBounded(lines, readsAtOnce, async (line) => {
      const outcome = await requests.readOutcome(record.id, line.index, { signal });
      return outcome === undefined ? '' : `${JSON.stringify(outputLine(record, status, line, outcome))}\n`;
    });
    return Buffer.from(described.join(''));
  };
  let some: NamedLine[] = [];
  const file = { id: record.inputFileId, bytes: record.inputBytes };
  for await (const line of fileLines(files, file, { index: 0, offset: 0 }, signal)) {
    if (!isWanted(line.index)) continue;
    const read = readLine(line, record.endpoint);
    if ('code' in read) continue;
    const [image] = Object(read.body).images ?? [];
    some.push({ index: line.index, customId: read.customId, imageId: Object(image).customId });
    if (some.length < readsAtOnce) continue;
    yield await describe(some);
    some = [];
  }
  if (some.length > 0) yield await describe(some);
}

/** What is said of a line that nobody wanted any more, by what the batch ended as. */
const unwanted = {
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
  cancelled: { code: 'batch_cancelled', message: 'This request was not executed: its batch was cancelled.' },
} as const;

/** A line in OpenAI's form. */
function outputLine(
  record: BatchRecord,
  status: BatchEnd,
  { index, customId, imageId }: NamedLine,
  outcome: ImageOutcome,
): object {
  const place = String(index).padStart(6, '0');
  const named = { id: `batch_req_${record.id}_${place}`, custom_id: customId };
  const isUnwanted = outcome.status === 'aborted' || outcome.status === 'canceled';
  if (isUnwanted && status !== 'completed') return { ...named, response: null, error: unwanted[status] };
  const response =
    outcome.status === 'succeeded'
      ? { status_code: 200, body: answerBody(record, imageId, outcome) }
      : { status_code: errorTable[outcome.error.code].status, body: openAiError(outcome.error) };
  const { status_code: statusCode, body } = response;
  return {
    ...named,
    response: { status_code: statusCode, request_id: `${record.id}-${place}`, body },
    error: null,
  };
}

/** What the line's endpoint would have answered, but for the id: there is no request that could be asked for. */
function answerBody({ createdAt }: BatchRecord, imageId: unknown, outcome: ImageOutcome): object {
  const named = imageId === undefined ? {} : { customId: imageId };
  return {
    status: 'succeeded',
    createdAt,
    counts: { queued: 0, running: 0, succeeded: 1, failed: 0, aborted: 0, canceled: 0 },
    images: [{ index: 0, ...named, ...outcome }],
  };
}

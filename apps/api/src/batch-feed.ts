import { type BatchRecord, batchEndpoints } from '@captionfleet/protocol/batch';
import { CaptionfleetError, type ErrorCode, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import { headOf } from '@captionfleet/protocol/task';
import type { BatchStore, FilePlace } from '@captionfleet/storage/batch-store';
import type { FileStore } from '@captionfleet/storage/file-store';
import type { OutcomeEnd, RequestStore } from '@captionfleet/storage/request-store';
import { lookAt, storeInline } from './admission.ts';
import { askedOf, readLine } from './batch-line.ts';
import { type FileLine, fileLines } from './file-lines.ts';
import { mapBounded } from './map-bounded.ts';
import type { TaskProducer } from './routed-producer.ts';
import type { SubmissionConfig } from './submission.ts';
import { endUnwanted } from './unwanted.ts';

/** A batch in work, and what it stands on. */
export interface BatchWork {
  readonly record: BatchRecord;
  /** Lines of its file. */
  readonly lines: number;
  readonly batches: BatchStore;
  readonly files: FileStore;
  /** The tenant's own. */
  readonly requests: RequestStore;
  readonly producer: TaskProducer;
  readonly spendImages: SubmissionConfig['spendImages'];
}

const limits = {
  /** Jobs of one batch that wait or run at a time: others find room, and a cancellation is quick. */
  window: 1_000,
  /** Lines that are enqueued together, and characters of them after which no more are taken. */
  chunkLines: 64,
  chunkCharacters: 8 * 1024 * 1024,
  callsAtOnce: 16,
  /** Lines that are ended together when nobody wants them. */
  endedAtOnce: 256,
  enqueueMs: 10_000,
} as const;

export const producerOfBatch = ({ endpoint }: BatchRecord, queues: SubmissionConfig['queues']): TaskProducer =>
  queues.bulk[headOf[batchEndpoints[endpoint]]].producer;

/**
 * Puts lines of a batch into the queue while there is room in its window, first those that the queue has lost. May be repeated
 * after any failure: a line whose job is known or that has an outcome is left as it is. `firstOpen` is a line before which all
 * have ended.
 *
 * @returns whether anything was put there
 * @throws STORAGE_UNAVAILABLE, QUEUE_UNAVAILABLE, or the signal's reason
 */
export async function feed(work: BatchWork, firstOpen: number, signal: AbortSignal): Promise<boolean> {
  const { record, batches } = work;
  const fed: readonly FilePlace[] = [{ index: 0, offset: 0 }, ...(await batches.listFed(record, { signal }))];
  const last = fed.at(-1) ?? { index: 0, offset: 0 };
  const { open, lost, ends } = await lookAtOpen(work, { from: firstOpen, to: last.index }, signal);
  try {
    if (lost.size > 0) {
      const first = Math.min(...lost);
      const place = fed.findLast(({ index }) => index <= first) ?? last;
      await putLines(work, place, { isWanted: (index) => lost.has(index), until: Math.max(...lost) + 1 }, signal);
      return true;
    }
    const room = limits.window - open;
    if (room <= 0 || last.index === work.lines) return false;
    const until = Math.min(last.index + room, work.lines);
    // A process that died may have put some there without saying so.
    const isWanted = (index: number): boolean => !ends.has(index);
    const onFed = (place: FilePlace): Promise<void> => batches.writeFed(record, place, { signal });
    await putLines(work, last, { isWanted, until, onFed }, signal);
    return true;
  } catch (error) {
    // There is room again, and the tenant's minute is over, when it is over.
    if (hasCode(error, 'QUEUE_FULL', 'RATE_LIMITED')) return false;
    throw error;
  }
}

const hasCode = (error: unknown, ...codes: ErrorCode[]): boolean =>
  error instanceof CaptionfleetError && codes.includes(error.code);

const exhausted = new CaptionfleetError('ATTEMPTS_EXHAUSTED', 'the queue gave this image up after its last attempt');

interface Look {
  /** Lines that were fed and have not ended. */
  readonly open: number;
  /** Those of them that the queue does not know. */
  readonly lost: ReadonlySet<number>;
  readonly ends: ReadonlyMap<number, OutcomeEnd>;
}

/** Looks at the lines that were fed, from one before which all have ended, and ends those that the queue gave up. */
async function lookAtOpen(
  { record, requests, producer }: BatchWork,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<Look> {
  const look = async () => {
    const ends = await requests.readEnds(record.id, { from, signal });
    const fed = Array.from({ length: Math.max(0, to - from) }, (_, place) => from + place);
    return { ends, open: fed.filter((index) => !ends.has(index)) };
  };
  const first = await look();
  if (first.open.length === 0) return { ...first, open: 0, lost: new Set() };
  const idOf = (index: number): string => jobId({ tenant: record.tenant, requestId: record.id, index });
  const states = await producer.states(first.open.map(idOf));
  const givenUp = first.open.filter((index) => states.get(idOf(index)) === 'failed');
  await mapBounded(givenUp, limits.callsAtOnce, (index) =>
    fail(requests, record, index, reportError(exhausted), signal),
  );
  const unknown = first.open.filter((index) => !states.has(idOf(index)));
  if (unknown.length === 0) return { ...first, open: first.open.length, lost: new Set() };
  // A job may have ended, and been forgotten, since the first look; its outcome was written before that.
  const { ends, open } = await look();
  return { ends, open: open.length, lost: new Set(unknown.filter((index) => !ends.has(index))) };
}

interface Wanted {
  /** The line before which to stop. */
  readonly until: number;
  /** Whether a line is meant. */
  readonly isWanted: (index: number) => boolean;
  readonly onFed?: (place: FilePlace) => Promise<void>;
}

async function putLines(
  work: BatchWork,
  place: FilePlace,
  { until, isWanted, onFed = async () => undefined }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const { record, files } = work;
  const file = { id: record.inputFileId, bytes: record.inputBytes };
  let chunk: FileLine[] = [];
  let characters = 0;
  for await (const line of fileLines(files, file, place, signal)) {
    if (isWanted(line.index)) {
      chunk.push(line);
      characters += line.text?.length ?? 0;
    }
    const isLast = line.index + 1 >= until;
    if (!isLast && chunk.length < limits.chunkLines && characters < limits.chunkCharacters) continue;
    await putChunk(work, chunk, signal);
    await onFed({ index: line.index + 1, offset: line.end });
    if (isLast) return;
    chunk = [];
    characters = 0;
  }
}

/** @throws QUEUE_FULL or RATE_LIMITED before anything is in the queue */
async function putChunk(
  { record, requests, producer, spendImages }: BatchWork,
  lines: readonly FileLine[],
  signal: AbortSignal,
): Promise<void> {
  const looked = lines.map((line) => ({ index: line.index, ...lookAtLine(line, record, requests.container) }));
  const refused = looked.flatMap(({ index, image }) => ('refused' in image ? [{ index, error: image.refused }] : []));
  await mapBounded(refused, limits.callsAtOnce, ({ index, error }) => fail(requests, record, index, error, signal));
  const accepted = looked.filter(({ image }) => !('refused' in image));
  if (accepted.length === 0) return;
  using places = await producer.reserve(accepted.length, accepted.length, {
    tasks: accepted.flatMap(({ task }) => task ?? []),
    deadline: Date.parse(record.expiresAt),
  });
  await spendImages?.(record.tenant, accepted.length);
  const images = await storeInline(
    accepted.map(({ image }) => image),
    requests,
    signal,
  );
  const times = { enqueuedAt: Date.now(), deadline: Date.parse(record.expiresAt) };
  const jobs = accepted.flatMap(({ index, task }, position): ImageJob[] => {
    const image = images[position];
    if (image === undefined || task === undefined || !('source' in image)) return [];
    return [{ tenant: record.tenant, requestId: record.id, index, source: image.source, task, ...times }];
  });
  await producer.enqueue(jobs, { signal: AbortSignal.any([signal, AbortSignal.timeout(limits.enqueueMs)]), places });
}

function lookAtLine(line: FileLine, { tenant, endpoint }: BatchRecord, ownContainer: string) {
  try {
    const read = readLine(line, endpoint);
    if ('code' in read) throw new CaptionfleetError('REQUEST_INVALID', read.message);
    const { task, image } = askedOf(read.body, endpoint);
    return { task, image: lookAt(image, tenant, ownContainer) };
  } catch (error) {
    if (error instanceof CaptionfleetError) return { image: { refused: reportError(error) } };
    throw error;
  }
}

/** Ends a line that has not ended yet. */
async function fail(
  requests: RequestStore,
  { id }: BatchRecord,
  index: number,
  error: ErrorReport,
  signal: AbortSignal,
): Promise<void> {
  await requests.writeOutcome(id, index, { status: 'failed', error }, { signal });
}

/** Ends every line that has not ended, for nobody wants it any more. What runs meanwhile ends in vain. */
export async function endOpenLines(work: BatchWork, reason: CaptionfleetError, signal: AbortSignal): Promise<void> {
  const { record, lines, requests, producer } = work;
  const ends = await requests.readEnds(record.id, { signal });
  const open = Array.from({ length: lines }, (_, index) => index).filter((index) => !ends.has(index));
  for (let start = 0; start < open.length; start += limits.endedAtOnce) {
    const jobs = open
      .slice(start, start + limits.endedAtOnce)
      .map((index) => ({ tenant: record.tenant, requestId: record.id, index }));
    await endUnwanted(jobs, reason, { requests, producer }, signal);
  }
}

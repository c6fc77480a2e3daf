import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import type { ImageOutcome, ImageStatus, RequestRecord, RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { mapBounded } from './map-bounded.ts';
import { endUnwanted, unwantedBecause } from './unwanted.ts';

/**
 * What becomes of a request. Its record and its outcomes in Blob are the truth; the queue only knows about images that
 * have no outcome yet. An image is, in this order:
 *
 * refused            at the door: its error is in the record
 * succeeded, failed  its outcome is in Blob; this never changes again
 * failed             the queue gave its job up: ATTEMPTS_EXHAUSTED
 * running, queued    as the queue says
 * aborted, canceled  it had no outcome when the caller canceled the request, or when its deadline passed
 * lost               neither knows it, for instance after Redis lost its data: its job is enqueued again, so it is queued
 *
 * A request that was refused because the queue was full or away leaves a record without jobs. Nobody has been told its
 * id; were it asked for, its images would count as lost and be worked on, so its status would be true all the same.
 */
type JobState = 'queued' | 'running' | 'failed';

const readsAtOnce = 8;

/** The jobs of a request, the same each time they are made: enqueueing twice is enqueueing once. */
export function jobsOf(record: RequestRecord): ImageJob[] {
  const { tenant, id: requestId, task, deadline, traceparent } = record;
  const enqueuedAt = Date.parse(record.createdAt);
  const terms = {
    ...(deadline === undefined ? {} : { deadline: Date.parse(deadline) }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  return record.images.flatMap((image, index) =>
    'source' in image ? [{ tenant, requestId, index, source: image.source, task, enqueuedAt, ...terms }] : [],
  );
}

/**
 * Follows one request: each call looks again and returns its status. Outcomes, which never change, are read once.
 * Throws STORAGE_UNAVAILABLE, or QUEUE_UNAVAILABLE while images without an outcome are left.
 */
export function followRequest(
  record: RequestRecord,
  requests: RequestStore,
  producer: Pick<JobProducer, 'enqueue' | 'states' | 'abandon'>,
): (signal: AbortSignal) => Promise<RequestStatus> {
  const jobs = jobsOf(record);
  const outcomes = new Map<number, ImageOutcome>();
  let isCanceled = false;

  const readNewOutcomes = async (signal: AbortSignal): Promise<void> => {
    const progress = await requests.progress(record.id, { signal });
    isCanceled = progress.isCanceled;
    const unread = jobs.filter(({ index }) => progress.outcomes.has(index) && !outcomes.has(index));
    await mapBounded(unread, readsAtOnce, async ({ index }) => {
      const outcome = await requests.readOutcome(record.id, index, { signal });
      if (outcome !== undefined) outcomes.set(index, outcome);
    });
  };
  const open = (): ImageJob[] => jobs.filter(({ index }) => !outcomes.has(index));

  return async (signal) => {
    await readNewOutcomes(signal);
    const unwanted = unwantedBecause(record, isCanceled);
    if (unwanted !== undefined) {
      const ended = await endUnwanted(open(), unwanted, { requests, producer }, signal);
      for (const [index, outcome] of ended) outcomes.set(index, outcome);
    }
    if (open().length === 0) return statusDocument(record, outcomes, new Map());
    const states = await producer.states(open().map(jobId));
    const isActive = (job: ImageJob): boolean => ['queued', 'running'].includes(states.get(jobId(job)) ?? '');
    // A job may have ended between the first look and the answer of the queue; its outcome was written before that.
    if (!open().every(isActive)) await readNewOutcomes(signal);
    const lost = open().filter((job) => !states.has(jobId(job)));
    if (lost.length > 0) await enqueueAgain(lost, producer, signal);
    return statusDocument(
      record,
      outcomes,
      new Map(open().map((job) => [job.index, jobState(states.get(jobId(job)))])),
    );
  };
}

/** A full queue is no error here: the images stay accepted, and the next look tries again. */
async function enqueueAgain(
  jobs: readonly ImageJob[],
  producer: Pick<JobProducer, 'enqueue'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await producer.enqueue(jobs, { signal });
  } catch (error) {
    if (!(error instanceof CaptionfleetError && error.code === 'QUEUE_FULL')) throw error;
  }
}

/** A job that the queue calls finished although it has no outcome can only be reported, as one that was given up. */
const jobState = (state: 'queued' | 'running' | 'finished' | 'failed' | undefined): JobState =>
  state === 'finished' ? 'failed' : (state ?? 'queued');

const exhausted = new CaptionfleetError('ATTEMPTS_EXHAUSTED', 'the queue gave this image up after its last attempt');

/** The document that callers see; pure. `states` has the images that have no outcome; a missing one counts as queued. */
export function statusDocument(
  record: RequestRecord,
  outcomes: ReadonlyMap<number, ImageOutcome>,
  states: ReadonlyMap<number, JobState>,
): RequestStatus {
  const images = record.images.map((image, index): ImageStatus => {
    const place = { index, ...(image.customId === undefined ? {} : { customId: image.customId }) };
    if ('refused' in image) return { ...place, status: 'failed', error: image.refused };
    const outcome = outcomes.get(index);
    if (outcome !== undefined) return { ...place, ...outcome };
    const state = states.get(index) ?? 'queued';
    return state === 'failed'
      ? { ...place, status: state, error: reportError(exhausted) }
      : { ...place, status: state };
  });
  const counts = { queued: 0, running: 0, succeeded: 0, failed: 0, aborted: 0, canceled: 0 };
  for (const { status } of images) counts[status] += 1;
  const { id, createdAt, deadline } = record;
  return {
    id,
    status: overallStatus(counts),
    createdAt,
    ...(deadline === undefined ? {} : { deadline }),
    counts,
    images,
  };
}

export function overallStatus({
  queued,
  running,
  succeeded,
  failed,
  aborted,
  canceled,
}: RequestStatus['counts']): RequestStatus['status'] {
  if (queued + running > 0) return running + succeeded > 0 ? 'running' : 'queued';
  if (succeeded > 0) return 'succeeded';
  if (canceled > 0) return 'canceled';
  if (aborted > 0) return 'aborted';
  return failed > 0 ? 'failed' : 'succeeded';
}

export const isFinished = ({ status }: Pick<RequestStatus, 'status'>): boolean =>
  status !== 'queued' && status !== 'running';

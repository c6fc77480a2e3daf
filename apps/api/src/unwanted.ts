import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId, requestKey } from '@captionfleet/protocol/image-job';
import type { ImageOutcome, RequestRecord } from '@captionfleet/protocol/image-outcome';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { mapBounded } from './map-bounded.ts';

const writesAtOnce = 8;

/** Why nobody wants what is left of a request; undefined while somebody does. */
export function unwantedBecause(
  { deadline }: Pick<RequestRecord, 'deadline'>,
  isCanceled: boolean,
  now = Date.now(),
): CaptionfleetError | undefined {
  if (isCanceled) return new CaptionfleetError('REQUEST_CANCELED', 'the caller canceled the request');
  if (deadline === undefined || now < Date.parse(deadline)) return undefined;
  return new CaptionfleetError('DEADLINE_EXCEEDED', `the deadline, ${deadline}, passed first`);
}

/**
 * Ends the images of a request that are still open and that nobody wants: their jobs leave the queue, and each gets an
 * outcome, `canceled` where a worker has taken the image and `aborted` where none has. What such a worker writes later comes
 * too late. Returns the outcomes that stand, among them what a worker wrote in the same moment.
 *
 * @throws QUEUE_UNAVAILABLE, STORAGE_UNAVAILABLE; the next look at the request goes on
 */
export async function endUnwanted(
  jobs: readonly Pick<ImageJob, 'tenant' | 'requestId' | 'index'>[],
  reason: CaptionfleetError,
  { requests, producer }: { readonly requests: RequestStore; readonly producer: Pick<JobProducer, 'abandon'> },
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ImageOutcome>> {
  const [first] = jobs;
  if (first === undefined) return new Map();
  const { tenant, requestId } = first;
  const taken = await producer.abandon(requestKey(tenant, requestId), jobs.map(jobId));
  const error = reportError(reason);
  const standing = await mapBounded(jobs, writesAtOnce, async (job): Promise<[number, ImageOutcome]> => {
    const status = taken.has(jobId(job)) ? 'canceled' : 'aborted';
    return [job.index, await requests.writeOutcome(requestId, job.index, { status, error }, { signal })];
  });
  return new Map(standing);
}

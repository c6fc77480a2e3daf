import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { jobId } from '@captionfleet/protocol/image-job';
import type { ImageStatus } from '@captionfleet/protocol/image-outcome';
import type { FastifyRequest } from 'fastify';
import type { ArrivedImage } from './admission.ts';
import type { Permits } from './permits.ts';
import { followRequest, jobsOf } from './request-status.ts';
import { producerOf, type SubmissionConfig, submit } from './submission.ts';
import type { Waiters } from './waiters.ts';

interface CaptionNowConfig extends SubmissionConfig {
  /** Whoever holds one of these has a place among the waiters too. */
  readonly permits: Permits;
  readonly waiters: Waiters;
  readonly answerSeconds: number;
}

type Finished = Extract<ImageStatus, { status: 'succeeded' | 'failed' }>;

/**
 * Sends one image through the fleet and returns what became of it. The caller learns no id to ask for it later: an image
 * that has not begun when the time is up, or when the caller goes away, is taken from the queue again.
 *
 * @throws QUEUE_FULL when as many callers wait as may; RESULT_LATE; what `submit` throws
 */
export async function captionNow(
  image: ArrivedImage,
  { principal: { tenant }, log }: Pick<FastifyRequest, 'principal' | 'log'>,
  { permits, waiters, answerSeconds, ...config }: CaptionNowConfig,
  signal: AbortSignal,
): Promise<Finished> {
  using permit = permits.tryAcquire();
  if (permit === undefined) throw new CaptionfleetError('QUEUE_FULL', 'as many callers wait for a caption as may');
  const record = await submit({ tenant, task: { type: 'caption', options: {} }, images: [image] }, config, signal);
  log.info({ acceptedRequestId: record.id, tenant, task: 'caption', images: 1 }, 'accepted');
  const producer = producerOf(record, config.queues);
  const follow = followRequest(record, config.requests.of(tenant), producer);
  let status: ImageStatus | undefined;
  try {
    [status] = (await waiters.wait(record, follow, { seconds: answerSeconds, signal })).images;
  } finally {
    if (!isFinished(status)) await producer.withdraw(jobsOf(record).map(jobId));
  }
  if (isFinished(status)) return status;
  throw new CaptionfleetError('RESULT_LATE', `the image was not captioned in ${answerSeconds} seconds`);
}

const isFinished = (image: ImageStatus | undefined): image is Finished =>
  image?.status === 'succeeded' || image?.status === 'failed';

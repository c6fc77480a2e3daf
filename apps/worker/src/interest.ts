import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type ImageJob, requestKey } from '@captionfleet/protocol/image-job';
import type { Withdrawals } from '@captionfleet/queue/withdrawals';

export interface Interest extends Disposable {
  /** Aborts when nobody wants the image any more; its reason is the error of the image's outcome. */
  readonly signal: AbortSignal;
}

/** Watches whether a job is still wanted: until its request is canceled or its deadline passes. */
export function watchInterest(job: ImageJob, withdrawals: Pick<Withdrawals, 'onWithdrawn'>): Interest {
  const controller = new AbortController();
  const { tenant, requestId, deadline = Number.POSITIVE_INFINITY } = job;
  const expire = (): void => {
    const reason = `the deadline, ${new Date(deadline).toISOString()}, passed first`;
    controller.abort(new CaptionfleetError('DEADLINE_EXCEEDED', reason));
  };
  const leftMs = deadline - Date.now();
  if (leftMs <= 0) expire();
  // Longer than a timer can be, or for ever: the job is done or lost long before.
  const timer = leftMs > 0 && leftMs < 2 ** 31 ? setTimeout(expire, leftMs) : undefined;
  const subscription = withdrawals.onWithdrawn(requestKey(tenant, requestId), () => {
    controller.abort(new CaptionfleetError('REQUEST_CANCELED', 'the caller canceled the request'));
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      subscription[Symbol.dispose]();
    },
  };
}

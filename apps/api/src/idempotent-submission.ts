import { createHash } from 'node:crypto';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { jobId, type RequestId } from '@captionfleet/protocol/image-job';
import type { RequestRecord } from '@captionfleet/protocol/image-outcome';
import type { TaskType } from '@captionfleet/protocol/task';
import { newRequestId } from './request-id.ts';
import { jobsOf } from './request-status.ts';
import { producerOf, reserveAndAdmit, type Submission, type SubmissionConfig, store } from './submission.ts';

/** What makes a request the same one when it is sent again: the id that the caller chose for it, or an `Idempotency-Key`. */
export type Repeatable = { readonly id: RequestId } | { readonly key: string };

export interface Submitted {
  readonly record: RequestRecord;
  /** Whether an earlier call had been here. */
  readonly replayed: boolean;
}

/**
 * Submits a request once, however often and from wherever it is called, also at the same time.
 *
 * A key is first bound to an id in Blob, then the record is written under the id, then its jobs are enqueued. Each of these
 * is done once whoever does it, so a call that died in between has left nothing that the next one cannot finish. The record
 * keeps a fingerprint of what was asked: whoever asks something else under the same name is told so.
 *
 * @throws IDEMPOTENCY_CONFLICT when the name stands for another request; what `submit` throws
 */
export async function submitOnce(
  submission: Submission,
  repeatable: Repeatable,
  config: SubmissionConfig,
  signal: AbortSignal,
): Promise<Submitted> {
  const { tenant, task } = submission;
  const requests = config.requests.of(tenant);
  const fingerprint = fingerprintOf(submission);
  const key = 'key' in repeatable ? keyHash(task.type, repeatable.key) : undefined;
  const known = 'id' in repeatable ? repeatable.id : await requests.readClaim(key ?? '', { signal });
  const standing = known === undefined ? undefined : await requests.readRequest(known, { signal });
  if (standing !== undefined) {
    assertSame(standing, submission, fingerprint);
    await enqueueLost(standing, config, signal);
    return { record: standing, replayed: true };
  }
  const { places, admitted } = await reserveAndAdmit(submission, config, signal);
  using _ = places;
  const id = known ?? (await requests.writeClaim(key ?? '', newRequestId(), { signal }));
  const record: RequestRecord = { ...admitted, id, fingerprint };
  const stored = await store(record, places, config, signal, (found) => assertSame(found, submission, fingerprint));
  return { record: stored, replayed: stored !== record };
}

const sha256 = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('\n')).digest('hex');

/** Keys of different routes have nothing to do with each other. */
const keyHash = (type: TaskType, key: string): string => sha256(type, key);

/** Of the parsed body: the order of its members, blanks and defaults that were written out make no difference. */
const fingerprintOf = ({ task, lane = 'interactive', images, webhook }: Submission): string =>
  sha256(JSON.stringify({ task, lane, images, webhook }));

function assertSame({ id, task, fingerprint }: RequestRecord, asked: Submission, wanted: string): void {
  if (task.type === asked.task.type && fingerprint === wanted) return;
  throw new CaptionfleetError('IDEMPOTENCY_CONFLICT', `request ${id} was sent under this name with another body`);
}

/** The call that wrote the record may have died before its jobs were in the queue, and Redis may have lost them since. */
async function enqueueLost(record: RequestRecord, { requests, queues }: SubmissionConfig, signal: AbortSignal) {
  const producer = producerOf(record, queues);
  const { outcomes, isCanceled } = await requests.of(record.tenant).progress(record.id, { signal });
  const open = isCanceled ? [] : jobsOf(record).filter(({ index }) => !outcomes.has(index));
  if (open.length === 0) return;
  const states = await producer.states(open.map(jobId));
  const lost = open.filter((job) => !states.has(jobId(job)));
  if (lost.length > 0) await producer.enqueue(lost, { signal });
}

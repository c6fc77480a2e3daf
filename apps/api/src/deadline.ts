import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { boundedRetry, type JobProducer } from '@captionfleet/queue/producer';
import { z } from 'zod';

const longestSeconds = 24 * 60 * 60;
const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 60 * 60 };

const form = `must be 1 to ${longestSeconds} seconds, such as 90, 90s, 2m or 1h`;

export const CancelAfterSchema = z
  .string()
  .regex(/^\d{1,6}[smh]?$/, form)
  .transform((text) => Number.parseInt(text, 10) * (secondsIn[text.at(-1) ?? ''] ?? 1))
  .refine((seconds) => seconds >= 1 && seconds <= longestSeconds, form)
  .optional()
  .describe('Seconds, or a number with s, m or h, after which nobody wants what is not finished then.');

export const DeadlineSchema = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-25T12:00:00Z' })
  .describe('After this time nobody wants what is not finished; the earlier of this and Cancel-After counts.')
  .optional();

interface Wishes {
  /** Of `Cancel-After`. */
  readonly cancelAfter?: number | undefined;
  /** Of the body. */
  readonly deadline?: string | undefined;
}

/**
 * The deadline of a request in UTC; undefined where it has none.
 *
 * @throws REQUEST_INVALID for one that has passed or is further away than a day
 */
export function deadlineOf({ cancelAfter, deadline }: Wishes, now = Date.now()): string | undefined {
  const times = [
    ...(cancelAfter === undefined ? [] : [now + cancelAfter * 1_000]),
    ...(deadline === undefined ? [] : [Date.parse(deadline)]),
  ];
  if (times.length === 0) return undefined;
  const earliest = Math.min(...times);
  if (earliest <= now) throw new CaptionfleetError('REQUEST_INVALID', `/deadline: ${deadline} has passed already`);
  if (earliest > now + longestSeconds * 1_000) {
    throw new CaptionfleetError('REQUEST_INVALID', `/deadline: ${deadline} is more than a day away`);
  }
  return new Date(earliest).toISOString();
}

/** @throws DEADLINE_UNREACHABLE when the work before and in a request takes longer, at the measured rate, than its deadline allows */
export async function refuseUnreachable(
  producer: JobProducer,
  images: number,
  deadline: string,
  now = Date.now(),
): Promise<void> {
  const needed = producer.drainSeconds((await producer.depth()) + images);
  const allowed = (Date.parse(deadline) - now) / 1_000;
  if (needed === undefined || needed <= allowed) return;
  const message = `at the measured rate these images would be finished in ${Math.ceil(needed)} s, and the deadline is in ${Math.floor(allowed)} s`;
  throw new CaptionfleetError('DEADLINE_UNREACHABLE', message, { retryAfterSeconds: boundedRetry(needed - allowed) });
}

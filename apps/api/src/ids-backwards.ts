import type { RequestId } from '@captionfleet/protocol/image-job';
import { firstRequestId, requestIdTime } from './request-id.ts';

/** Ids of one look at the storage; a span of time with more is cut. */
const idsAtOnce = 1_000;

/** Ids from `from` on, in ascending order. What follows the 26 characters of a request's id, if anything does, is part of one. */
export type ListIds = (options: {
  readonly from: RequestId;
  readonly limit: number;
  readonly signal: AbortSignal;
}) => Promise<string[]>;

interface Bounds {
  /** Milliseconds since the epoch. */
  readonly oldest: number;
  /** The id after which the first is wanted; undefined for the newest. */
  readonly before: string | undefined;
}

/**
 * Ids in descending order, a span of time after the other. Storage lists names in ascending order only, and ids ascend with
 * time, so spans of time are listed from the present back, each longer or shorter than the last as that one held few ids or many.
 */
export async function* idsBackwards(
  list: ListIds,
  { oldest, before }: Bounds,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  let end = before;
  let endTime = end === undefined ? Date.now() : requestIdTime(end);
  let span = 60_000;
  for (;;) {
    const start = Math.max(oldest, endTime - span, 0);
    const from = firstRequestId(start);
    const { ids, isCut } = await listSpan(list, { from, end, span }, signal);
    if (isCut) {
      span = Math.ceil(span / 8);
      continue;
    }
    if (ids.length > 0) yield ids.toReversed();
    if (start <= oldest) return;
    end = from;
    endTime = start;
    if (ids.length < idsAtOnce / 8) span *= 8;
  }
}

interface Span {
  readonly from: RequestId;
  readonly end: string | undefined;
  readonly span: number;
}

/** The ids from `from` on and before `end`; cut when there are too many, but never those of one millisecond. */
async function listSpan(
  list: ListIds,
  { from, end, span }: Span,
  signal: AbortSignal,
): Promise<{ ids: string[]; isCut: boolean }> {
  const limit = span <= 1 ? idsAtOnce * 100 : idsAtOnce;
  const ids = await list({ from, limit, signal });
  const inside = end === undefined ? ids : ids.filter((id) => id < end);
  return { ids: inside, isCut: inside.length === limit && span > 1 };
}

import { type BatchRecord, batchIdOf } from '@captionfleet/protocol/batch';
import type { BatchMarks } from '@captionfleet/storage/batch-store';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { BatchDocument } from './openai-contract.ts';

const secondsOf = (time: string | undefined): number | null =>
  time === undefined ? null : Math.floor(Date.parse(time) / 1000);

export async function describeBatch(
  record: BatchRecord,
  marks: BatchMarks,
  requests: RequestStore,
  signal: AbortSignal,
): Promise<BatchDocument> {
  const { ended, validated, finalizing, cancelling } = marks;
  const issues = validated?.issues ?? [];
  const endedAs = (status: BatchDocument['status']): number | null =>
    ended?.status === status ? secondsOf(ended.at) : null;
  return {
    id: batchIdOf(record.id),
    object: 'batch',
    endpoint: record.endpoint,
    errors: issues.length === 0 ? null : { object: 'list', data: issues },
    input_file_id: record.inputFileId,
    completion_window: '24h',
    status: statusOf(marks),
    output_file_id: ended?.outputFileId ?? null,
    error_file_id: ended?.errorFileId ?? null,
    created_at: Math.floor(Date.parse(record.createdAt) / 1000),
    in_progress_at: issues.length === 0 ? secondsOf(validated?.at) : null,
    expires_at: Math.floor(Date.parse(record.expiresAt) / 1000),
    finalizing_at: secondsOf(finalizing?.at),
    completed_at: endedAs('completed'),
    failed_at: endedAs('failed'),
    expired_at: endedAs('expired'),
    cancelling_at: secondsOf(cancelling?.at),
    cancelled_at: endedAs('cancelled'),
    request_counts: ended?.counts ?? (await countLines(record, validated?.lines ?? 0, requests, signal)),
    metadata: record.metadata ?? null,
  };
}

function statusOf({ ended, cancelling, validated, finalizing }: BatchMarks): BatchDocument['status'] {
  if (ended !== undefined) return ended.status;
  if (cancelling !== undefined) return 'cancelling';
  if (validated === undefined) return 'validating';
  return finalizing === undefined ? 'in_progress' : 'finalizing';
}

async function countLines(
  { id }: BatchRecord,
  total: number,
  requests: RequestStore,
  signal: AbortSignal,
): Promise<BatchDocument['request_counts']> {
  const ends = total === 0 ? new Map<number, string>() : await requests.readEnds(id, { signal });
  const completed = [...ends.values()].filter((end) => end === 'succeeded').length;
  return { total, completed, failed: ends.size - completed };
}

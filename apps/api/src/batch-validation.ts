import { type BatchIssue, type BatchRecord, batchLimits } from '@captionfleet/protocol/batch';
import type { FileStore } from '@captionfleet/storage/file-store';
import { readLine } from './batch-line.ts';
import { fileLines } from './file-lines.ts';

/** Issues that are told of a batch. */
const maxIssues = 100;

/** Reads the input file once: how many lines there are, and what is wrong with the batch as a whole. */
export async function validate(
  record: BatchRecord,
  files: Pick<FileStore, 'read'>,
  signal: AbortSignal,
): Promise<{ readonly lines: number; readonly issues: BatchIssue[] }> {
  const issues: BatchIssue[] = [];
  const lineOf = new Map<string, number>();
  let lines = 0;
  const file = { id: record.inputFileId, bytes: record.inputBytes };
  for await (const line of fileLines(files, file, { index: 0, offset: 0 }, signal)) {
    if (lines === batchLimits.lines) {
      const message = `The file has more than ${batchLimits.lines} lines; split it into several batches.`;
      return { lines, issues: [...issues, { code: 'too_many_tasks', message, param: null, line: line.number }] };
    }
    lines += 1;
    const read = readLine(line, record.endpoint);
    if ('code' in read) issues.push({ ...read, line: line.number });
    else {
      const before = lineOf.get(read.customId);
      if (before === undefined) lineOf.set(read.customId, line.number);
      else issues.push(duplicate(read.customId, before, line.number));
    }
    if (issues.length === maxIssues) return { lines, issues };
  }
  if (lines === 0) issues.push({ code: 'empty_file', message: 'The file has no lines.', param: null, line: null });
  return { lines, issues };
}

function duplicate(customId: string, before: number, line: number): BatchIssue {
  const message = `The custom_id ${JSON.stringify(customId)} is that of line ${before} too; each must be unique.`;
  return { code: 'duplicate_custom_id', message, param: 'custom_id', line };
}

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError, type ErrorCode } from '@captionfleet/protocol/errors';
import type { z } from 'zod';

/** A configuration, an index of shards or a manifest is far below this; what is not is no such file. */
const jsonFileBytes = 16 * 1024 * 1024;

/** True of a system error with one of these codes, such as ENOENT. */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

/** True of the error that a file or directory which is not there gives. */
export const isMissing = (error: unknown): boolean => hasCode(error, 'ENOENT', 'ENOTDIR');

/**
 * Reads one JSON file of a checkpoint or model directory.
 *
 * @returns undefined when the file does not exist
 * @throws MODEL_CORRUPT when it cannot be read, is too long, or is not JSON
 */
export async function readModelJson(directory: string, file: string): Promise<unknown> {
  const path = join(directory, file);
  try {
    const { size } = await stat(path);
    if (size > jsonFileBytes) {
      throw new CaptionfleetError('MODEL_CORRUPT', `${file}: ${size} bytes, at most ${jsonFileBytes} are read`);
    }
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof CaptionfleetError) throw error;
    const reason = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new CaptionfleetError('MODEL_CORRUPT', `${file}: ${reason}`, { cause: error });
  }
}

/** Parses a value of `file`; the error has `code` and names the first field that is wrong. */
export function parseModelJson<T>(schema: z.ZodType<T>, value: unknown, file: string, code: ErrorCode): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? '' : ` ${issue.path.join('.')}:`;
  throw new CaptionfleetError(code, `${file}:${field} ${issue?.message ?? 'not understood'}`, { cause: parsed.error });
}

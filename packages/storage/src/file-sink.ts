import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type ImageOutcome, ImageOutcomeSchema } from '@captionfleet/protocol/image-outcome';

/** Outcomes as files of one directory, for the command line. */
export interface FileSink {
  /**
   * Writes `NAME.json` whole or not at all, once: a second write of the same name changes nothing and returns the
   * outcome of the first.
   */
  write(name: string, outcome: ImageOutcome): Promise<ImageOutcome>;
}

/** Creates the directory when it is missing. Fails with STORAGE_UNAVAILABLE. */
export async function openFileSink(directory: string): Promise<FileSink> {
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw writeError(directory, error);
  });
  return {
    async write(name, outcome) {
      if (!/^[^/\\\0]{1,200}$/.test(name) || name === '.' || name === '..') {
        throw new CaptionfleetError('REQUEST_INVALID', `"${name}" cannot be the name of a result file`);
      }
      const path = join(directory, `${name}.json`);
      const temporary = join(directory, `.${randomUUID()}.tmp`);
      try {
        await writeFile(temporary, `${JSON.stringify(outcome)}\n`, { flush: true });
        if (await publish(temporary, path)) return outcome;
      } catch (error) {
        throw writeError(path, error);
      } finally {
        await unlink(temporary).catch(() => undefined);
      }
      return await readOutcome(path);
    },
  };
}

/**
 * Gives a complete file its final name; false when that name is taken. A hard link does both in one step; on file systems
 * without links the file is renamed, and two processes writing one name at the same moment may replace each other.
 */
async function publish(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error;
  }
  if ((await readFile(path).catch(() => undefined)) !== undefined) return false;
  await rename(temporary, path);
  return true;
}

async function readOutcome(path: string): Promise<ImageOutcome> {
  try {
    return ImageOutcomeSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new CaptionfleetError('STORAGE_UNAVAILABLE', `${path} exists and is not a result of this program`, { cause });
  }
}

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

const writeError = (path: string, cause: unknown): CaptionfleetError => {
  const reason = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
  return new CaptionfleetError('STORAGE_UNAVAILABLE', `cannot write ${path}${reason}`, { cause });
};

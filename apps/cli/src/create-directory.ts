import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';

/**
 * Makes a directory and those above it that are missing. One level at a time, because Node's recursive mkdir never
 * returns where a parent exists and takes no children, as under /proc.
 *
 * @throws CONFIG_INVALID with `what` it is for
 */
export async function createDirectory(path: string, what: string): Promise<void> {
  try {
    await makeLevels(resolve(path));
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? cause.code : 'no directory';
    throw new CaptionfleetError('CONFIG_INVALID', `${what}: ${path} cannot be made a directory (${reason})`, { cause });
  }
}

async function makeLevels(path: string): Promise<void> {
  if (await exists(path)) return;
  if (path !== dirname(path)) await makeLevels(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    // Another process may have been faster.
    if (!(await exists(path))) throw error;
  });
}

/** A file in the place of a directory counts too: what is made below it fails and says ENOTDIR. */
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

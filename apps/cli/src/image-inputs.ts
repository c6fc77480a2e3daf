import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';

const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif']);

export const isUrl = (input: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(input);

/**
 * The files and URLs that the arguments name, in order; a directory stands for the images below it, sorted by name. A
 * file named outright is taken whatever it is called: its bytes decide.
 */
export async function expandInputs(inputs: readonly string[]): Promise<readonly string[]> {
  const expanded: string[] = [];
  for (const input of inputs) {
    if (!isUrl(input) && (await isDirectory(input))) expanded.push(...(await listImages(input)));
    else expanded.push(input);
  }
  return expanded;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** The images below a directory, sorted by name. */
export async function listImages(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && imageExtensions.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The bytes of an image file, refused before reading when they are none or too many. */
export async function readImageFile(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CaptionfleetError('SOURCE_NOT_FOUND', `${path}: there is no such file, or it cannot be read`, { cause });
  });
  if (!found.isFile()) throw new CaptionfleetError('SOURCE_NOT_FOUND', `${path}: not a regular file`);
  if (found.size > imageLimits.bytes) {
    throw new CaptionfleetError(
      'IMAGE_TOO_LARGE',
      `${path}: ${found.size} bytes, and at most ${imageLimits.bytes} are read`,
    );
  }
  return await readFile(path);
}

import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';

const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif']);

export const isUrl = (input: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(input);

/** An input as it is printed: without the user and password of a URL. */
export const inputName = (input: string): string => input.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');

/**
 * The files and URLs that the arguments name, in order; a directory stands for the images below it, sorted by name, and
 * how many other files it has is said. A file named outright is taken whatever it is called: its bytes decide.
 */
export async function expandInputs(inputs: readonly string[]): Promise<readonly string[]> {
  const expanded: string[] = [];
  for (const input of inputs) {
    if (isUrl(input) || !(await isDirectory(input))) {
      expanded.push(input);
      continue;
    }
    const { images, leftOut } = await readDirectory(input);
    expanded.push(...images);
    if (leftOut > 0) {
      const names = [...imageExtensions].join(', ');
      process.stderr.write(`captionfleet: ${input}: ${leftOut} files left out, whose names end in none of ${names}\n`);
    }
  }
  return expanded;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** The images below a directory, sorted by name. */
export const listImages = async (directory: string): Promise<readonly string[]> =>
  (await readDirectory(directory)).images;

/** Hidden files count as neither. */
async function readDirectory(directory: string): Promise<{ images: readonly string[]; leftOut: number }> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const isImage = ({ name }: { name: string }): boolean => imageExtensions.has(extname(name).toLowerCase());
  const images = files.filter(isImage).map((entry) => join(entry.parentPath, entry.name));
  const leftOut = files.filter((entry) => !isImage(entry) && !entry.name.startsWith('.')).length;
  return { images: images.sort(), leftOut };
}

/** The bytes of an image file, refused before reading when they are too many. Messages leave the path to the caller. */
export async function readImageFile(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CaptionfleetError('SOURCE_NOT_FOUND', 'there is no such file, or it cannot be read', { cause });
  });
  if (!found.isFile()) throw new CaptionfleetError('SOURCE_NOT_FOUND', 'not a regular file');
  if (found.size > imageLimits.bytes) {
    throw new CaptionfleetError(
      'IMAGE_TOO_LARGE',
      `the file has ${found.size} bytes, and at most ${imageLimits.bytes} are read`,
    );
  }
  return await readFile(path);
}

import type { ArrivedImage } from './admission.ts';
import type { PythonValue } from './azureml-json.ts';

/** A cell that is no image, for a reason that is known without the model. */
export class CellRefused extends Error {
  override readonly name = 'CellRefused';
}

/**
 * What the registry's predictor takes for a URL: one anywhere in the text, with something that looks like the end of a host
 * or file name. Python's \b knows all letters, hence the look ahead.
 */
const urlPattern = /https?:\/\/(?:www.)?[a-zA-Z0-9@:%._+~#?&/=-]{2,256}\.[a-z]{2,6}(?![\p{L}\p{N}_])/u;

/**
 * The image that a cell names, as the registry's predictor reads it: a URL, or base64 in which everything outside its alphabet
 * is skipped and everything behind its padding ignored.
 *
 * @throws CellRefused
 */
export function readImageCell(cell: PythonValue): ArrivedImage {
  if (typeof cell !== 'string') throw new CellRefused('an image must be text: base64 or a URL');
  if (urlPattern.test(cell)) return { url: cell.trimStart().replace(/\s+$/, encodeURIComponent) };
  return { bytes: decodeBase64(cell) };
}

/** As Python's base64.b64decode, which does not validate. */
function decodeBase64(text: string): Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what ASCII is.
  if (/[^\x00-\x7f]/.test(text)) throw new CellRefused('base64 has ASCII characters only');
  const kept = text.replaceAll(/[^A-Za-z0-9+/=]+/g, '');
  const end = endOfPadding(kept);
  const characters = kept.slice(0, end).replaceAll('=', '');
  if (end === undefined && characters.length % 4 !== 0)
    throw new CellRefused('the padding of the base64 is incomplete');
  if (characters === '') throw new CellRefused('the image has no bytes');
  return Buffer.from(characters, 'base64');
}

/** Where the padding fills a group of four; signs of padding before that are skipped. Undefined where it never does. */
function endOfPadding(text: string): number | undefined {
  let characters = 0;
  let last = 0;
  for (const { index, 0: signs } of text.matchAll(/=+/g)) {
    characters += index - last;
    last = index + signs.length;
    const place = characters % 4;
    if (place >= 2 && place + signs.length >= 4) return index;
  }
  return undefined;
}

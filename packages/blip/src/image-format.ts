import { CaptionfleetError } from '@captionfleet/protocol/errors';

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif';

/** First bytes in Latin-1; a dot stands for any byte. */
const signatures: readonly (readonly [ImageFormat, RegExp])[] = [
  ['jpeg', /^\xff\xd8\xff/],
  ['png', /^\x89PNG\r\n/],
  ['webp', /^RIFF[\s\S]{4}WEBP/],
  ['gif', /^GIF8[79]a/],
];

/** What people send instead, so that the message can say so. */
const strangers: readonly (readonly [string, RegExp])[] = [
  ['an HTML page', /^(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html|<head|<body)/i],
  ['an SVG drawing', /^\s*(?:<\?xml[\s\S]*)?<svg/i],
  ['XML', /^\s*<\?xml/i],
  ['JSON', /^\s*[[{]\s*["\]}[{0-9]/],
  ['a PDF', /^%PDF-/],
  ['a ZIP archive', /^PK[^\w\s]/],
  ['TIFF', /^(?:II\*|MM[\s\S]\*)/],
  ['BMP', /^BM/],
  ['AVIF or HEIF', /^[\s\S]{4}ftyp(?:avif|avis|heic|heix|mif1|msf1)/],
  ['a video', /^(?:[\s\S]{4}ftyp|[^\w\s]E\xdf\xa3)/],
  ['a base64 text', /^(?:data:image|\/9j\/|iVBORw0KGgo|UklGR|R0lGOD)/],
];

/** The format that the first bytes announce. @throws IMAGE_EMPTY, IMAGE_FORMAT_UNKNOWN */
export function assertImageFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new CaptionfleetError('IMAGE_EMPTY', 'the image has no bytes');
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1');
  const known = signatures.find(([, signature]) => signature.test(head));
  if (known !== undefined) return known[0];
  const stranger = strangers.find(([, signature]) => signature.test(head))?.[0] ?? 'nothing that is known here';
  throw new CaptionfleetError(
    'IMAGE_FORMAT_UNKNOWN',
    `the image must be JPEG, PNG, WebP or GIF; its first bytes look like ${stranger}`,
  );
}

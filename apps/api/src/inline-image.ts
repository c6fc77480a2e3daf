import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';

const dataUrlPrefix = /^data:image\/[a-z0-9.+-]{1,40};base64,/i;
const maxCharacters = Math.ceil(imageLimits.bytes / 3) * 4;

/**
 * The bytes of an image that arrived as text: the standard base64 alphabet (RFC 4648 section 4) with its padding. Line
 * breaks and blanks, which command-line tools add, are ignored, and so is the beginning of an image's data: URL.
 *
 * @throws BASE64_INVALID, IMAGE_EMPTY or IMAGE_TOO_LARGE
 */
export function decodeInlineImage(text: string): Uint8Array {
  const [prefix = ''] = /^data:[^,]{0,100},?/i.exec(text) ?? [];
  if (prefix !== '' && !dataUrlPrefix.test(text)) {
    throw new CaptionfleetError(
      'BASE64_INVALID',
      'the inline image begins as a data: URL of something else; data:image/...;base64, is one of an image',
    );
  }
  const characters = text.replace(dataUrlPrefix, '').replaceAll(/[ \t\r\n]/g, '');
  if (characters === '') throw new CaptionfleetError('IMAGE_EMPTY', 'the inline image has no bytes');
  if (characters.length > maxCharacters) throw tooLarge();
  const bytes = Buffer.from(characters, 'base64');
  // Node skips what it cannot read; encoding again is the fastest way to see that it skipped nothing.
  if (bytes.toString('base64') !== characters) {
    throw new CaptionfleetError(
      'BASE64_INVALID',
      'the inline image is not base64: only A-Z, a-z, 0-9, + and /, in groups of four, with = at the end to fill the last',
    );
  }
  if (bytes.byteLength > imageLimits.bytes) throw tooLarge();
  return bytes;
}

const tooLarge = (): CaptionfleetError =>
  new CaptionfleetError('IMAGE_TOO_LARGE', `the inline image has more than ${imageLimits.bytes} bytes`);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { decodeInlineImage } from './inline-image.ts';

test('base64 is decoded, with line breaks, blanks and the beginning of a data: URL ignored', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const plain = bytes.toString('base64');
  const wrapped = plain.replaceAll(/.{76}/g, (line) => `${line}\r\n`);
  const accepted = [
    plain,
    `${wrapped}\n`,
    ` ${plain}\t`,
    `data:image/png;base64,${plain}`,
    `DATA:image/svg+xml;BASE64,${plain}`,
  ];
  for (const text of accepted) assert.deepEqual(Buffer.from(decodeInlineImage(text)), bytes, text.slice(0, 30));
  for (const length of [1, 2, 3, 4]) {
    const short = bytes.subarray(0, length);
    assert.deepEqual(Buffer.from(decodeInlineImage(short.toString('base64'))), short);
  }
});

test('what is not standard padded base64 is BASE64_INVALID', () => {
  const wrong = [
    'not base64 !!', // a character outside of the alphabet
    '_-_-', // the alphabet for URLs
    'QQ', // no padding
    'QQ=', // too little padding
    'QQ==QQ==', // padding in the middle
    'QR==', // bits after the last byte
    'QQ===', // too much padding
    'Q',
    '====',
    'QUJD\u0000',
    'QUJD\u00a0',
    'data:text/plain;base64,QUJD',
    'data:image/png,QUJD',
  ];
  for (const text of wrong) assert.throws(() => decodeInlineImage(text), { code: 'BASE64_INVALID' }, text);
});

test('no bytes are IMAGE_EMPTY', () => {
  for (const text of ['', ' \n', 'data:image/png;base64,']) {
    assert.throws(() => decodeInlineImage(text), { code: 'IMAGE_EMPTY' }, text);
  }
});

test('an image at the limit passes, one byte more is IMAGE_TOO_LARGE', () => {
  const bytes = Buffer.alloc(imageLimits.bytes + 1, 1);
  const atLimit = decodeInlineImage(bytes.subarray(1).toString('base64'));
  assert.equal(atLimit.byteLength, imageLimits.bytes);
  assert.throws(() => decodeInlineImage(bytes.toString('base64')), { code: 'IMAGE_TOO_LARGE' });
});

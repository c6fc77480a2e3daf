import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { CaptionfleetError, type ErrorCode } from '@captionfleet/protocol/errors';
import fc from 'fast-check';
import sharp from 'sharp';
import { decodeImage, decodeLimits } from './decode-image.ts';

interface Case {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

/** Made by make_decode.py beside it, and images/ too. */
const fixtures = new URL('../../../test/fixtures/pillow/', import.meta.url);
const cases: readonly Case[] = JSON.parse(readFileSync(new URL('decode.json', fixtures), 'utf8'));
const fixture = (file: string): Buffer => readFileSync(new URL(`images/${file}`, fixtures));

const { signal } = new AbortController();
const decode = (bytes: Uint8Array) => decodeImage(bytes, { signal });

/** Words of libvips, libpng, libjpeg, libwebp and libnsgif that callers must not see. */
const libraryWords =
  /vips|libspng|libpng|jpeg(?:load|save)|VipsJpeg|WebP(?:Decode|:)|gifload|exceeds|Input buffer|:\d+:/;

async function refusal(bytes: Uint8Array): Promise<CaptionfleetError> {
  const error = await decode(bytes).then(
    () => assert.fail('it was decoded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CaptionfleetError, String(error));
  assert.doesNotMatch(error.message, libraryWords);
  return error;
}

const refusalCode = async (bytes: Uint8Array): Promise<ErrorCode> => (await refusal(bytes)).code;

for (const { file, width, height, sha256 } of cases.filter(({ file }) => !file.includes('canvas-opaque'))) {
  test(`${file} has the pixels that Pillow gives`, async () => {
    const image = await decode(fixture(file));
    assert.deepEqual([image.width, image.height], [width, height]);
    assert.equal(image.data.length, width * height * 3);
    assert.equal(createHash('sha256').update(image.data).digest('hex'), sha256);
  });
}

test('a GIF whose opaque first frame is smaller than its canvas has black around it', async () => {
  const file = 'smaller-than-canvas-opaque.gif';
  const { data } = await decode(fixture(file));
  assert.equal(createHash('sha256').update(data).digest('hex'), cases.find((each) => each.file === file)?.sha256);
});

test('the format is told from the bytes', async () => {
  for (const [file, format] of [
    ['444.jpg', 'jpeg'],
    ['rgba.png', 'png'],
    ['lossy.webp', 'webp'],
    ['still.gif', 'gif'],
  ] as const) {
    assert.equal((await decode(fixture(file))).format, format);
  }
});

test('no bytes are IMAGE_EMPTY', async () => {
  assert.equal(await refusalCode(new Uint8Array(0)), 'IMAGE_EMPTY');
});

const jpegBase64 = fixture('444.jpg').toString('base64');
for (const [content, guess] of [
  ['<!DOCTYPE html><html><body>404</body></html>', 'an HTML page'],
  ['\n  <html lang="en">', 'an HTML page'],
  ['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'an SVG drawing'],
  ['<?xml version="1.0"?>\n<svg width="9" height="9"/>', 'an SVG drawing'],
  ['<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code></Error>', 'XML'],
  ['{"error":"not found"}', 'JSON'],
  ['[{"url":"x"}]', 'JSON'],
  ['%PDF-1.7\n', 'a PDF'],
  ['PK\x03\x04\x14\x00', 'a ZIP archive'],
  ['II*\x00\x08\x00\x00\x00', 'TIFF'],
  ['MM\x00*\x00\x00\x00\x08', 'TIFF'],
  ['BM\x36\x00\x00\x00', 'BMP'],
  ['\x00\x00\x00\x20ftypavif\x00', 'AVIF or HEIF'],
  ['\x00\x00\x00\x18ftypheic\x00', 'AVIF or HEIF'],
  ['\x00\x00\x00\x20ftypisom\x00', 'a video'],
  ['\x1aE\xdf\xa3\x01', 'a video'],
  [jpegBase64, 'a base64 text'],
  [`data:image/jpeg;base64,${jpegBase64}`, 'a base64 text'],
  ['just a sentence', 'nothing that is known here'],
  ['\xff\xd8', 'nothing that is known here'],
] as const) {
  test(`${JSON.stringify(content.slice(0, 20))} is IMAGE_FORMAT_UNKNOWN, and looks like ${guess}`, async () => {
    const error = await refusal(Buffer.from(content, 'latin1'));
    assert.equal(error.code, 'IMAGE_FORMAT_UNKNOWN');
    assert.ok(error.message.endsWith(`look like ${guess}`), error.message);
  });
}

test('a file of another format behind a known signature is not handed to its decoder', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  assert.equal(await refusalCode(Buffer.concat([png, svg])), 'IMAGE_CORRUPT');
  // Formats that this build of libvips could read, had they not been blocked.
  for (const make of [sharp(fixture('444.jpg')).tiff(), sharp(fixture('444.jpg')).avif({ effort: 0 })]) {
    await assert.rejects(sharp(await make.toBuffer()).metadata());
  }
});

/** Noise: its compressed form is nearly all pixel data. */
const noisy = () =>
  sharp({
    create: {
      width: 90,
      height: 70,
      channels: 3,
      background: 'gray',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  });

for (const [name, make] of [
  ['baseline JPEG', () => noisy().jpeg().toBuffer()],
  ['progressive JPEG', () => noisy().jpeg({ progressive: true }).toBuffer()],
  ['PNG', () => noisy().png().toBuffer()],
  ['lossy WebP', () => noisy().webp().toBuffer()],
  ['lossless WebP', () => noisy().webp({ lossless: true }).toBuffer()],
  ['GIF', () => noisy().gif().toBuffer()],
] as const) {
  test(`a ${name} cut off anywhere in its pixels is refused, never captioned in half`, async () => {
    const whole = await make();
    await decode(whole);
    for (let part = 1; part <= 40; part += 1) {
      const cut = whole.subarray(0, Math.floor((whole.length * part) / 41));
      const code = await refusalCode(cut);
      assert.ok(code === 'IMAGE_CORRUPT' || (code === 'IMAGE_FORMAT_UNKNOWN' && cut.length < 12), `${part}: ${code}`);
    }
  });
}

test('damaged bytes are either decoded or a CaptionfleetError', async () => {
  const files = ['progressive.jpg', 'interlaced.png', 'lossy.webp', 'lossless-alpha.webp', 'animated.gif', 'cmyk.jpg'];
  const damage = fc.array(fc.tuple(fc.nat({ max: 2 ** 30 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), damage, async (file, changes) => {
      const bytes = Uint8Array.from(fixture(file));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const outcome = await decode(bytes).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        assert.ok(outcome instanceof CaptionfleetError, String(outcome));
        assert.doesNotMatch(outcome.message, libraryWords);
      }
    }),
    { numRuns: 600 },
  );
});

function chunk(kind: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}

/** A black 1-bit PNG: its size costs next to nothing to send. */
function blackPng(width: number, height: number, extra: Uint8Array = new Uint8Array(0)): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const end = chunk('IEND', new Uint8Array(0));
  return Buffer.concat([signature, chunk('IHDR', header), extra, chunk('IDAT', rows), end]);
}

test('images over a limit of pixels are IMAGE_TOO_MANY_PIXELS, and the message has their size', async () => {
  for (const [width, height] of [
    [30_000, 20],
    [20, 30_000],
    [16_000, 16_000],
    [200_000, 1000],
    [decodeLimits.side + 1, 2],
    [8000, 5001],
  ] as const) {
    const error = await refusal(blackPng(width, height));
    assert.equal(error.code, 'IMAGE_TOO_MANY_PIXELS');
    assert.ok(error.message.includes(`${width} x ${height}`), error.message);
  }
});

test('images of exactly the limits are decoded', async () => {
  const wide = await decode(blackPng(decodeLimits.side, 2));
  assert.equal(wide.width, decodeLimits.side);
  const large = await decode(blackPng(8000, 5000));
  assert.equal(large.data.length, 3 * decodeLimits.pixels);
});

test('images thinner than two pixels are IMAGE_TOO_SMALL', async () => {
  for (const [width, height] of [
    [1, 1],
    [1, 500],
    [500, 1],
  ] as const) {
    assert.equal(await refusalCode(blackPng(width, height)), 'IMAGE_TOO_SMALL');
  }
  assert.equal(await refusalCode(blackPng(0, 0)), 'IMAGE_CORRUPT');
});

test('a PNG whose text or profile unpacks to 200 MB costs no such memory', async () => {
  const packed = deflateSync(Buffer.alloc(200_000_000));
  const before = process.memoryUsage().rss;
  for (const [kind, head] of [
    ['zTXt', 'Comment\0\0'],
    ['iCCP', 'profile\0\0'],
  ] as const) {
    const bomb = blackPng(20, 20, chunk(kind, Buffer.concat([Buffer.from(head, 'latin1'), packed])));
    // Refusing it is as good as skipping the chunk.
    await decode(bomb).catch((error: unknown) => assert.ok(error instanceof CaptionfleetError));
  }
  assert.ok(process.memoryUsage().rss - before < 150_000_000);
});

test('what follows the end of a JPEG is not read', async () => {
  const jpeg = fixture('420.jpg');
  const tail = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(2000, 0x41)]);
  const polyglot = await decode(Buffer.concat([jpeg, tail]));
  assert.deepEqual(polyglot.data, (await decode(jpeg)).data);
});

test('an aborted signal ends it with its reason', async () => {
  const reason = new Error('no longer wanted');
  await assert.rejects(decodeImage(fixture('444.jpg'), { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const decoding = decodeImage(fixture('444.jpg'), { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(decoding, reason);
});

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { sharp } from './guarded-sharp.ts';
import { assertImageFormat, type ImageFormat } from './image-format.ts';

/** Bounds of what is decoded. */
export const decodeLimits = {
  /** Pixels of the longer side. */
  side: 16_384,
  /** Width times height. */
  pixels: 40_000_000,
  /** Pixels of the shorter side at least. */
  smallestSide: 2,
  seconds: 20,
} as const;

export interface RgbImage {
  /** Pixels as a viewer shows the image: after its EXIF orientation. */
  readonly width: number;
  readonly height: number;
  readonly format: ImageFormat;
  /** RGB bytes, interleaved: [height, width, 3]. */
  readonly data: Uint8Array;
}

/**
 * Decodes JPEG, PNG, WebP or GIF to RGB as a viewer shows it: EXIF orientation applied, transparency on white, the first
 * frame of an animation, the upper byte of 16 bits. Colour profiles are not applied and CMYK is converted without one, as
 * Pillow does, so that tokens equal those of transformers. One difference is meant: of 16-bit gray Pillow makes white of all
 * but the darkest 256 levels. One difference is left: around an opaque first GIF frame that is smaller than its canvas we give
 * black, Pillow the background colour.
 *
 * @throws IMAGE_EMPTY, IMAGE_FORMAT_UNKNOWN, IMAGE_CORRUPT, IMAGE_TOO_SMALL, IMAGE_TOO_MANY_PIXELS; the signal's reason
 */
export async function decodeImage(bytes: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<RgbImage> {
  signal.throwIfAborted();
  const format = assertImageFormat(bytes);
  // 'warning' would refuse files that every viewer shows; less than 'error' would give half pictures.
  const open = (options: SharpOptions): Sharp =>
    sharp(bytes, { failOn: 'error', pages: 1, ignoreIcc: true, ...options }).timeout({ seconds: decodeLimits.seconds });
  // Only the header is read, so that an image over the limits is refused with its size.
  const metadata = await open({ limitInputPixels: false }).metadata().catch(rethrowAsCorrupt(format));
  assertSize(metadata);
  const isCmyk = metadata.space === 'cmyk';
  const oriented = open({ limitInputPixels: decodeLimits.pixels }).autoOrient();
  const coloured = isCmyk ? oriented.pipelineColourspace('cmyk').toColourspace('cmyk') : oriented.toColourspace('srgb');
  const { data, info } = await coloured
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(rethrowAsCorrupt(format));
  signal.throwIfAborted();
  const { width, height, channels } = info;
  return { width, height, format, data: isCmyk ? cmykToRgb(data) : toRgb(data, channels) };
}

function assertSize({ width, height }: Metadata): void {
  const { side, pixels, smallestSide } = decodeLimits;
  if (width < smallestSide || height < smallestSide) {
    throw new CaptionfleetError(
      'IMAGE_TOO_SMALL',
      `the image has ${width} x ${height} pixels; each side must have at least ${smallestSide}`,
    );
  }
  if (width > side || height > side || width * height > pixels) {
    throw new CaptionfleetError(
      'IMAGE_TOO_MANY_PIXELS',
      `the image has ${width} x ${height} pixels; at most ${side} a side and ${pixels} in all are decoded`,
    );
  }
}

const rethrowAsCorrupt =
  (format: ImageFormat) =>
  (cause: unknown): never => {
    throw new CaptionfleetError('IMAGE_CORRUPT', `the image begins as ${format} but is truncated or damaged`, {
      cause,
    });
  };

/** [pixels, channels] of gray, gray + alpha, RGB or RGBA -> [pixels, 3]. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const hasAlpha = channels === 2 || channels === 4;
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0, source = 0, target = 0; pixel < pixels; pixel += 1, source += channels, target += 3) {
    const alpha = hasAlpha ? (data[source + channels - 1] as number) : 255;
    rgb[target] = onWhite(data[source] as number, alpha);
    rgb[target + 1] = onWhite(data[source + green] as number, alpha);
    rgb[target + 2] = onWhite(data[source + blue] as number, alpha);
  }
  return rgb;
}

/** value * alpha + 255 * (1 - alpha), rounded as `AlphaComposite.c` of Pillow rounds: 7 more bits, then a shifted / 255. */
function onWhite(value: number, alpha: number): number {
  const sum = (value * alpha + 255 * (255 - alpha)) * 128 + (0x80 << 7);
  return (((sum >> 8) + sum) >> 8) >> 7;
}

/** Without a profile, as `Convert.c` of Pillow: (255 - K) - C * (255 - K) / 255. */
function cmykToRgb(data: Uint8Array): Uint8Array {
  const pixels = data.length / 4;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const light = 255 - (data[pixel * 4 + 3] as number);
    for (let channel = 0; channel < 3; channel += 1) {
      const product = (data[pixel * 4 + channel] as number) * light + 128;
      rgb[pixel * 3 + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}

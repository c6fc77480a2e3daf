import { resizeBicubic } from './bicubic.ts';
import { decodeImage, type RgbImage } from './decode-image.ts';

/** An image as the encoder takes it. */
export interface PreparedImage extends Omit<RgbImage, 'data'> {
  /** RGB bytes [side, side, 3]; the encoder's graph normalises them. */
  readonly pixels: Uint8Array;
}

/** Decodes an image and resizes it to the model's side. Throws what `decodeImage` throws. */
export async function prepareImage(
  bytes: Uint8Array,
  side: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<PreparedImage> {
  const { width, height, format, data } = await decodeImage(bytes, { signal });
  return { width, height, format, pixels: resizeBicubic({ data, width, height }, side) };
}

/**
 * What transformers' BlipImageProcessor gives for these pixels: float32 [3, side, side], (byte * rescaleFactor - mean) / std
 * with each step rounded to float32. The encoder does not need it, since its graph takes bytes; comparisons do.
 */
export function pixelValues(
  pixels: Uint8Array,
  { mean, std, rescaleFactor }: { mean: readonly number[]; std: readonly number[]; rescaleFactor: number },
): Float32Array {
  const plane = pixels.length / 3;
  const values = new Float32Array(pixels.length);
  for (let channel = 0; channel < 3; channel += 1) {
    const center = Math.fround(mean[channel] ?? 0);
    const spread = Math.fround(std[channel] ?? 1);
    const table = Float32Array.from(
      { length: 256 },
      (_, byte) => Math.fround(Math.fround(byte * rescaleFactor) - center) / spread,
    );
    for (let pixel = 0; pixel < plane; pixel += 1) {
      values[channel * plane + pixel] = table[pixels[pixel * 3 + channel] as number] as number;
    }
  }
  return values;
}

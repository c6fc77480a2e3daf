/**
 * The bicubic resize of Pillow 13, bit for bit: libvips' cubic differs by several levels, and tokens follow pixels. After
 * `Resample.c` of Pillow (HPND licence): coefficients in 22-bit fixed point, two passes, rounded to bytes between them.
 */

const precisionBits = 22;
const half = 1 << (precisionBits - 1);

interface Coefficients {
  /** Taps that each output has at most. */
  readonly taps: number;
  /** First input of each output, then how many follow. */
  readonly bounds: Int32Array;
  readonly weights: Int32Array;
}

/** Keys' cubic with a = -0.5; zero from 2 on. */
function cubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

function computeCoefficients(inputSize: number, outputSize: number): Coefficients {
  const scale = inputSize / outputSize;
  const filterScale = Math.max(scale, 1);
  const support = 2 * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const bounds = new Int32Array(outputSize * 2);
  const weights = new Int32Array(outputSize * taps);
  for (let output = 0; output < outputSize; output += 1) {
    const center = (output + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(inputSize, Math.trunc(center + support + 0.5)) - first;
    const exact = Array.from({ length: count }, (_, tap) => cubic((tap + first - center + 0.5) * (1 / filterScale)));
    const sum = exact.reduce((total, weight) => total + weight, 0);
    bounds[output * 2] = first;
    bounds[output * 2 + 1] = count;
    for (const [tap, weight] of exact.entries()) {
      const scaled = (weight / sum) * (1 << precisionBits);
      weights[output * taps + tap] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }
  return { taps, bounds, weights };
}

interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

// In both passes |sum| stays below 255 * 2^22 * 1.3 < 2^31: 32-bit integers are exact. The passes differ in their steps and
// in the order of their loops, which follows memory.

function resizeWidth({ data, width, height }: Picture, target: number): Picture {
  if (width === target) return { data, width, height };
  const { taps, bounds, weights } = computeCoefficients(width, target);
  const output = new Uint8ClampedArray(target * height * 3);
  for (let row = 0, written = 0; row < height; row += 1) {
    for (let column = 0; column < target; column += 1, written += 3) {
      const end = column * taps + (bounds[column * 2 + 1] as number);
      let source = (row * width + (bounds[column * 2] as number)) * 3;
      let red = half;
      let green = half;
      let blue = half;
      for (let tap = column * taps; tap < end; tap += 1, source += 3) {
        const weight = weights[tap] as number;
        red = (red + Math.imul(data[source] as number, weight)) | 0;
        green = (green + Math.imul(data[source + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(data[source + 2] as number, weight)) | 0;
      }
      output[written] = red >> precisionBits;
      output[written + 1] = green >> precisionBits;
      output[written + 2] = blue >> precisionBits;
    }
  }
  return { data: new Uint8Array(output.buffer), width: target, height };
}

function resizeHeight({ data, width, height }: Picture, target: number): Picture {
  if (height === target) return { data, width, height };
  const { taps, bounds, weights } = computeCoefficients(height, target);
  const output = new Uint8ClampedArray(width * target * 3);
  const rowBytes = width * 3;
  for (let row = 0, written = 0; row < target; row += 1) {
    const first = (bounds[row * 2] as number) * rowBytes;
    const end = row * taps + (bounds[row * 2 + 1] as number);
    for (let column = 0; column < rowBytes; column += 3, written += 3) {
      let source = first + column;
      let red = half;
      let green = half;
      let blue = half;
      for (let tap = row * taps; tap < end; tap += 1, source += rowBytes) {
        const weight = weights[tap] as number;
        red = (red + Math.imul(data[source] as number, weight)) | 0;
        green = (green + Math.imul(data[source + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(data[source + 2] as number, weight)) | 0;
      }
      output[written] = red >> precisionBits;
      output[written + 1] = green >> precisionBits;
      output[written + 2] = blue >> precisionBits;
    }
  }
  return { data: new Uint8Array(output.buffer), width, height: target };
}

/**
 * Resizes interleaved RGB bytes [height, width, 3] to [side, side, 3]; the aspect ratio is not kept. Pillow 13 takes the
 * vertical pass first when the picture is much taller than the target, which shows in the rounding between the passes.
 */
export function resizeBicubic(picture: Picture, side: number): Uint8Array {
  const tallness = picture.height - side;
  const verticalFirst = tallness > 0 && tallness > (picture.width - side) * 2;
  const resized = verticalFirst
    ? resizeWidth(resizeHeight(picture, side), side)
    : resizeHeight(resizeWidth(picture, side), side);
  return resized.data;
}

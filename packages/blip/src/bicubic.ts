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

/** Pictures of a few sizes come in runs; what is kept is small: about 50 kB for a side of 4,000 pixels. */
const cache = new Map<string, Coefficients>();
const cacheEntries = 64;

function coefficients(inputSize: number, outputSize: number): Coefficients {
  const key = `${inputSize}:${outputSize}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= cacheEntries) cache.clear();
  const computed = computeCoefficients(inputSize, outputSize);
  cache.set(key, computed);
  return computed;
}

/**
 * One pass along lines of pixels of three bytes. Pixels of a line lie `step` bytes apart and lines `lineStep` bytes, so the
 * same loop serves rows and columns.
 */
interface Pass {
  readonly input: Uint8Array;
  readonly inputSize: number;
  readonly inputStep: number;
  readonly inputLineStep: number;
  readonly output: Uint8Array | Uint8ClampedArray;
  readonly outputSize: number;
  readonly outputStep: number;
  readonly outputLineStep: number;
  readonly lines: number;
}

function runPass(pass: Pass): void {
  const { input, inputStep, inputLineStep, output, outputSize, outputStep, outputLineStep, lines } = pass;
  const { taps, bounds, weights } = coefficients(pass.inputSize, outputSize);
  for (let line = 0; line < lines; line += 1) {
    for (let position = 0; position < outputSize; position += 1) {
      const first = bounds[position * 2] as number;
      const end = position * taps + (bounds[position * 2 + 1] as number);
      let source = line * inputLineStep + first * inputStep;
      let red = half;
      let green = half;
      let blue = half;
      // |sum| stays below 255 * 2^22 * 1.3 < 2^31: 32-bit integers are exact here.
      for (let tap = position * taps; tap < end; tap += 1) {
        const weight = weights[tap] as number;
        red = (red + Math.imul(input[source] as number, weight)) | 0;
        green = (green + Math.imul(input[source + 1] as number, weight)) | 0;
        blue = (blue + Math.imul(input[source + 2] as number, weight)) | 0;
        source += inputStep;
      }
      const target = line * outputLineStep + position * outputStep;
      output[target] = red >> precisionBits;
      output[target + 1] = green >> precisionBits;
      output[target + 2] = blue >> precisionBits;
    }
  }
}

interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

function resizeWidth({ data, width, height }: Picture, target: number): Picture {
  if (width === target) return { data, width, height };
  const output = new Uint8ClampedArray(target * height * 3);
  const rows = { inputSize: width, inputStep: 3, inputLineStep: width * 3 };
  runPass({
    input: data,
    ...rows,
    output,
    outputSize: target,
    outputStep: 3,
    outputLineStep: target * 3,
    lines: height,
  });
  return { data: new Uint8Array(output.buffer), width: target, height };
}

function resizeHeight({ data, width, height }: Picture, target: number): Picture {
  if (height === target) return { data, width, height };
  const output = new Uint8ClampedArray(width * target * 3);
  const columns = { inputSize: height, inputStep: width * 3, inputLineStep: 3 };
  runPass({
    input: data,
    ...columns,
    output,
    outputSize: target,
    outputStep: width * 3,
    outputLineStep: 3,
    lines: width,
  });
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

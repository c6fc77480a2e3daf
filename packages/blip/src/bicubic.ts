/**
 * The bicubic resize of Pillow 13, bit for bit: libvips' cubic differs by several levels, and tokens follow pixels. After
 * `Resample.c` of Pillow (HPND licence): coefficients in 22-bit fixed point, two passes, rounded to bytes between them.
 */

import { computeCoefficients } from './bicubic-coefficients.ts';
import { bicubicKernel, placeInKernel, roundUpTo16 } from './bicubic-kernel.ts';

interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Rows that the horizontal pass takes at once. */
const stripRows = 4;

/**
 * Resizes interleaved RGB bytes [height, width, 3] to [side, side, 3]; the aspect ratio is not kept. Pillow 13 takes the
 * vertical pass first when the picture is much taller than the target, which shows in the rounding between the passes.
 *
 * The picture streams through the kernel's memory, which holds twice the rows that an output row is made of, and the result:
 * 4 MB for 40 million pixels and a side of 384, 11 MB for a side of 96.
 */
export function resizeBicubic({ data, width, height }: Picture, side: number): Uint8Array {
  const tallness = height - side;
  const verticalFirst = tallness > 0 && tallness > (width - side) * 2;
  const horizontal = computeCoefficients(width, side, 4);
  const vertical = computeCoefficients(height, side, 2);

  const rowBytes = width * 3;
  const targetStride = roundUpTo16(side * 3 + 1);
  // Between the passes: the rows of the source, made few, in the strip; or made narrow, in the window.
  const stripStride = verticalFirst ? roundUpTo16(rowBytes) : rowBytes;
  const windowStride = verticalFirst ? rowBytes : targetStride;
  const windowRows = 2 * (vertical.taps + stripRows);
  const { memory, address } = placeInKernel({
    firsts: horizontal.firsts.byteLength,
    horizontalWeights: horizontal.weights.byteLength,
    verticalWeights: vertical.weights.byteLength,
    strip: stripRows * stripStride,
    window: (windowRows + 1) * windowStride,
    target: (side + stripRows) * targetStride,
  });
  new Int32Array(memory.buffer, address.firsts).set(horizontal.firsts.map((first) => first * 3));
  new Int16Array(memory.buffer, address.horizontalWeights).set(horizontal.weights);
  new Int16Array(memory.buffer, address.verticalWeights).set(vertical.weights);

  const narrowStrip = (target: number): void =>
    bicubicKernel.horizontal(
      address.strip,
      stripStride,
      address.firsts,
      address.horizontalWeights,
      horizontal.taps * 4,
      side,
      target,
      targetStride,
    );
  const bringRows = (row: number, place: number): void => {
    const rows = data.subarray(row * rowBytes, (row + stripRows) * rowBytes);
    memory.set(rows, verticalFirst ? place : address.strip);
    if (!verticalFirst) narrowStrip(place);
  };
  const window = new RowWindow(memory, address.window, windowStride, windowRows);
  for (let row = 0; row < side; row += 1) {
    const first = vertical.firsts[row] as number;
    while (window.end < Math.min(first + vertical.taps, height)) bringRows(window.end, window.extend(first));
    const rowInStrip = row % stripRows;
    bicubicKernel.vertical(
      window.addressOf(first),
      windowStride,
      address.verticalWeights + row * vertical.taps * 4,
      vertical.taps * 4,
      verticalFirst ? stripStride : targetStride,
      verticalFirst ? address.strip + rowInStrip * stripStride : address.target + row * targetStride,
    );
    const stripIsFull = rowInStrip === stripRows - 1 || row === side - 1;
    if (verticalFirst && stripIsFull) narrowStrip(address.target + (row - rowInStrip) * targetStride);
  }
  const resized = new Uint8Array(side * side * 3);
  for (let row = 0; row < side; row += 1) {
    const start = address.target + row * targetStride;
    resized.set(memory.subarray(start, start + side * 3), row * side * 3);
  }
  return resized;
}

/** The latest rows before the row `end`, in the kernel's memory: what the vertical pass reads. */
class RowWindow {
  #begin = 0;
  #end = 0;
  readonly #memory: Uint8Array;
  readonly #address: number;
  readonly #stride: number;
  readonly #rows: number;

  constructor(memory: Uint8Array, address: number, stride: number, rows: number) {
    this.#memory = memory;
    this.#address = address;
    this.#stride = stride;
    this.#rows = rows;
  }

  get end(): number {
    return this.#end;
  }

  addressOf(row: number): number {
    return this.#address + (row - this.#begin) * this.#stride;
  }

  /** Where the next `stripRows` rows are written. Rows before `keep` may be gone then. */
  extend(keep: number): number {
    if (this.#end + stripRows - this.#begin > this.#rows) {
      this.#memory.copyWithin(this.#address, this.addressOf(keep), this.addressOf(this.#end));
      this.#begin = keep;
    }
    const place = this.addressOf(this.#end);
    this.#end += stripRows;
    return place;
  }
}

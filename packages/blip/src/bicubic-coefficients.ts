const precisionBits = 22;
/** A weight is its upper part times 2^15 and these lower bits: bicubic.wat says why. */
const lowerBits = 15;

export interface Coefficients {
  /** First input of each output. */
  readonly firsts: Int32Array;
  /** Inputs that each output reads, one weight each. Where fewer count, weights of 0 fill up. */
  readonly taps: number;
  /** Of each output and each pair of taps: the upper parts of both weights, then their lower bits. */
  readonly weights: Int16Array;
}

/** Keys' cubic with a = -0.5; zero from 2 on. */
function cubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

/**
 * Pillow's weights for a pass, in the order of the kernel. `taps` is a multiple of `tapsAtOnce`, an even number; all of them
 * lie inside the input, save where it has fewer: then less than `tapsAtOnce` lie behind it.
 */
export function computeCoefficients(inputSize: number, outputSize: number, tapsAtOnce: number): Coefficients {
  const scale = inputSize / outputSize;
  const filterScale = Math.max(scale, 1);
  const support = 2 * filterScale;
  const outputs = Array.from({ length: outputSize }, (_, output) => {
    const center = (output + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    return { center, first, count: Math.min(inputSize, Math.trunc(center + support + 0.5)) - first };
  });
  const most = outputs.reduce((greatest, { count }) => Math.max(greatest, count), 0);
  const taps = Math.ceil(most / tapsAtOnce) * tapsAtOnce;
  const firsts = new Int32Array(outputSize);
  const weights = new Int16Array(outputSize * taps * 2);
  const exact = new Float64Array(taps);
  for (const [output, { center, first, count }] of outputs.entries()) {
    let sum = 0;
    for (let tap = 0; tap < count; tap += 1) {
      const weight = cubic((tap + first - center + 0.5) * (1 / filterScale));
      exact[tap] = weight;
      sum += weight;
    }
    const firstRead = Math.max(0, Math.min(first, inputSize - taps));
    firsts[output] = firstRead;
    for (let tap = 0; tap < count; tap += 1) {
      const scaled = ((exact[tap] as number) / sum) * (1 << precisionBits);
      const weight = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
      const read = first - firstRead + tap;
      const place = (output * taps + (read & ~1)) * 2 + (read & 1);
      weights[place] = weight >> lowerBits;
      weights[place + 2] = weight & ((1 << lowerBits) - 1);
    }
  }
  return { firsts, taps, weights };
}

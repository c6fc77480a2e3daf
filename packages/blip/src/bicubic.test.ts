import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { resizeBicubic } from './bicubic.ts';

interface Case {
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly side: number;
  readonly sha256: string;
}

/** Made by make.py beside it. */
const casesUrl = new URL('../../../test/fixtures/pillow/resize.json', import.meta.url);
const cases: readonly Case[] = JSON.parse(readFileSync(casesUrl, 'utf8'));

/** `noise` of make.py. */
function noise(seed: number, count: number): Uint8Array {
  let state = seed;
  return new Uint8Array(count).map(() => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value ^= value + Math.imul(value ^ (value >>> 7), 61 | value);
    value ^= value >>> 14;
    const isExtreme = (value & 0x300) === 0;
    if (isExtreme) return value & 0x400 ? 255 : 0;
    return value >>> 24;
  });
}

test('there are cases to compare', () => assert.ok(cases.length >= 12));

for (const { seed, width, height, side, sha256 } of cases) {
  test(`${width} x ${height} pixels become ${side} x ${side} with the bytes that Pillow gives`, () => {
    const picture = { data: noise(seed, width * height * 3), width, height };
    const resized = resizeBicubic(picture, side);
    assert.equal(resized.length, side * side * 3);
    assert.equal(createHash('sha256').update(resized).digest('hex'), sha256);
  });
}

test('a picture of one colour keeps it at every size', () => {
  for (const [width, height] of [
    [1, 1],
    [17, 5],
    [400, 90],
  ] as const) {
    const data = new Uint8Array(width * height * 3).map((_, index) => [0, 255, 77][index % 3] ?? 0);
    const resized = resizeBicubic({ data, width, height }, 32);
    assert.deepEqual([...new Set(resized.map((value, index) => value - ([0, 255, 77][index % 3] ?? 0)))], [0]);
  }
});

type Picture = Parameters<typeof resizeBicubic>[0];

/** Output `output` of `outputs`: which inputs it takes, and Pillow's fixed-point weight of each. */
function tapsOf(
  output: number,
  inputs: number,
  outputs: number,
): { readonly input: number; readonly weight: number }[] {
  const scale = inputs / outputs;
  const width = Math.max(scale, 1);
  const center = (output + 0.5) * scale;
  const begin = Math.max(0, Math.trunc(center - 2 * width + 0.5));
  const end = Math.min(inputs, Math.trunc(center + 2 * width + 0.5));
  const taps = Array.from({ length: end - begin }, (_, tap) => {
    const x = Math.abs((tap + begin - center + 0.5) * (1 / width));
    const near = (1.5 * x - 2.5) * x * x + 1;
    const far = (((x - 5) * x + 8) * x - 4) * -0.5;
    return { input: begin + tap, exact: x < 1 ? near : x < 2 ? far : 0 };
  });
  const sum = taps.reduce((total, { exact }) => total + exact, 0);
  return taps.map(({ input, exact }) => {
    const fixed = (exact / sum) * 2 ** 22;
    return { input, weight: Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5) };
  });
}

/** The formula with nothing around it. JavaScript's numbers are exact here, and no integer overflows. */
function resizeByFormula({ data, width, height }: Picture, side: number): Uint8Array {
  const resizeAxis = (picture: Picture, axis: 'width' | 'height'): Picture => {
    const size = { width: picture.width, height: picture.height, [axis]: side };
    const resized = new Uint8ClampedArray(size.width * size.height * 3);
    const taps = Array.from({ length: side }, (_, output) => tapsOf(output, picture[axis], side));
    for (let place = 0; place < resized.length; place += 1) {
      const channel = place % 3;
      const column = Math.floor(place / 3) % size.width;
      const row = Math.floor(place / 3 / size.width);
      let sum = 2 ** 21;
      for (const { input, weight } of taps[axis === 'width' ? column : row] ?? []) {
        const pixel = axis === 'width' ? row * picture.width + input : input * picture.width + column;
        sum += (picture.data[pixel * 3 + channel] as number) * weight;
      }
      assert.ok(Math.abs(sum) < 2 ** 31);
      resized[place] = Math.floor(sum / 2 ** 22);
    }
    return { data: new Uint8Array(resized.buffer), ...size };
  };
  const isTall = height > side && height - side > (width - side) * 2;
  const [first, second] = isTall ? (['height', 'width'] as const) : (['width', 'height'] as const);
  return resizeAxis(resizeAxis({ data, width, height }, first), second).data;
}

test('pictures of every shape, one after another, become what the formula gives', () => {
  const length = fc.oneof(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 4, max: 40 }),
    fc.integer({ min: 41, max: 300 }),
    fc.integer({ min: 900, max: 1100 }),
  );
  fc.assert(
    fc.property(length, length, fc.integer({ min: 1, max: 70 }), fc.nat(), (width, height, side, seed) => {
      fc.pre(width * height <= 100_000);
      const picture = { data: noise(seed, width * height * 3), width, height };
      assert.ok(Buffer.from(resizeBicubic(picture, side)).equals(resizeByFormula(picture, side)));
    }),
    { numRuns: 300 },
  );
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
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

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileBicubic } from '../../../scripts/compile-wasm.ts';
import { resizeBicubic } from './bicubic.ts';
import { bicubicKernel } from './bicubic-kernel.ts';

test('bicubic.wasm is what bicubic.wat says', async () => {
  const committed = readFileSync(new URL('bicubic.wasm', import.meta.url));
  assert.ok(committed.equals(await compileBicubic()), 'run: npm run wasm');
});

test('the largest picture, wide or tall, takes 4 MB of the kernel', () => {
  const data = new Uint8Array(16_384 * 2441 * 3);
  for (const [width, height] of [
    [16_384, 2441],
    [2441, 16_384],
    [6324, 6324],
  ] as const) {
    resizeBicubic({ data, width, height }, 384);
    const { byteLength } = bicubicKernel.memory.buffer;
    assert.ok(byteLength <= 4_000_000, `${byteLength} bytes`);
  }
});

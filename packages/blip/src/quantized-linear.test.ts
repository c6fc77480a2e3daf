import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type LinearKernel, linear } from './layers.ts';
import { encodeOnnx } from './onnx-file.ts';
import { OnnxGraph } from './onnx-graph.ts';
import { dynamicInt8, rowwiseInt8 } from './quantized-linear.ts';
import { weightOf } from './weights.ts';

const [rows, inputs, outputs] = [5, 64, 48];

/** Numbers that look random and are the same in each run. */
const noise = (count: number, spread: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => spread * Math.sin(index * 12.9898 + (index % 7) * 78.233));

// One output of zeros: its scale must not be one that divides by zero.
const matrix = noise(inputs * outputs, 0.2).fill(0, 0, inputs);
const layer = {
  weight: weightOf('layer.weight', [outputs, inputs], async () => matrix.slice()),
  bias: weightOf('layer.bias', [outputs], async () => noise(outputs, 1)),
};
const x = noise(rows * inputs, 3);

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
});
after(() => rm(scratch, { recursive: true }));

/** y [rows, outputs] of the layer for x [rows, inputs]. */
async function apply(kernel: LinearKernel, values: Float32Array): Promise<Float32Array> {
  const graph = new OnnxGraph('layer');
  const port = graph.input({ name: 'x', elementType: 'float32', shape: ['rows', inputs] });
  graph.output({ name: 'y', elementType: 'float32', shape: ['rows', outputs] }, kernel(graph, port, layer));
  const data = new Map<string, Uint8Array>();
  for (const { name, read } of graph.constants.values()) {
    const { buffer, byteOffset, byteLength } = await read();
    data.set(name, new Uint8Array(buffer, byteOffset, byteLength));
  }
  const path = join(scratch, `${kernel.name}-${values.length}.onnx`);
  await writeFile(path, encodeOnnx(graph, data));
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const results = await session.run({ x: new Tensor('float32', values, [values.length / inputs, inputs]) });
  return results['y']?.data as Float32Array;
}

for (const kernel of [dynamicInt8, rowwiseInt8]) {
  test(`${kernel.name} differs from the exact product by the rounding of eight bits`, async () => {
    const exact = await apply(linear, x);
    const rounded = await apply(kernel, x);
    assert.equal(rounded.length, rows * outputs);
    const largest = Math.max(...exact.map(Math.abs));
    const error = Math.max(...rounded.map((value, index) => Math.abs(value - (exact[index] as number))));
    assert.ok(error > 0 && error < 0.02 * largest, `${error} of ${largest}`);
  });
}

test('rowwiseInt8 gives a row the same bits alone and among others', async () => {
  const together = await apply(rowwiseInt8, x);
  for (let row = 0; row < rows; row += 1) {
    const alone = await apply(rowwiseInt8, x.slice(row * inputs, (row + 1) * inputs));
    assert.deepEqual(alone, together.slice(row * outputs, (row + 1) * outputs));
  }
});

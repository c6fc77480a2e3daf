import { type LinearKernel, linear } from './layers.ts';
import type { Constant, Value } from './onnx-graph.ts';
import { transposed, type Weight } from './weights.ts';

/**
 * y = x W^T + b in eight bits, for machines with VNNI. The input becomes uint8 with one scale and zero point for all of
 * it, found at each run; W becomes int8 with one scale an output. Since the scale spans the input, whatever stands in one
 * input together shares its rounding: images are encoded alone.
 */
export const dynamicInt8: LinearKernel = (graph, x, { weight, bias }) => {
  const { values, scales } = quantizedOutputs(weight);
  const inputs = [x, graph.constant(values), graph.constant(scales), none, graph.constant(bias)];
  return graph.contributed('DynamicQuantizeMatMul', inputs);
};

/** An input that an operator does without. */
const none = '' as Value;

const blockSize = 32;

/**
 * The same with weights in eight bits by blocks of 32 inputs, and each row of x rounded by itself, block by block: rows do
 * not touch each other. It wins where few rows meet large weights. A layer whose inputs are no whole blocks stays exact.
 */
export const blockwiseInt8: LinearKernel = (graph, x, layer) => {
  const { weight, bias } = layer;
  const [outputs = 0, inputs = 0] = weight.shape;
  if (inputs % blockSize !== 0) return linear(graph, x, layer);
  const { values, scales } = quantizedBlocks(weight);
  return graph.contributed(
    'MatMulNBits',
    [x, graph.constant(values), graph.constant(scales), none, none, graph.constant(bias)],
    { K: inputs, N: outputs, bits: 8, block_size: blockSize, accuracy_level: 4 },
  );
};

interface Quantized {
  readonly values: Constant;
  readonly scales: Constant;
}

/** Weight [outputs, inputs] as int8 [inputs, outputs] and float32 scales [outputs]: symmetric, -127 to 127. */
function quantizedOutputs(weight: Weight): Quantized {
  const [outputs = 0, inputs = 0] = weight.shape;
  const matrix = transposed(weight);
  const name = `${weight.name}:int8`;
  const scalesOf = async () => scalesByRow(await weight.read(), outputs, inputs);
  return {
    scales: { name: `${name}:scales`, shape: [outputs], elementType: 'float32', read: scalesOf },
    values: {
      name,
      shape: [inputs, outputs],
      elementType: 'int8',
      async read() {
        const scales = await scalesOf();
        const result = new Int8Array(inputs * outputs);
        for (const [place, value] of (await matrix.read()).entries()) {
          result[place] = Math.round(value / (scales[place % outputs] as number));
        }
        return result;
      },
    },
  };
}

/** Weight [outputs, inputs] as uint8 [outputs, blocks, 32] around 128, and float32 scales [outputs, blocks]. */
function quantizedBlocks(weight: Weight): Quantized {
  const [outputs = 0, inputs = 0] = weight.shape;
  const blocks = inputs / blockSize;
  const name = `${weight.name}:blocks`;
  const scalesOf = async () => scalesByRow(await weight.read(), outputs * blocks, blockSize);
  return {
    scales: { name: `${name}:scales`, shape: [outputs * blocks], elementType: 'float32', read: scalesOf },
    values: {
      name,
      shape: [outputs, blocks, blockSize],
      elementType: 'uint8',
      async read() {
        const scales = await scalesOf();
        return Uint8Array.from(
          await weight.read(),
          (value, place) => 128 + Math.round(value / (scales[Math.floor(place / blockSize)] as number)),
        );
      },
    },
  };
}

/** The largest magnitude of each row of a [rows, columns] matrix, over 127. A row of zeros has a scale all the same. */
function scalesByRow(values: Float32Array, rows: number, columns: number): Float32Array {
  const scales = new Float32Array(rows);
  for (const [place, value] of values.entries()) {
    const row = Math.floor(place / columns);
    scales[row] = Math.max(scales[row] as number, Math.abs(value) / 127);
  }
  return scales.map((scale) => (scale === 0 ? 1 : scale));
}

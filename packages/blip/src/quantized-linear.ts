import type { LinearKernel } from './layers.ts';
import { type Constant, elementTypes, none, type OnnxGraph, type Value } from './onnx-graph.ts';
import { transposed, type Weight, weightOf } from './weights.ts';

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

/**
 * The same for x [rows, inputs] with one scale a row, so that rows do not touch each other: x is divided by a 127th of its
 * row's largest magnitude and rounded to uint8 around 128. The operators around the product are a few passes over x and y,
 * which is little where few rows meet large weights.
 */
export const rowwiseInt8: LinearKernel = (graph, x, { weight, bias }) => {
  const { values, scales } = quantizedOutputs(weight);
  const largest = graph.operator('ReduceMax', [graph.operator('Abs', [x]), graph.integers(-1)], { keepdims: 1 });
  const rowScales = graph.operator('Max', [
    graph.operator('Mul', [largest, float(graph, 1 / 127)]),
    float(graph, 1e-30),
  ]);
  const rounded = graph.operator('Round', [graph.operator('Div', [x, rowScales])]);
  const bytes = graph.operator('Cast', [graph.operator('Add', [rounded, float(graph, middle)])], {
    to: elementTypes.uint8.code,
  });
  const product = graph.contributed('MatMulIntegerToFloat', [
    ...[bytes, graph.constant(values), float(graph, 1), graph.constant(scales)],
    graph.constant({ name: 'uint8 128', shape: [], elementType: 'uint8', read: async () => Uint8Array.of(middle) }),
  ]);
  return graph.operator('Add', [graph.operator('Mul', [product, rowScales]), graph.constant(bias)]);
};

/** What zero becomes. */
const middle = 128;

const float = (graph: OnnxGraph, value: number): Value =>
  graph.constant(weightOf(`float32 ${value}`, [], async () => Float32Array.of(value)));

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

/** The largest magnitude of each row of a [rows, columns] matrix, over 127. A row of zeros has a scale all the same. */
function scalesByRow(values: Float32Array, rows: number, columns: number): Float32Array {
  const scales = new Float32Array(rows);
  for (const [place, value] of values.entries()) {
    const row = Math.floor(place / columns);
    scales[row] = Math.max(scales[row] as number, Math.abs(value) / 127);
  }
  return scales.map((scale) => (scale === 0 ? 1 : scale));
}

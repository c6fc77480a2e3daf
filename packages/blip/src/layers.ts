import type { Checkpoint } from './checkpoint.ts';
import type { OnnxGraph, Value } from './onnx-graph.ts';
import { transposed, type Weight } from './weights.ts';

/** y = x W^T + b, as torch.nn.Linear stores it: weight [outputs, inputs], bias [outputs]. */
export interface Linear {
  readonly weight: Weight;
  readonly bias: Weight;
}

export const readLinear = (checkpoint: Checkpoint, name: string, inputs: number, outputs: number): Linear => ({
  weight: checkpoint.weight(`${name}.weight`, [outputs, inputs]),
  bias: checkpoint.weight(`${name}.bias`, [outputs]),
});

/** How a product with trained weights is computed: x [..., inputs] -> [..., outputs]. A variant is a choice of these. */
export type LinearKernel = (graph: OnnxGraph, x: Value, layer: Linear) => Value;

export const linear: LinearKernel = (graph, x, { weight, bias }) => {
  const product = graph.operator('MatMul', [x, graph.constant(transposed(weight))]);
  return graph.operator('Add', [product, graph.constant(bias)]);
};

/** The same without a transposed copy: for a weight that the graph also gathers from. */
export const untransposedLinear: LinearKernel = (graph, x, { weight, bias }) =>
  graph.operator('Gemm', [x, graph.constant(weight), graph.constant(bias)], { transB: 1 });

export interface LayerNorm {
  readonly weight: Weight;
  readonly bias: Weight;
  readonly epsilon: number;
}

export const readLayerNorm = (checkpoint: Checkpoint, name: string, width: number, epsilon: number): LayerNorm => ({
  weight: checkpoint.weight(`${name}.weight`, [width]),
  bias: checkpoint.weight(`${name}.bias`, [width]),
  epsilon,
});

/** Over the last axis, with the biased variance. */
export const layerNorm = (graph: OnnxGraph, x: Value, { weight, bias, epsilon }: LayerNorm): Value =>
  graph.operator('LayerNormalization', [x, graph.constant(weight), graph.constant(bias)], { axis: -1, epsilon });

/** x/2 (1 + erf(x / sqrt 2)): the exact form, not the tanh approximation. */
export const gelu = (graph: OnnxGraph, x: Value): Value => graph.contributed('Gelu', [x]);

export const add = (graph: OnnxGraph, a: Value, b: Value): Value => graph.operator('Add', [a, b]);

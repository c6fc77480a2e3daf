import type { Checkpoint } from './checkpoint.ts';
import { linear, readLinear } from './layers.ts';
import type { OnnxGraph, Value } from './onnx-graph.ts';
import { weightOf } from './weights.ts';

/** What torch.nn.functional.normalize divides by when a vector is shorter. */
const shortestLength = weightOf('shortest length', [1], async () => Float32Array.of(1e-12));

/** Rows [N, inputs] as rows of the space that images and texts share: projected, and of length 1. */
export function projectFeatures(
  graph: OnnxGraph,
  checkpoint: Checkpoint,
  name: 'vision_proj' | 'text_proj',
  rows: Value,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Value {
  const projected = linear(graph, rows, readLinear(checkpoint, name, inputs, outputs));
  const length = graph.operator('ReduceL2', [projected, graph.integers(-1)]);
  return graph.operator('Div', [projected, graph.operator('Max', [length, graph.constant(shortestLength)])]);
}

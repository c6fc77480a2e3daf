import type { Checkpoint } from './checkpoint.ts';
import type { TextConfig } from './checkpoint-config.ts';
import { add, gelu, type Linear, layerNorm, readLayerNorm, readLinear } from './layers.ts';
import type { OnnxGraph, Value } from './onnx-graph.ts';
import { reshaped, scaled, stacked, transposed, type Weight, weightOf } from './weights.ts';

/** What every layer of a text encoder or decoder needs. Its values are rows, one a token: [R, width]. */
export interface TextTower {
  readonly graph: OnnxGraph;
  readonly checkpoint: Checkpoint;
  readonly text: TextConfig;
  /** What the names of its tensors begin with, such as "text_decoder.bert". */
  readonly prefix: string;
  /** Every product with trained weights goes through here. */
  readonly linear: (x: Value, layer: Linear) => Value;
}

/** What a tower's cross-attention looks at. */
export interface AttendedStates {
  /** float32 [B, state tokens, width] */
  readonly value: Value;
  /** The same as [B, width, state tokens]. With it the states are the left operand of their products. */
  readonly transposed?: Value;
  readonly width: number;
}

export const headSize = ({ hiddenSize, heads }: TextConfig): number => hiddenSize / heads;

export function norm({ graph, checkpoint, text }: TextTower, name: string, x: Value): Value {
  return layerNorm(graph, x, readLayerNorm(checkpoint, name, text.hiddenSize, text.layerNormEpsilon));
}

/** Token plus position, normalised; BLIP has no token types. ids [R], positions [R] or [1] -> [R, width] */
export function embed(tower: TextTower, words: Weight, ids: Value, positions: Value): Value {
  const { graph, checkpoint, text, prefix } = tower;
  const name = `${prefix}.embeddings`;
  const table = checkpoint.weight(`${name}.position_embeddings.weight`, [text.maxPositions, text.hiddenSize]);
  const word = graph.operator('Gather', [graph.constant(words), ids], { axis: 0 });
  const place = graph.operator('Gather', [graph.constant(table), positions], { axis: 0 });
  return norm(tower, `${name}.LayerNorm`, add(graph, word, place));
}

export interface HeadStates {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** Query, key and value of self-attention by head, [R, heads, 1, head size]; the query is scaled already. */
export function projectSelf({ graph, checkpoint, text, linear }: TextTower, name: string, x: Value): HeadStates {
  const { heads, hiddenSize } = text;
  const read = (part: string): Linear => readLinear(checkpoint, `${name}.self.${part}`, hiddenSize, hiddenSize);
  const parts = [scaledQuery(read('query'), text), read('key'), read('value')];
  const together: Linear = {
    weight: stacked(
      `${name}.self.weight`,
      parts.map(({ weight }) => weight),
    ),
    bias: stacked(
      `${name}.self.bias`,
      parts.map(({ bias }) => bias),
    ),
  };
  const perHead = graph.integers(-1, heads, 1, headSize(text));
  const [query, key, value] = graph
    .splitInThree(linear(x, together))
    .map((part) => graph.operator('Reshape', [part, perHead])) as [Value, Value, Value];
  return { query, key, value };
}

/** What attention gives after its output projection, plus what it was given, normalised. */
export function addAndNorm(tower: TextTower, name: string, x: Value, attended: Value): Value {
  return norm(tower, `${name}.output.LayerNorm`, add(tower.graph, attended, x));
}

/** The heads' contexts, joined in the order of the columns, through the output projection. */
export function projectContext({ graph, checkpoint, text, linear }: TextTower, name: string, context: Value): Value {
  const { hiddenSize } = text;
  const joined = graph.operator('Reshape', [context, graph.integers(-1, hiddenSize)]);
  return linear(joined, readLinear(checkpoint, `${name}.output.dense`, hiddenSize, hiddenSize));
}

export function feedForward(tower: TextTower, name: string, x: Value): Value {
  const { graph, checkpoint, text, linear } = tower;
  const { hiddenSize, intermediateSize } = text;
  const intermediate = readLinear(checkpoint, `${name}.intermediate.dense`, hiddenSize, intermediateSize);
  const output = readLinear(checkpoint, `${name}.output.dense`, intermediateSize, hiddenSize);
  return addAndNorm(tower, name, x, linear(gelu(graph, linear(x, intermediate)), output));
}

/** Scores are divided by sqrt(head size); the query's weights carry that, which for BLIP's 64 is exact. */
const scaledQuery = ({ weight, bias }: Linear, text: TextConfig): Linear => {
  const factor = 1 / Math.sqrt(headSize(text));
  return { weight: scaled(weight, factor), bias: scaled(bias, factor) };
};

/**
 * Attention to states x_j without keys and values of them ("absorbed"). For one head, with the query q
 * (already divided by sqrt(head size)), keys k_j = W_k x_j + b_k and values v_j = W_v x_j + b_v:
 *
 *   score_j = q . (W_k x_j + b_k) = (W_k^T q) . x_j + q . b_k
 *
 * The last term is the same for every j, so the softmax drops it: the key's bias changes nothing. With p = softmax(score),
 * whose sum is 1:
 *
 *   context = sum p_j (W_v x_j + b_v) = W_v (sum p_j x_j) + b_v
 *
 * and b_v goes through the output projection into its bias: W_o (context - b_v) + (b_o + W_o b_v). So a layer needs
 * the states only, which all layers and all rows of an image share; nothing is projected or copied per beam.
 *
 * R is a multiple of B, and the rows of one image stand together, in the images' order.
 */
export function crossAttention(tower: TextTower, name: string, x: Value, states: AttendedStates): Value {
  const { graph, checkpoint, text, linear } = tower;
  const { heads, hiddenSize } = text;
  const size = headSize(text);
  const query = scaledQuery(readLinear(checkpoint, `${name}.self.query`, hiddenSize, hiddenSize), text);
  const key = readLinear(checkpoint, `${name}.self.key`, states.width, hiddenSize);
  const value = readLinear(checkpoint, `${name}.self.value`, states.width, hiddenSize);
  const output = readLinear(checkpoint, `${name}.output.dense`, hiddenSize, hiddenSize);
  const headMajor = (input: Value): Value => graph.operator('Transpose', [input], { perm: [1, 0, 2] });

  const queries = graph.operator('Reshape', [linear(x, query), graph.integers(-1, heads, size)]);
  const keyMatrices = graph.constant(reshaped(key.weight, heads, size, states.width));
  const absorbed = headMajor(graph.operator('MatMul', [headMajor(queries), keyMatrices])); // [R, heads, state width]

  const images = graph.operator('Shape', [states.value], { start: 0, end: 1 });
  const perImage = graph.operator('Concat', [images, graph.integers(-1, states.width)], { axis: 0 });
  const grouped = graph.operator('Reshape', [absorbed, perImage]); // [B, rows per image x heads, state width]
  const mixed = mixStates(graph, grouped, states);

  const perRow = graph.operator('Reshape', [mixed, graph.integers(-1, heads, states.width)]);
  const valueMatrices = graph.constant(transposed(reshaped(value.weight, heads, size, states.width)));
  const context = headMajor(graph.operator('MatMul', [headMajor(perRow), valueMatrices])); // [R, heads, head size]
  const joined = graph.operator('Reshape', [context, graph.integers(-1, hiddenSize)]);
  return linear(joined, { weight: output.weight, bias: biasThrough(output, value.bias) });
}

/**
 * softmax(queries x states^T) x states: [B, queries, width] -> the same. The runtime copies the right operand of a product into
 * another order at every run, which costs as much as the product where a dozen queries meet an image's states; the left
 * operand it reads as it is.
 */
function mixStates(graph: OnnxGraph, queries: Value, { value, transposed }: AttendedStates): Value {
  if (transposed === undefined) {
    const scores = graph.contributed('FusedMatMul', [queries, value], { transB: 1 });
    return graph.operator('MatMul', [graph.operator('Softmax', [scores], { axis: -1 }), value]);
  }
  const turned = (matrices: Value): Value => graph.operator('Transpose', [matrices], { perm: [0, 2, 1] });
  const scores = turned(graph.operator('MatMul', [value, turned(queries)]));
  const weights = turned(graph.operator('Softmax', [scores], { axis: -1 }));
  return turned(graph.operator('MatMul', [transposed, weights]));
}

/** b_o + W_o b, summed in float64. */
function biasThrough(output: Linear, bias: Weight): Weight {
  const [width = 0] = bias.shape;
  return weightOf(`${output.bias.name}:with value bias`, output.bias.shape, async () => {
    const matrix = await output.weight.read();
    const vector = await bias.read();
    return (await output.bias.read()).map((start, row) =>
      vector.reduce((sum, value, column) => sum + value * (matrix[row * width + column] ?? 0), start),
    );
  });
}

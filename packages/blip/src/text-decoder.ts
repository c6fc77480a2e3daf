import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig, TextConfig } from './checkpoint-config.ts';
import {
  add,
  gelu,
  type Linear,
  type LinearKernel,
  layerNorm,
  linear,
  readLayerNorm,
  readLinear,
  untransposedLinear,
} from './layers.ts';
import { OnnxGraph, type Value } from './onnx-graph.ts';
import { visionTokens } from './vision-encoder.ts';
import { reshaped, scaled, stacked, transposed, type Weight, weightOf } from './weights.ts';

const prefix = 'text_decoder.bert';

/**
 * One step of the text decoder (BlipTextLMHeadModel of transformers' modeling_blip_text.py) for R rows. With B images
 * in `image_embeds`, R is a multiple of B and the rows of one image stand together, in the images' order.
 *
 * inputs
 *   `ids`          int64 [R]       this step's token of each row
 *   `position`     int64 [1]       its position, equal for all rows; the past holds as many tokens
 *   `source_rows`  int64 [R]       the row of the past that each row continues
 *   `image_embeds` float32 [B, image tokens, image width]
 *   `past_key_i`, `past_value_i`       float32 [P, heads, t, head size], t = 0 in the first step
 * outputs
 *   `logits`       float32 [R, vocabulary]
 *   `present_key_i`, `present_value_i` float32 [R, heads, t + 1, head size]
 */
export function buildTextDecoder(
  checkpoint: Checkpoint,
  { text, vision }: CheckpointConfig,
  kernels: DecoderKernels = { linear, head: untransposedLinear },
): OnnxGraph {
  const graph = new OnnxGraph('text-decoder');
  const ids = graph.input({ name: 'ids', elementType: 'int64', shape: ['rows'] });
  const position = graph.input({ name: 'position', elementType: 'int64', shape: [1] });
  const sourceRows = graph.input({ name: 'source_rows', elementType: 'int64', shape: ['rows'] });
  const imageWidth = vision.hiddenSize;
  const imageEmbeds = graph.input({
    name: 'image_embeds',
    elementType: 'float32',
    shape: ['images', visionTokens(vision), imageWidth],
  });
  const step: Step = {
    ...{ graph, checkpoint, text, imageWidth, imageEmbeds, sourceRows },
    linear: (value, layer) => kernels.linear(graph, value, layer),
    head: (value, layer) => kernels.head(graph, value, layer),
  };

  const embeddings = wordEmbeddings(checkpoint, text);
  let x = embed(step, embeddings, ids, position);
  for (let layer = 0; layer < text.layers; layer += 1) x = decoderLayer(step, layer, x);
  const logits = languageModelHead(step, embeddings, x);
  graph.output({ name: 'logits', elementType: 'float32', shape: ['rows', text.vocabularySize] }, logits);
  return graph;
}

export interface DecoderKernels {
  readonly linear: LinearKernel;
  /** The product with the vocabulary. */
  readonly head: LinearKernel;
}

/** What every part of a step needs. */
interface Step {
  readonly graph: OnnxGraph;
  readonly checkpoint: Checkpoint;
  readonly text: TextConfig;
  readonly imageWidth: number;
  readonly imageEmbeds: Value;
  readonly sourceRows: Value;
  readonly linear: (x: Value, layer: Linear) => Value;
  readonly head: (x: Value, layer: Linear) => Value;
}

const headSize = ({ hiddenSize, heads }: TextConfig): number => hiddenSize / heads;

function norm({ graph, checkpoint, text }: Step, name: string, x: Value): Value {
  return layerNorm(graph, x, readLayerNorm(checkpoint, name, text.hiddenSize, text.layerNormEpsilon));
}

/** Token plus position, normalised; BLIP has no token types. -> [R, width] */
function embed(step: Step, embeddings: Weight, ids: Value, position: Value): Value {
  const { graph, checkpoint, text } = step;
  const name = `${prefix}.embeddings`;
  const positions = checkpoint.weight(`${name}.position_embeddings.weight`, [text.maxPositions, text.hiddenSize]);
  const words = graph.operator('Gather', [graph.constant(embeddings), ids], { axis: 0 });
  const place = graph.operator('Gather', [graph.constant(positions), position], { axis: 0 });
  return norm(step, `${name}.LayerNorm`, add(graph, words, place));
}

/** Post-norm: self-attention, cross-attention to the image, feed-forward. [R, width] -> the same. */
function decoderLayer(step: Step, layer: number, x: Value): Value {
  const { graph, checkpoint, text, linear } = step;
  const { hiddenSize, intermediateSize } = text;
  const name = `${prefix}.encoder.layer.${layer}`;

  const self = selfAttention(step, layer, `${name}.attention`, x);
  const afterSelf = norm(step, `${name}.attention.output.LayerNorm`, add(graph, self, x));

  const cross = crossAttention(step, `${name}.crossattention`, afterSelf);
  const afterCross = norm(step, `${name}.crossattention.output.LayerNorm`, add(graph, cross, afterSelf));

  const intermediate = readLinear(checkpoint, `${name}.intermediate.dense`, hiddenSize, intermediateSize);
  const output = readLinear(checkpoint, `${name}.output.dense`, intermediateSize, hiddenSize);
  const fed = linear(gelu(graph, linear(afterCross, intermediate)), output);
  return norm(step, `${name}.output.LayerNorm`, add(graph, fed, afterCross));
}

/** Attends to the rows' own past and to this step's token: the causal mask of one token is no mask. */
function selfAttention(step: Step, layer: number, name: string, x: Value): Value {
  const { graph, checkpoint, text, linear } = step;
  const { heads, hiddenSize } = text;
  const size = headSize(text);
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
  const perHead = graph.integers(-1, heads, 1, size);
  const [query, key, value] = graph
    .splitInThree(linear(x, together))
    .map((part) => graph.operator('Reshape', [part, perHead])) as [Value, Value, Value];
  const keys = extendPast(step, `key_${layer}`, key);
  const values = extendPast(step, `value_${layer}`, value);
  const scores = graph.contributed('FusedMatMul', [query, keys], { transB: 1 });
  const context = graph.operator('MatMul', [graph.operator('Softmax', [scores], { axis: -1 }), values]);
  const joined = graph.operator('Reshape', [context, graph.integers(-1, hiddenSize)]);
  return linear(joined, readLinear(checkpoint, `${name}.output.dense`, hiddenSize, hiddenSize));
}

/** Scores are divided by sqrt(head size); the query's weights carry that, which for BLIP's 64 is exact. */
const scaledQuery = ({ weight, bias }: Linear, text: TextConfig): Linear => {
  const factor = 1 / Math.sqrt(headSize(text));
  return { weight: scaled(weight, factor), bias: scaled(bias, factor) };
};

/** Picks the past of each row and puts this step's state [R, heads, 1, head size] after it. */
function extendPast({ graph, text, sourceRows }: Step, name: string, state: Value): Value {
  const shape = (rows: string, tokens: string) => [rows, text.heads, tokens, headSize(text)];
  const elementType = 'float32';
  const past = graph.input({ name: `past_${name}`, elementType, shape: shape('past_rows', 'past_tokens') });
  const continued = graph.operator('Gather', [past, sourceRows], { axis: 0 });
  const present = graph.operator('Concat', [continued, state], { axis: 2 });
  graph.output({ name: `present_${name}`, elementType, shape: shape('rows', 'tokens') }, present);
  return present;
}

/**
 * Attention to the image's states x_j without keys and values of them ("absorbed"). For one head, with the query q
 * (already divided by sqrt(head size)), keys k_j = W_k x_j + b_k and values v_j = W_v x_j + b_v:
 *
 *   score_j = q . (W_k x_j + b_k) = (W_k^T q) . x_j + q . b_k
 *
 * The last term is the same for every j, so the softmax drops it: the key's bias changes nothing. With p = softmax(score),
 * whose sum is 1:
 *
 *   context = sum p_j (W_v x_j + b_v) = W_v (sum p_j x_j) + b_v
 *
 * and b_v goes through the output projection into its bias: W_o (context - b_v) + (b_o + W_o b_v). So a layer needs the
 * image's states only, which all layers and all rows of an image share; nothing is projected or copied per beam.
 */
function crossAttention(step: Step, name: string, x: Value): Value {
  const { graph, checkpoint, text, imageWidth, imageEmbeds, linear } = step;
  const { heads, hiddenSize } = text;
  const size = headSize(text);
  const query = scaledQuery(readLinear(checkpoint, `${name}.self.query`, hiddenSize, hiddenSize), text);
  const key = readLinear(checkpoint, `${name}.self.key`, imageWidth, hiddenSize);
  const value = readLinear(checkpoint, `${name}.self.value`, imageWidth, hiddenSize);
  const output = readLinear(checkpoint, `${name}.output.dense`, hiddenSize, hiddenSize);
  const headMajor = (input: Value): Value => graph.operator('Transpose', [input], { perm: [1, 0, 2] });

  const queries = graph.operator('Reshape', [linear(x, query), graph.integers(-1, heads, size)]);
  const keyMatrices = graph.constant(reshaped(key.weight, heads, size, imageWidth));
  const absorbed = headMajor(graph.operator('MatMul', [headMajor(queries), keyMatrices])); // [R, heads, image width]

  const images = graph.operator('Shape', [imageEmbeds], { start: 0, end: 1 });
  const perImage = graph.operator('Concat', [images, graph.integers(-1, imageWidth)], { axis: 0 });
  const imageQueries = graph.operator('Reshape', [absorbed, perImage]); // [B, rows per image x heads, image width]
  const scores = graph.contributed('FusedMatMul', [imageQueries, imageEmbeds], { transB: 1 });
  const mixed = graph.operator('MatMul', [graph.operator('Softmax', [scores], { axis: -1 }), imageEmbeds]);

  const perRow = graph.operator('Reshape', [mixed, graph.integers(-1, heads, imageWidth)]);
  const valueMatrices = graph.constant(transposed(reshaped(value.weight, heads, size, imageWidth)));
  const context = headMajor(graph.operator('MatMul', [headMajor(perRow), valueMatrices])); // [R, heads, head size]
  const joined = graph.operator('Reshape', [context, graph.integers(-1, hiddenSize)]);
  return linear(joined, { weight: output.weight, bias: biasThrough(output, value.bias) });
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

const headName = 'text_decoder.cls.predictions';
const wordsName = `${prefix}.embeddings.word_embeddings.weight`;

/** [vocabulary, width]. A tied checkpoint may hold them under the head's name alone. */
function wordEmbeddings(checkpoint: Checkpoint, { vocabularySize, hiddenSize, tieWordEmbeddings }: TextConfig): Weight {
  const tiedName = `${headName}.decoder.weight`;
  const useTied = tieWordEmbeddings && !checkpoint.has(wordsName) && checkpoint.has(tiedName);
  return checkpoint.weight(useTied ? tiedName : wordsName, [vocabularySize, hiddenSize]);
}

/**
 * Dense, GELU, norm, then a product with the vocabulary. The tying follows transformers' tie_weights: a head that the
 * file holds is used; a missing one is, when tied, the word embeddings, and its bias `predictions.bias`.
 */
function languageModelHead(step: Step, embeddings: Weight, x: Value): Value {
  const { graph, checkpoint, text, linear, head } = step;
  const { hiddenSize, vocabularySize, tieWordEmbeddings } = text;
  const dense = readLinear(checkpoint, `${headName}.transform.dense`, hiddenSize, hiddenSize);
  const transformed = norm(step, `${headName}.transform.LayerNorm`, gelu(graph, linear(x, dense)));

  const ownWeight = `${headName}.decoder.weight`;
  const weight =
    tieWordEmbeddings && !checkpoint.has(ownWeight)
      ? embeddings
      : checkpoint.weight(ownWeight, [vocabularySize, hiddenSize]);
  const ownBias = `${headName}.decoder.bias`;
  const biasName = tieWordEmbeddings && !checkpoint.has(ownBias) ? `${headName}.bias` : ownBias;
  const bias = checkpoint.weight(biasName, [vocabularySize]);
  return head(transformed, { weight, bias });
}

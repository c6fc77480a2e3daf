import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig, TextConfig } from './checkpoint-config.ts';
import { gelu, type Linear, type LinearKernel, linear, readLinear, untransposedLinear } from './layers.ts';
import { type Dimension, OnnxGraph, type Value } from './onnx-graph.ts';
import {
  type AttendedStates,
  addAndNorm,
  crossAttention,
  embed,
  feedForward,
  headSize,
  norm,
  projectContext,
  projectSelf,
  type TextTower,
} from './text-layers.ts';
import { visionTokens } from './vision-encoder.ts';
import type { Weight } from './weights.ts';

const prefix = 'text_decoder.bert';

/** The decoder of captions: it looks at an image. */
export const buildCaptionDecoder = (
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  kernels: DecoderKernels = exactKernels,
): OnnxGraph => {
  const { hiddenSize } = config.vision;
  const tokens = visionTokens(config.vision);
  const attended = { name: 'text-decoder', tokens, width: hiddenSize, bothWays: true };
  return buildTextDecoder(checkpoint, config, kernels, attended);
};

/** The decoder of answers: it looks at a question, which has looked at the image. */
export const buildAnswerDecoder = (
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  kernels: DecoderKernels = exactKernels,
): OnnxGraph => {
  const { hiddenSize } = config.text;
  const attended = { name: 'answer-decoder', tokens: 'state_tokens', width: hiddenSize, bothWays: false };
  return buildTextDecoder(checkpoint, config, kernels, attended);
};

interface AttendedShape {
  /** Of the graph. */
  readonly name: string;
  readonly tokens: Dimension;
  readonly width: number;
  /** Whether the states come transposed too. */
  readonly bothWays: boolean;
}

export interface DecoderKernels {
  readonly linear: LinearKernel;
  /** The product with the vocabulary. */
  readonly head: LinearKernel;
}

export const exactKernels: DecoderKernels = { linear, head: untransposedLinear };

/**
 * One step of the text decoder (BlipTextLMHeadModel of transformers' modeling_blip_text.py) for R rows. With B images or
 * questions in `states`, R is a multiple of B and the rows of one stand together, in the order of `states`.
 *
 * inputs
 *   `ids`          int64 [R]       this step's token of each row
 *   `position`     int64 [1]       its position, equal for all rows; the past holds as many tokens
 *   `source_rows`  int64 [R]       the row of the past that each row continues
 *   `states`       float32 [B, state tokens, state width]
 *   `states_transposed` float32 [B, state width, state tokens]   of images, which have many states
 *   `past_key_i`, `past_value_i`       float32 [P, heads, t, head size], t = 0 in the first step
 * outputs
 *   `logits`       float32 [R, vocabulary]
 *   `log_normalizers` float32 [R, 1]   log(sum(exp(logits))) of each row
 *   `present_key_i`, `present_value_i` float32 [R, heads, t + 1, head size]
 */
function buildTextDecoder(
  checkpoint: Checkpoint,
  { text }: CheckpointConfig,
  kernels: DecoderKernels,
  { name, tokens, width, bothWays }: AttendedShape,
): OnnxGraph {
  const graph = new OnnxGraph(name);
  const ids = graph.input({ name: 'ids', elementType: 'int64', shape: ['rows'] });
  const position = graph.input({ name: 'position', elementType: 'int64', shape: [1] });
  const sourceRows = graph.input({ name: 'source_rows', elementType: 'int64', shape: ['rows'] });
  const port = (portName: string, shape: readonly Dimension[]) =>
    graph.input({ name: portName, elementType: 'float32', shape: ['items', ...shape] });
  const states: AttendedStates = {
    value: port('states', [tokens, width]),
    width,
    ...(bothWays ? { transposed: port('states_transposed', [width, tokens]) } : {}),
  };
  const logits = decoderStep({ graph, checkpoint, text }, kernels, ids, position, {
    states,
    extendPast: (name, state) => extendRows(graph, text, sourceRows, name, state),
  });
  graph.output({ name: 'logits', elementType: 'float32', shape: ['rows', text.vocabularySize] }, logits);
  graph.output({ name: 'log_normalizers', elementType: 'float32', shape: ['rows', 1] }, logNormalizers(graph, logits));
  return graph;
}

/** By the first token: its logit is above its log-probability by what every logit is. */
function logNormalizers(graph: OnnxGraph, logits: Value): Value {
  const ofFirst = (values: Value): Value =>
    graph.operator('Slice', [values, ...[0, 1, 1].map((value) => graph.integers(value))]);
  const logProbabilities = graph.operator('LogSoftmax', [logits], { axis: -1 });
  return graph.operator('Sub', [ofFirst(logits), ofFirst(logProbabilities)]);
}

/** What a step looks back at. */
interface Context {
  readonly states: AttendedStates;
  /** Puts a layer's key or value of this step, [R, heads, 1, head size], after those of the rows' past and returns all. */
  readonly extendPast: (name: string, state: Value) => Value;
}

/**
 * The logits, float32 [R, vocabulary], that follow the tokens `ids` [R] at `position` [1]. In a graph that computes in
 * float16 the embeddings and the product with the vocabulary are float32 all the same: they share a matrix, and which token
 * is the most probable is decided there.
 */
export function decoderStep(
  { graph, checkpoint, text }: Pick<TextTower, 'graph' | 'checkpoint' | 'text'>,
  kernels: DecoderKernels,
  ids: Value,
  position: Value,
  context: Context,
): Value {
  const exact = graph.as('float32');
  const step: Step = {
    ...{ graph, checkpoint, text, prefix, ...context },
    linear: (x, layer) => kernels.linear(graph, x, layer),
    head: (x, layer) => kernels.head(exact, x, layer),
  };
  const embeddings = wordEmbeddings(checkpoint, text);
  let x = graph.enter(embed({ ...step, graph: exact }, embeddings, ids, position));
  for (let layer = 0; layer < text.layers; layer += 1) x = decoderLayer(step, layer, x);
  return languageModelHead(step, embeddings, x);
}

/** What every part of a step needs. */
interface Step extends TextTower, Context {
  readonly head: (x: Value, layer: Linear) => Value;
}

/** Post-norm: self-attention, cross-attention, feed-forward. [R, width] -> the same. */
function decoderLayer(step: Step, layer: number, x: Value): Value {
  const name = `${prefix}.encoder.layer.${layer}`;
  const afterSelf = addAndNorm(step, `${name}.attention`, x, selfAttention(step, layer, `${name}.attention`, x));
  const cross = crossAttention(step, `${name}.crossattention`, afterSelf, step.states);
  return feedForward(step, name, addAndNorm(step, `${name}.crossattention`, afterSelf, cross));
}

/** Attends to the rows' own past and to this step's token: the causal mask of one token is no mask. */
function selfAttention(step: Step, layer: number, name: string, x: Value): Value {
  const { graph } = step;
  const { query, key, value } = projectSelf(step, name, x);
  const keys = step.extendPast(`key_${layer}`, key);
  const values = step.extendPast(`value_${layer}`, value);
  const scores = graph.contributed('FusedMatMul', [query, keys], { transB: 1 });
  const context = graph.operator('MatMul', [graph.operator('Softmax', [scores], { axis: -1 }), values]);
  return projectContext(step, name, context);
}

/** Picks the past of each row and puts this step's state after it. */
function extendRows(graph: OnnxGraph, text: TextConfig, sourceRows: Value, name: string, state: Value): Value {
  const shape = (rows: string, tokens: string) => [rows, text.heads, tokens, headSize(text)];
  const elementType = 'float32';
  const past = graph.input({ name: `past_${name}`, elementType, shape: shape('past_rows', 'past_tokens') });
  const continued = graph.operator('Gather', [past, sourceRows], { axis: 0 });
  const present = graph.operator('Concat', [continued, state], { axis: 2 });
  graph.output({ name: `present_${name}`, elementType, shape: shape('rows', 'tokens') }, present);
  return present;
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
  return head(graph.leave(transformed), { weight, bias });
}

import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig, TextConfig } from './checkpoint-config.ts';
import { type Dimension, elementTypes, type FloatType, OnnxGraph, type Value } from './onnx-graph.ts';
import { decoderStep, exactKernels } from './text-decoder.ts';
import { headSize } from './text-layers.ts';
import { encodeImages, inputPixels } from './vision-encoder.ts';
import { weightOf } from './weights.ts';

/**
 * ONNX Runtime takes a CUDA kernel for an operator when both have one version, or the kernel's range is closed. Newer sets
 * give Loop, Equal, ReduceMax and others versions that no CUDA kernel names, so that they would run on the CPU, with
 * copies there and back at every step; in 18 each of ours has one (docs/OperatorKernels.md of ONNX Runtime).
 */
const operatorSet = 18;

/** A step of the prompt has its next token; where the model chooses, this stands in its place. */
const chosen = -1;

/**
 * Greedy captioning as one graph, for GPUs, which the runtime reaches through copies of inputs and outputs: from bytes to
 * tokens nothing leaves it. The vision encoder, then a loop of decoder steps whose states are the keys and values so far.
 * The prompt goes in token by token. The loop ends when every row has reached the end token, or at the greatest length.
 *
 * inputs
 *   `pixels`         uint8 [N, side, side, 3]   RGB
 *   `prompt`         int64 [P]   bos and the prompt's tokens, the same for all images
 *   `max_new_tokens` int64 [1]   at least 1; with P no more than the model's positions
 *   `min_new_tokens` int64 [1]   no end token before this many
 * outputs
 *   `tokens`            int64 [N, L]   the prompt, what was generated, and padding after the end token; L as the longest needs
 *   `log_probabilities` float32 [N]    sums over the generated tokens, the end token included, of what the model gave them
 *
 * @param floats What weights and activations are. In float16 these stay float32: the projection of patches, the embeddings
 * of tokens, the product with the vocabulary and all that follows from it. Norms, softmax and products sum in float32 inside
 * the CUDA kernels.
 */
export function buildCaptionGraph(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  floats: FloatType = 'float32',
): OnnxGraph {
  const graph = new OnnxGraph('caption-graph', operatorSet);
  const pixels = inputPixels(graph, config.vision);
  const prompt = graph.input({ name: 'prompt', elementType: 'int64', shape: ['prompt_tokens'] });
  const maxNewTokens = graph.input({ name: 'max_new_tokens', elementType: 'int64', shape: [1] });
  const minNewTokens = graph.input({ name: 'min_new_tokens', elementType: 'int64', shape: [1] });

  const states = encodeImages(graph.as(floats), checkpoint, config, pixels);
  const images = graph.operator('Shape', [pixels], { start: 0, end: 1 });
  const promptLength = graph.operator('Shape', [prompt]);
  const schedule: Schedule = {
    forced: concat(graph, [prompt, expand(graph, int64(graph, chosen), maxNewTokens)]),
    endless: concat(graph, [
      expand(graph, bool(graph, true), graph.operator('Add', [promptLength, minNewTokens])),
      expand(graph, bool(graph, false), maxNewTokens),
    ]),
  };
  const steps = graph.operator('Sub', [graph.operator('Add', [promptLength, maxNewTokens]), graph.integers(1)]);

  const first = expand(graph, graph.operator('Gather', [prompt, graph.integers(0)], { axis: 0 }), images);
  const { text } = config;
  const body = buildLoopBody(graph, checkpoint, config, { floats, states, schedule });
  const [, , , logProbabilities, ...rest] = graph.loop(body, steps, [
    first,
    graph.integers(0),
    expand(graph, bool(graph, false), images),
    expand(graph, graph.constant(weightOf('float32 0', [], async () => Float32Array.of(0))), images),
    ...emptyPast(graph.as(floats), text, images),
  ]);
  const generated = rest.at(-1) as Value;
  const firstRow = graph.operator('Reshape', [first, graph.integers(1, -1)]);
  const tokens = graph.operator('Transpose', [concat(graph, [firstRow, generated])], { perm: [1, 0] });
  graph.output({ name: 'tokens', elementType: 'int64', shape: ['images', 'length'] }, tokens);
  graph.output({ name: 'log_probabilities', elementType: 'float32', shape: ['images'] }, logProbabilities as Value);
  return graph;
}

/** What is known of the tokens at each place before any is generated. */
interface Schedule {
  /** int64 [P + max_new_tokens]: the token there, or `chosen`. */
  readonly forced: Value;
  /** bool, at least as long: whether the end token may not stand there. */
  readonly endless: Value;
}

interface LoopSurroundings {
  readonly floats: FloatType;
  /** [N, tokens, width] */
  readonly states: Value;
  readonly schedule: Schedule;
}

/**
 * One step for all rows: what token follows each. All that it reads lies on the device. That is why the position is a state:
 * the runtime's own count of runs is in the host's memory, and what follows from it would be copied from there.
 *
 * inputs   run, whether to go on, `token` [N], `position` [1], `finished` [N], `log_probability` [N], keys and values so far
 * outputs  whether to go on, the same states after this step, and the next tokens [N] as a series
 */
function buildLoopBody(
  graph: OnnxGraph,
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  { floats, states, schedule }: LoopSurroundings,
): OnnxGraph {
  const { text, vision } = config;
  const body = graph.subgraph('step');
  body.input({ name: 'run', elementType: 'int64', shape: [] });
  body.input({ name: 'go_on', elementType: 'bool', shape: [] });
  const token = body.input({ name: 'token', elementType: 'int64', shape: ['images'] });
  const position = body.input({ name: 'position', elementType: 'int64', shape: [1] });
  const finished = body.input({ name: 'finished', elementType: 'bool', shape: ['images'] });
  const logProbability = body.input({ name: 'log_probability', elementType: 'float32', shape: ['images'] });

  const presents: Value[] = [];
  const cache = (tokens: Dimension): readonly Dimension[] => ['images', text.heads, tokens, headSize(text)];
  const extendPast = (name: string, state: Value): Value => {
    const past = body.input({ name: `past_${name}`, elementType: floats, shape: cache('past_tokens') });
    const value = body.operator('Concat', [past, state], { axis: 2 }, `present_${name}`);
    presents.push(value);
    return value;
  };
  const logits = decoderStep({ graph: body.as(floats), checkpoint, text }, exactKernels, token, position, {
    states: { value: states, width: vision.hiddenSize },
    extendPast,
  });
  const next = body.operator('Add', [position, body.integers(1)]);
  const { nextToken, nextFinished, gained } = chooseTokens(body, text, { logits, finished, next, schedule });

  const running = body.operator('Cast', [body.operator('Not', [nextFinished])], { to: elementTypes.float32.code });
  const any = body.operator('ReduceMax', [running, body.integers(0)], { keepdims: 0 });
  body.output(
    { name: 'any_running', elementType: 'bool', shape: [] },
    body.operator('Cast', [any], { to: elementTypes.bool.code }),
  );
  body.output({ name: 'next_token', elementType: 'int64', shape: ['images'] }, nextToken);
  body.output({ name: 'next_position', elementType: 'int64', shape: [1] }, next);
  body.output({ name: 'next_finished', elementType: 'bool', shape: ['images'] }, nextFinished);
  body.output(
    { name: 'next_log_probability', elementType: 'float32', shape: ['images'] },
    body.operator('Add', [logProbability, gained]),
  );
  for (const present of presents) body.output({ name: present, elementType: floats, shape: cache('tokens') }, present);
  body.output({ name: 'series', elementType: 'int64', shape: ['images'] }, nextToken);
  return body;
}

interface Choice {
  /** float32 [N, vocabulary] */
  readonly logits: Value;
  readonly finished: Value;
  /** int64 [1]: the place of the tokens to choose. */
  readonly next: Value;
  readonly schedule: Schedule;
}

/** Greedy decoding: the token of the largest logit, the prompt's where that goes on, padding in a row that is finished. */
function chooseTokens(
  body: OnnxGraph,
  { vocabularySize, sepTokenId, padTokenId }: TextConfig,
  { logits, finished, next, schedule }: Choice,
): { readonly nextToken: Value; readonly nextFinished: Value; readonly gained: Value } {
  const atNext = (values: Value): Value => body.operator('Gather', [values, next], { axis: 0 });
  const isEnd = body.constant({
    name: 'is end token',
    shape: [vocabularySize],
    elementType: 'bool',
    read: async () => Uint8Array.from({ length: vocabularySize }, (_, id) => (id === sepTokenId ? 1 : 0)),
  });
  const forbidden = body.operator('And', [isEnd, atNext(schedule.endless)]);
  const lowest = body.constant(weightOf('lowest', [], async () => Float32Array.of(-3.4028234663852886e38)));
  const allowed = body.operator('Where', [forbidden, lowest, logits]);
  const best = body.operator('ArgMax', [allowed], { axis: -1, keepdims: 1 }); // [N, 1]
  const logProbabilities = body.operator('LogSoftmax', [logits], { axis: -1 });
  const ofBest = body.operator('GatherElements', [logProbabilities, best], { axis: 1 });
  const perRow = (values: Value): Value => body.operator('Reshape', [values, body.integers(-1)]);

  const forced = atNext(schedule.forced); // [1]
  const isForced = body.operator('Greater', [forced, int64(body, chosen)]);
  const ownChoice = body.operator('Where', [finished, int64(body, padTokenId), perRow(best)]);
  const nextToken = body.operator('Where', [isForced, forced, ownChoice]);
  const isGiven = body.operator('Or', [finished, isForced]);
  const zero = body.constant(weightOf('float32 0', [], async () => Float32Array.of(0)));
  const gained = body.operator('Where', [isGiven, zero, perRow(ofBest)]);
  // Of the model's own choices only: a prompt may hold the end token's id.
  const ends = body.operator('And', [
    body.operator('Equal', [nextToken, int64(body, sepTokenId)]),
    body.operator('Not', [isForced]),
  ]);
  return { nextToken, nextFinished: body.operator('Or', [finished, ends]), gained };
}

/** Keys and values of no tokens, [N, heads, 0, head size], for each layer. */
function emptyPast(graph: OnnxGraph, text: TextConfig, images: Value): readonly Value[] {
  const shape = concat(graph, [images, graph.integers(text.heads, 0, headSize(text))]);
  const empty = expand(graph, graph.constant(weightOf('float32 0', [], async () => Float32Array.of(0))), shape);
  return Array.from({ length: 2 * text.layers }, () => empty);
}

const concat = (graph: OnnxGraph, values: readonly Value[]): Value => graph.operator('Concat', values, { axis: 0 });

const expand = (graph: OnnxGraph, value: Value, shape: Value): Value => graph.operator('Expand', [value, shape]);

/** A scalar. */
const int64 = (graph: OnnxGraph, value: number): Value =>
  graph.constant({
    name: `int64 ${value}`,
    shape: [],
    elementType: 'int64',
    read: async () => BigInt64Array.of(BigInt(value)),
  });

/** A scalar. */
const bool = (graph: OnnxGraph, value: boolean): Value =>
  graph.constant({
    name: `bool ${value}`,
    shape: [],
    elementType: 'bool',
    read: async () => Uint8Array.of(value ? 1 : 0),
  });

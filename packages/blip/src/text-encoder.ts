import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig } from './checkpoint-config.ts';
import { type LinearKernel, linear, readLinear } from './layers.ts';
import { OnnxGraph, type Value } from './onnx-graph.ts';
import { projectFeatures } from './projection.ts';
import {
  type AttendedStates,
  addAndNorm,
  crossAttention,
  embed,
  feedForward,
  projectContext,
  projectSelf,
  type TextTower,
} from './text-layers.ts';
import { visionTokens } from './vision-encoder.ts';
import { weightOf } from './weights.ts';

/**
 * The text encoder (BlipTextModel of transformers' modeling_blip_text.py) for texts packed into R rows, one a token: texts
 * of any lengths stand behind each other, and none is padded. A text sees itself, both ways, and no other text. The first
 * `grounded` rows also see the image; the rows after them are encoded as if there were none. So one run asks whether texts
 * match the image and embeds the same texts for comparison.
 *
 * inputs
 *   `ids`          int64 [R]       the tokens of all texts
 *   `positions`    int64 [R]       the position of each in its text
 *   `segments`     int64 [R]       the number of its text
 *   `grounded`     int64 [1]       how many rows, from the first, see the image; at least 1
 *   `starts`       int64 [N]       the row of each text's first token
 *   `image_embeds` float32 [1, image tokens, image width]
 * outputs
 *   `match_probabilities` float32 [N]              that the text is true of the image; of use for grounded texts
 *   `text_features`       float32 [N, projection]  of length 1; of use for the others
 */
export function buildTextEncoder(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  kernel: LinearKernel = linear,
): OnnxGraph {
  const graph = new OnnxGraph('text-encoder');
  const rows = startRows(graph, checkpoint, config, kernel);
  const grounded = graph.input({ name: 'grounded', elementType: 'int64', shape: [1] });
  const starts = graph.input({ name: 'starts', elementType: 'int64', shape: ['texts'] });
  const { hiddenSize } = config.text;
  const x = encodeRows(rows, (name, value) => crossAttendFirst(rows, name, value, grounded));

  const first = graph.operator('Gather', [x, starts], { axis: 0 });
  const scores = linear(graph, first, readLinear(checkpoint, 'itm_head', hiddenSize, 2));
  const probabilities = graph.operator('Softmax', [scores], { axis: -1 });
  const matches = graph.operator('Slice', [probabilities, ...[1, 2, 1].map((value) => graph.integers(value))]);
  graph.output(
    { name: 'match_probabilities', elementType: 'float32', shape: ['texts'] },
    graph.operator('Reshape', [matches, graph.integers(-1)]),
  );
  const { projectionSize } = config;
  graph.output(
    { name: 'text_features', elementType: 'float32', shape: ['texts', projectionSize] },
    projectFeatures(graph, checkpoint, 'text_proj', first, { inputs: hiddenSize, outputs: projectionSize }),
  );
  return graph;
}

/**
 * The same encoder for questions: all rows see the image, and what comes out is what the answer decoder looks at.
 *
 * inputs  `ids`, `positions`, `segments`, `image_embeds` as above
 * output  `states` float32 [R, width]
 */
export function buildQuestionEncoder(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  kernel: LinearKernel = linear,
): OnnxGraph {
  const graph = new OnnxGraph('question-encoder');
  const rows = startRows(graph, checkpoint, config, kernel);
  const x = encodeRows(rows, (name, value) => crossAttend(rows, name, value));
  graph.output({ name: 'states', elementType: 'float32', shape: ['rows', config.text.hiddenSize] }, x);
  return graph;
}

interface PackedRows extends TextTower {
  readonly ids: Value;
  readonly positions: Value;
  /** [R, R]: 0 between tokens of one text, the lowest number between those of two. */
  readonly mask: Value;
  readonly image: AttendedStates;
}

function startRows(
  graph: OnnxGraph,
  checkpoint: Checkpoint,
  { text, vision }: CheckpointConfig,
  kernel: LinearKernel,
): PackedRows {
  const [ids, positions, segments] = ['ids', 'positions', 'segments'].map((name) =>
    graph.input({ name, elementType: 'int64', shape: ['rows'] }),
  ) as [Value, Value, Value];
  const width = vision.hiddenSize;
  const shape = [1, visionTokens(vision), width];
  const image: AttendedStates = { value: graph.input({ name: 'image_embeds', elementType: 'float32', shape }), width };
  const mask = sameSegment(graph, segments);
  return {
    ...{ graph, checkpoint, text, prefix: 'text_encoder', ids, positions, mask, image },
    linear: (x, layer) => kernel(graph, x, layer),
  };
}

const zero = weightOf('zero', [1], async () => Float32Array.of(0));
/** What transformers adds to the scores of masked tokens: the lowest float32, whose softmax is exactly 0. */
const lowest = weightOf('lowest float32', [1], async () => Float32Array.of(-3.4028234663852886e38));

function sameSegment(graph: OnnxGraph, segments: Value): Value {
  const column = graph.operator('Reshape', [segments, graph.integers(-1, 1)]);
  const same = graph.operator('Equal', [column, segments]);
  return graph.operator('Where', [same, graph.constant(zero), graph.constant(lowest)]);
}

type Attend = (name: string, x: Value) => Value;

function encodeRows(rows: PackedRows, attendToImage: Attend): Value {
  const { checkpoint, text, prefix } = rows;
  const wordsName = `${prefix}.embeddings.word_embeddings.weight`;
  const words = checkpoint.weight(wordsName, [text.vocabularySize, text.hiddenSize]);
  let x = embed(rows, words, rows.ids, rows.positions);
  for (let layer = 0; layer < text.layers; layer += 1) {
    const name = `${prefix}.encoder.layer.${layer}`;
    const afterSelf = addAndNorm(rows, `${name}.attention`, x, selfAttention(rows, `${name}.attention`, x));
    x = feedForward(rows, name, attendToImage(`${name}.crossattention`, afterSelf));
  }
  return x;
}

function selfAttention(rows: PackedRows, name: string, x: Value): Value {
  const { graph, text, mask } = rows;
  const { query, key, value } = projectSelf(rows, name, x);
  const size = text.hiddenSize / text.heads;
  const headMajor = (states: Value): Value => {
    const flat = graph.operator('Reshape', [states, graph.integers(-1, text.heads, size)]);
    return graph.operator('Transpose', [flat], { perm: [1, 0, 2] });
  };
  const scores = graph.contributed('FusedMatMul', [headMajor(query), headMajor(key)], { transB: 1 }); // [heads, R, R]
  const weights = graph.operator('Softmax', [graph.operator('Add', [scores, mask])], { axis: -1 });
  const context = graph.operator('MatMul', [weights, headMajor(value)]);
  return projectContext(rows, name, graph.operator('Transpose', [context], { perm: [1, 0, 2] }));
}

const crossAttend = (rows: PackedRows, name: string, x: Value): Value =>
  addAndNorm(rows, name, x, crossAttention(rows, name, x, rows.image));

/** The first rows look at the image; the layer leaves the others as they are, as transformers does without an image. */
function crossAttendFirst(rows: PackedRows, name: string, x: Value, grounded: Value): Value {
  const { graph } = rows;
  const axis = graph.integers(0);
  const first = graph.operator('Slice', [x, axis, grounded, axis]);
  const others = graph.operator('Slice', [x, grounded, graph.integers(Number.MAX_SAFE_INTEGER), axis]);
  return graph.operator('Concat', [crossAttend(rows, name, first), others], { axis: 0 });
}

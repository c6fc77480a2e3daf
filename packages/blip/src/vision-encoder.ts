import type { ModelTask } from '@captionfleet/protocol/task';
import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig, PixelConfig, VisionConfig } from './checkpoint-config.ts';
import { add, gelu, type Linear, type LinearKernel, layerNorm, linear, readLayerNorm, readLinear } from './layers.ts';
import { elementTypes, OnnxGraph, type Value } from './onnx-graph.ts';
import { projectFeatures } from './projection.ts';
import { partOf, transposed, type Weight, weightOf } from './weights.ts';

const channels = 3;

/** Tokens that an image becomes: its patches and, before them, the class token. */
export const visionTokens = ({ imageSize, patchSize }: VisionConfig): number => (imageSize / patchSize) ** 2 + 1;

/**
 * The vision tower (BlipVisionModel of transformers' modeling_blip.py) from bytes to hidden states.
 *
 * input  `pixels`         uint8   [N, side, side, 3]: RGB
 * output `image_embeds`   float32 [N, tokens, width]: what texts attend to
 * output `image_features` float32 [N, projection]: of length 1, comparable with those of texts; where the model matches
 */
export function buildVisionEncoder(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  tasks: readonly ModelTask[],
  kernel: LinearKernel = linear,
): OnnxGraph {
  const { vision } = config;
  const { hiddenSize } = vision;
  const graph = new OnnxGraph('vision-encoder');
  const bytes = inputPixels(graph, vision);
  const embeds = encodeImages(graph, checkpoint, config, bytes, kernel);
  graph.output(
    { name: 'image_embeds', elementType: 'float32', shape: ['images', visionTokens(vision), hiddenSize] },
    embeds,
  );
  if (tasks.includes('caption')) {
    const port = { name: 'image_embeds_transposed', elementType: 'float32' as const };
    const shape = ['images', hiddenSize, visionTokens(vision)];
    graph.output({ ...port, shape }, graph.operator('Transpose', [embeds], { perm: [0, 2, 1] }));
  }
  if (tasks.includes('match')) {
    const classToken = graph.operator('Gather', [embeds, graph.integers(0)], { axis: 1 });
    const flat = graph.operator('Reshape', [classToken, graph.integers(-1, hiddenSize)]);
    const features = projectFeatures(graph, checkpoint, 'vision_proj', flat, {
      inputs: hiddenSize,
      outputs: config.projectionSize,
    });
    graph.output(
      { name: 'image_features', elementType: 'float32', shape: ['images', config.projectionSize] },
      features,
    );
  }
  return graph;
}

/** The graph's input of RGB bytes, uint8 [N, side, side, 3]. */
export const inputPixels = (graph: OnnxGraph, { imageSize }: VisionConfig): Value =>
  graph.input({ name: 'pixels', elementType: 'uint8', shape: ['images', imageSize, imageSize, channels] });

/**
 * The hidden states of images, [N, tokens, width], in the type that the graph computes in. The patches are projected in
 * float32 always: bytes up to 255 times weights that std and 255 have divided are nothing for the range of float16.
 */
export function encodeImages(
  graph: OnnxGraph,
  checkpoint: Checkpoint,
  { vision, pixels }: CheckpointConfig,
  bytes: Value,
  kernel: LinearKernel = linear,
): Value {
  const { hiddenSize, layerNormEpsilon } = vision;
  const tower: Tower = { graph, checkpoint, vision, linear: (value, layer) => kernel(graph, value, layer) };
  // Rows of tokens from here on: what is added to a product of two axes becomes part of it (Gemm), not a pass of its own.
  const tokens = [visionTokens(vision), hiddenSize] as const;
  const embedded = graph.enter(embedPatches(graph.as('float32'), checkpoint, vision, pixels, bytes));
  let x = graph.operator('Reshape', [embedded, graph.integers(-1, hiddenSize)]);
  for (let layer = 0; layer < vision.layers; layer += 1) {
    x = encoderLayer(tower, `vision_model.encoder.layers.${layer}`, x);
  }
  const norm = readLayerNorm(checkpoint, 'vision_model.post_layernorm', hiddenSize, layerNormEpsilon);
  return graph.operator('Reshape', [layerNorm(graph, x, norm), graph.integers(-1, ...tokens)]);
}

/** What every layer needs. */
interface Tower {
  readonly graph: OnnxGraph;
  readonly checkpoint: Checkpoint;
  readonly vision: VisionConfig;
  readonly linear: (x: Value, layer: Linear) => Value;
}

/**
 * Cuts the image into patches, projects each, adds its position and puts the class token first:
 * uint8 [N, side, side, 3] -> [N, tokens, width]. A convolution whose stride is its kernel is a product of matrices.
 */
function embedPatches(
  graph: OnnxGraph,
  checkpoint: Checkpoint,
  vision: VisionConfig,
  pixels: PixelConfig,
  bytes: Value,
): Value {
  const { hiddenSize, imageSize, patchSize } = vision;
  const grid = imageSize / patchSize;
  const rows = graph.operator('Reshape', [bytes, graph.integers(-1, grid, patchSize, grid, patchSize, channels)]);
  const patches = graph.operator('Transpose', [rows], { perm: [0, 1, 3, 2, 4, 5] });
  const flat = graph.operator('Reshape', [patches, graph.integers(-1, grid ** 2, patchSize ** 2 * channels)]);
  const raw = graph.operator('Cast', [flat], { to: elementTypes.float32.code });
  const values = graph.operator('Sub', [raw, graph.constant(byteCenters(vision, pixels))]);

  const { projection, patchPositions, classToken } = patchEmbedding(checkpoint, vision, pixels);
  const projected = graph.operator('MatMul', [values, graph.constant(projection)]);
  const embedded = graph.operator('Add', [projected, graph.constant(patchPositions)]);
  const images = graph.operator('Shape', [bytes], { start: 0, end: 1 });
  const classShape = graph.operator('Concat', [images, graph.integers(1, hiddenSize)], { axis: 0 });
  const classTokens = graph.operator('Expand', [graph.constant(classToken), classShape]);
  return graph.operator('Concat', [classTokens, embedded], { axis: 1 });
}

/** The whole byte m_c nearest to each channel's mean, for every byte of a patch. b - m_c is exact in float32. */
function byteCenters({ patchSize }: VisionConfig, pixels: PixelConfig): Weight {
  const size = patchSize ** 2 * channels;
  return weightOf('vision_model.embeddings.byte_centers', [size], async () =>
    Float32Array.from({ length: size }, (_, index) => centerOf(pixels, (index % channels) as 0 | 1 | 2)),
  );
}

const centerOf = ({ mean, rescaleFactor }: PixelConfig, channel: 0 | 1 | 2): number =>
  Math.round(mean[channel] / rescaleFactor);

/**
 * The patch projection over bytes. The model's input is (b r - mean_c) / std_c for byte b of channel c, so with m_c, a whole
 * number near mean_c / r,
 *
 *   W x + bias = (W r / std_c) (b - m_c) + (bias - sum W (mean_c - m_c r) / std_c),
 *
 * computed in float64 and rounded once. Without m_c two large sums would cancel, which costs gray pictures a digit. The bias is the same for every patch and joins the position embedding.
 */
function patchEmbedding(
  checkpoint: Checkpoint,
  vision: VisionConfig,
  pixels: PixelConfig,
): { projection: Weight; patchPositions: Weight; classToken: Weight } {
  const { hiddenSize, patchSize } = vision;
  const tokens = visionTokens(vision);
  const inputs = patchSize ** 2 * channels;
  const name = 'vision_model.embeddings';
  const kernel = checkpoint.weight(`${name}.patch_embedding.weight`, [hiddenSize, channels, patchSize, patchSize]);
  const bias = checkpoint.weight(`${name}.patch_embedding.bias`, [hiddenSize]);
  const positions = checkpoint.weight(`${name}.position_embedding`, [1, tokens, hiddenSize]);
  const classEmbedding = checkpoint.weight(`${name}.class_embedding`, [1, 1, hiddenSize]);
  const channelOf = (index: number): 0 | 1 | 2 => (Math.floor(index / patchSize ** 2) % channels) as 0 | 1 | 2;

  // Pixels come as [row, column, channel], the kernel has [channel, row, column].
  const scaledKernel = weightOf(`${kernel.name}:scaled`, [hiddenSize, inputs], async () => {
    const values = await kernel.read();
    const result = new Float32Array(values.length);
    for (const [index, value] of values.entries()) {
      const channel = channelOf(index);
      const place = (index % patchSize ** 2) * channels + channel;
      result[Math.floor(index / inputs) * inputs + place] = (value * pixels.rescaleFactor) / pixels.std[channel];
    }
    return result;
  });
  const patchPositions = weightOf(`${name}.patch_positions`, [tokens - 1, hiddenSize], async () => {
    const shift = Float64Array.from(await bias.read());
    for (const [index, value] of (await kernel.read()).entries()) {
      const channel = channelOf(index);
      const output = Math.floor(index / inputs);
      const rest = pixels.mean[channel] - centerOf(pixels, channel) * pixels.rescaleFactor;
      shift[output] = (shift[output] ?? 0) - (value * rest) / pixels.std[channel];
    }
    const result = (await positions.read()).slice(hiddenSize);
    return result.map((value, index) => value + (shift[index % hiddenSize] ?? 0));
  });
  const classToken = weightOf(`${name}.class_token`, [1, 1, hiddenSize], async () => {
    const first = await positions.read();
    return (await classEmbedding.read()).map((value, index) => value + (first[index] ?? 0));
  });
  return { projection: transposed(scaledKernel), patchPositions, classToken };
}

/** Pre-norm: x + attention(norm(x)), then x + mlp(norm(x)). [N x tokens, width] -> the same. */
function encoderLayer({ graph, checkpoint, vision, linear }: Tower, name: string, x: Value): Value {
  const { heads, hiddenSize, intermediateSize, layerNormEpsilon } = vision;
  const norm = (index: 1 | 2, value: Value): Value =>
    layerNorm(graph, value, readLayerNorm(checkpoint, `${name}.layer_norm${index}`, hiddenSize, layerNormEpsilon));

  const qkv = readLinear(checkpoint, `${name}.self_attn.qkv`, hiddenSize, 3 * hiddenSize);
  const projection = readLinear(checkpoint, `${name}.self_attn.projection`, hiddenSize, hiddenSize);
  const perImage = graph.integers(-1, visionTokens(vision), hiddenSize);
  const normed = norm(1, x);
  // Three products: one of three times the width would have to be split, which costs more than reading x again.
  const states = [0, 1, 2].map((part) => {
    const layer = { weight: partOf(qkv.weight, part, 3), bias: partOf(qkv.bias, part, 3) };
    return graph.operator('Reshape', [linear(normed, layer), perImage]);
  });
  // Scales by 1/sqrt(head size), as BLIP does, and keeps heads in the order of the columns.
  const attended = graph.contributed('MultiHeadAttention', states, { num_heads: heads });
  const rows = graph.operator('Reshape', [attended, graph.integers(-1, hiddenSize)]);
  const afterAttention = add(graph, x, linear(rows, projection));

  const fc1 = readLinear(checkpoint, `${name}.mlp.fc1`, hiddenSize, intermediateSize);
  const fc2 = readLinear(checkpoint, `${name}.mlp.fc2`, intermediateSize, hiddenSize);
  const expanded = gelu(graph, linear(norm(2, afterAttention), fc1));
  return add(graph, afterAttention, linear(expanded, fc2));
}

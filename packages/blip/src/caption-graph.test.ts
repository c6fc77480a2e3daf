import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCaptionGraph } from './caption-graph.ts';
import { Checkpoint } from './checkpoint.ts';
import { readCheckpointConfig } from './checkpoint-config.ts';
import { type FloatType, OnnxGraph } from './onnx-graph.ts';
import { weightOf } from './weights.ts';

const golden = new URL('../../../test/fixtures/golden/captioner', import.meta.url).pathname;

async function build(floats: FloatType): Promise<{ readonly graph: OnnxGraph; readonly body: OnnxGraph }> {
  const config = await readCheckpointConfig(golden);
  await using checkpoint = await Checkpoint.open(golden);
  const graph = buildCaptionGraph(checkpoint, config, floats);
  const body = graph.nodes.find(({ operator }) => operator === 'Loop')?.attributes.body;
  assert.ok(body !== undefined);
  return { graph, body };
}

/**
 * Operators that ONNX Runtime has a CUDA kernel for in the graph's operator set, in the types that the graph uses: by its
 * docs/OperatorKernels.md, read in November 2026. What is added to the graph is looked up there first: without a kernel it runs on the CPU, and its
 * inputs and outputs are copied there and back in every step.
 */
const onCuda = new Set(
  [
    ['Add', 'And', 'ArgMax', 'Cast', 'Concat', 'Equal', 'Expand', 'FusedMatMul', 'Gather', 'GatherElements', 'Gelu'],
    ['Gemm', 'Greater', 'Identity', 'LayerNormalization', 'LogSoftmax', 'Loop', 'MatMul', 'MultiHeadAttention', 'Not'],
    ['Or', 'ReduceMax', 'Reshape', 'Shape', 'Softmax', 'Split', 'Sub', 'Transpose', 'Where'],
  ].flat(),
);

for (const floats of ['float32', 'float16'] as const) {
  test(`${floats}: every operator has a CUDA kernel in the operator set of the graph`, async () => {
    const { graph, body } = await build(floats);
    assert.equal(graph.operatorSet, 18);
    const operators = new Set([...graph.nodes, ...body.nodes].map(({ operator }) => operator));
    assert.deepEqual([...operators.difference(onCuda)], []);
  });

  test(`${floats}: a step takes from outside the states and the two schedules, and nothing twice`, async () => {
    const { graph, body } = await build(floats);
    const own = new Set([
      ...body.inputs.map(({ name }) => name),
      ...body.constants.keys(),
      ...body.nodes.flatMap(({ outputs }) => outputs),
    ]);
    const around = new Set([
      ...graph.inputs.map(({ name }) => name),
      ...graph.constants.keys(),
      ...graph.nodes.flatMap(({ outputs }) => outputs),
    ]);
    const used = new Set(body.nodes.flatMap(({ inputs }) => inputs).filter((name) => name !== '' && !own.has(name)));
    assert.equal(used.size, 3);
    assert.deepEqual([...used.difference(around)], []);
    assert.deepEqual([...own.intersection(around)], []);
    // ONNX Runtime hands the host's count of runs to the body; what is computed from it would be copied in every step.
    const inputs = new Set(body.nodes.flatMap(({ inputs }) => inputs));
    assert.ok(!inputs.has('run' as never) && !inputs.has('go_on' as never));
  });
}

test('in float16 weights are rounded but for the patches, the token embeddings and the vocabulary', async () => {
  const { graph, body } = await build('float16');
  const exact = [...graph.constants.values(), ...body.constants.values()].filter(
    ({ elementType, shape }) => elementType === 'float32' && shape.length > 0,
  );
  assert.deepEqual(exact.map(({ name }) => name).sort(), [
    'step/text_decoder.bert.embeddings.LayerNorm.bias',
    'step/text_decoder.bert.embeddings.LayerNorm.weight',
    'step/text_decoder.bert.embeddings.position_embeddings.weight',
    'step/text_decoder.bert.embeddings.word_embeddings.weight',
    'step/text_decoder.cls.predictions.bias',
    'vision_model.embeddings.byte_centers',
    'vision_model.embeddings.class_token',
    'vision_model.embeddings.patch_embedding.weight:scaled:transposed',
    'vision_model.embeddings.patch_positions',
  ]);
});

test('float16 is the nearest, and the even one of two that are equally near', async () => {
  const graph = new OnnxGraph('rounding');
  const ulp = 2 ** -10;
  const values = [1 + ulp / 2, 1 + (3 * ulp) / 2, 1 + ulp * 0.51, -65504, 2 ** -25, 2 ** -24];
  graph.as('float16').constant(weightOf('w', [values.length], async () => Float32Array.from(values)));
  const constant = graph.constants.get('w:float16');
  assert.equal(constant?.elementType, 'float16');
  const bits = new Uint16Array(((await constant.read()) as Float16Array).buffer);
  assert.deepEqual([...bits], [0x3c00, 0x3c02, 0x3c01, 0xfbff, 0x0000, 0x0001]);
});

// How near the encoder comes to what this machine can do: the best matrix product that ONNX Runtime reaches here on one core,
// and where the encoder's time goes, by kind of operator.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Variant } from '@captionfleet/blip/model-directory';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type LinearKernel, linear } from '../../packages/blip/src/layers.ts';
import { encodeOnnx } from '../../packages/blip/src/onnx-file.ts';
import { OnnxGraph } from '../../packages/blip/src/onnx-graph.ts';
import { dynamicInt8 } from '../../packages/blip/src/quantized-linear.ts';
import { weightOf } from '../../packages/blip/src/weights.ts';
import type { BenchModel } from './bench-model.ts';
import { median } from './statistics.ts';

/** [rows, inputs, outputs]: those of the encoder, and a larger square one. */
const shapes = [
  [577, 768, 768],
  [577, 768, 2304],
  [577, 768, 3072],
  [577, 3072, 768],
  [1024, 1024, 1024],
] as const;
const runs = 7;

export interface Roofline {
  /** Best of the shapes, in 1e9 multiplications and additions a second on one core. */
  readonly peak: number;
  /** In the encoder's own products with weights, while they run. */
  readonly inProducts: number;
  /** Milliseconds of one image on one core, by kind of operator, the longest first. */
  readonly profile: readonly (readonly [operator: string, milliseconds: number])[];
}

const kernels: Readonly<Record<Variant, LinearKernel>> = { fp32: linear, int8: dynamicInt8 };

export async function measureRoofline(bench: BenchModel, variant: Variant): Promise<Roofline> {
  const scratch = await mkdtemp(join(tmpdir(), 'captionfleet-bench-'));
  try {
    const rates: number[] = [];
    for (const shape of shapes) rates.push(await rateOfProduct(kernels[variant], shape, scratch));
    const profile = await profileEncoder(bench, variant, scratch);
    const products = profile
      .filter(([operator]) => ['MatMul', 'DynamicQuantizeMatMul', 'FusedMatMul', 'Gemm'].includes(operator))
      .reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
    return { peak: Math.max(...rates), inProducts: operationsInProducts(bench) / products / 1e6, profile };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Multiplications and additions of the encoder's products with weights for one image; attention's are not among them. */
function operationsInProducts({ model }: BenchModel): number {
  const { tokens, width, side } = model.manifest.image;
  const layers = 12;
  const patch = side / Math.sqrt(tokens - 1);
  return 2 * ((tokens - 1) * 3 * patch ** 2 * width + layers * tokens * 12 * width ** 2);
}

async function rateOfProduct(
  kernel: LinearKernel,
  [rows, inputs, outputs]: readonly [number, number, number],
  scratch: string,
): Promise<number> {
  const noise = (count: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index));
  const graph = new OnnxGraph('product');
  const x = graph.input({ name: 'x', elementType: 'float32', shape: [rows, inputs] });
  const layer = {
    weight: weightOf('weight', [outputs, inputs], async () => noise(inputs * outputs)),
    bias: weightOf('bias', [outputs], async () => noise(outputs)),
  };
  graph.output({ name: 'y', elementType: 'float32', shape: [rows, outputs] }, kernel(graph, x, layer));
  const data = new Map<string, Uint8Array>();
  for (const { name, read } of graph.constants.values()) {
    const { buffer, byteOffset, byteLength } = await read();
    data.set(name, new Uint8Array(buffer, byteOffset, byteLength));
  }
  const path = join(scratch, `${kernel.name}-${rows}-${inputs}-${outputs}.onnx`);
  await writeFile(path, encodeOnnx(graph, data));
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = { x: new Tensor('float32', noise(rows * inputs), [rows, inputs]) };
  const seconds: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    await session.run(feeds);
    seconds.push((performance.now() - started) / 1000);
  }
  await session.release();
  return (2 * rows * inputs * outputs) / Math.min(...seconds) / 1e9;
}

async function profileEncoder({ model, prepared }: BenchModel, variant: Variant, scratch: string) {
  const session = await InferenceSession.create(join(prepared[variant]?.directory ?? '', 'vision-encoder.onnx'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
    enableProfiling: true,
    profileFilePrefix: join(scratch, 'profile'),
  });
  const { side } = model.manifest.image;
  const pixels = new Tensor(
    'uint8',
    Uint8Array.from({ length: side * side * 3 }, (_, place) => (place * 37) % 256),
    [1, side, side, 3],
  );
  for (let run = 0; run < runs; run += 1) await session.run({ pixels });
  session.endProfiling();
  await session.release();
  const [file = ''] = (await readdir(scratch)).filter((name) => name.startsWith('profile'));
  return sumByOperator(JSON.parse(await readFile(join(scratch, file), 'utf8')));
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** The median of the runs for each operator in the graph, summed by its kind. */
function sumByOperator(events: readonly ProfileEvent[]): Roofline['profile'] {
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const byNode = Map.groupBy(kernels, ({ name }) => name);
  const totals = new Map<string, number>();
  for (const runsOfNode of byNode.values()) {
    const operator = runsOfNode[0]?.args?.op_name ?? 'unknown';
    const milliseconds = median(runsOfNode.map(({ dur }) => dur)) / 1000;
    totals.set(operator, (totals.get(operator) ?? 0) + milliseconds);
  }
  return [...totals].sort(([, left], [, right]) => right - left);
}

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig } from './checkpoint-config.ts';
import { writeGraphs } from './graph-files.ts';
import { type LinearKernel, linear } from './layers.ts';
import { buildVisionEncoder } from './vision-encoder.ts';

/**
 * The layers of the vision encoder by how much they lose on these images when `kernel` computes them, the most harmed
 * first: for the layer's exact input, sum((y8 - y)^2) / sum(y^2), averaged over the images. Layers are named by their weight tensor.
 *
 * @param images RGB bytes [side, side, 3] of each
 */
export async function rankLayersByHarm(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  kernel: LinearKernel,
  images: readonly Uint8Array[],
  { scratch, signal }: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const layers: string[] = [];
  const compareBoth: LinearKernel = (graph, x, layer) => {
    const exact = linear(graph, x, layer);
    const loss = graph.operator('Sub', [kernel(graph, x, layer), exact]);
    const [lost, all] = [loss, exact].map((value) => graph.operator('ReduceSumSquare', [value], { keepdims: 0 }));
    const share = graph.operator('Div', [lost as typeof loss, all as typeof loss]);
    graph.output({ name: `loss ${layers.push(layer.weight.name) - 1}`, elementType: 'float32', shape: [] }, share);
    return exact;
  };
  const directory = join(scratch, 'calibration');
  await mkdir(directory);
  try {
    const graph = buildVisionEncoder(checkpoint, config, [], compareBoth);
    await writeGraphs({ 'encoder.onnx': graph }, directory, { weights: 'encoder.bin', signal });
    const losses = await meanOutputs(join(directory, 'encoder.onnx'), images, config.vision.imageSize, signal);
    return layers.toSorted((a, b) => lossOf(b) - lossOf(a));

    function lossOf(layer: string): number {
      return losses.get(`loss ${layers.indexOf(layer)}`) ?? 0;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function meanOutputs(
  path: string,
  images: readonly Uint8Array[],
  side: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const session = await InferenceSession.create(path);
  const sums = new Map<string, number>();
  for (const image of images) {
    signal.throwIfAborted();
    const outputs = await session.run({ pixels: new Tensor('uint8', image, [1, side, side, 3]) });
    for (const [name, { data }] of Object.entries(outputs)) {
      if (data.length === 1) sums.set(name, (sums.get(name) ?? 0) + Number(data[0]) / images.length);
    }
  }
  await session.release();
  return sums;
}

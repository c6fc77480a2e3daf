import type { ModelTask } from '@captionfleet/protocol/task';
import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig } from './checkpoint-config.ts';
import type { LinearKernel } from './layers.ts';
import { modelFiles } from './model-directory.ts';
import type { OnnxGraph } from './onnx-graph.ts';
import { buildAnswerDecoder, buildCaptionDecoder, type DecoderKernels } from './text-decoder.ts';
import { buildQuestionEncoder, buildTextEncoder } from './text-encoder.ts';
import { buildVisionEncoder } from './vision-encoder.ts';

/** How each tower's products are computed; without them, exactly. */
export interface GraphKernels {
  readonly vision: LinearKernel;
  readonly text: LinearKernel;
  readonly decoder: DecoderKernels;
}

type Graphs = Readonly<Record<string, OnnxGraph>>;

/**
 * The graphs of a model with these tasks, by the file that each becomes. Every tensor is found and has its shape once this
 * returns; values are read when the graphs are written.
 */
export function buildGraphs(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  tasks: readonly ModelTask[],
  kernels?: GraphKernels,
): Graphs {
  const heads: Readonly<Record<ModelTask, () => Graphs>> = {
    caption: () => ({ [modelFiles.textDecoder]: buildCaptionDecoder(checkpoint, config, kernels?.decoder) }),
    match: () => ({ [modelFiles.textEncoder]: buildTextEncoder(checkpoint, config, kernels?.text) }),
    answer: () => ({
      [modelFiles.questionEncoder]: buildQuestionEncoder(checkpoint, config, kernels?.text),
      [modelFiles.answerDecoder]: buildAnswerDecoder(checkpoint, config, kernels?.decoder),
    }),
  };
  const vision = { [modelFiles.visionEncoder]: buildVisionEncoder(checkpoint, config, tasks, kernels?.vision) };
  return Object.assign(vision, ...tasks.map((task) => heads[task]()));
}

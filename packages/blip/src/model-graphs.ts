import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { ModelTask } from '@captionfleet/protocol/task';
import { buildCaptionGraph } from './caption-graph.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig } from './checkpoint-config.ts';
import type { LinearKernel } from './layers.ts';
import { captionGraphFiles, modelFiles } from './model-directory.ts';
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

/** The captioner as one graph, in each precision. @throws MODEL_UNSUPPORTED when the model does not caption */
export function buildCaptionGraphs(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  tasks: readonly ModelTask[],
): Graphs {
  if (!tasks.includes('caption')) {
    throw new CaptionfleetError('MODEL_UNSUPPORTED', `one graph is for captions; this model can ${tasks.join(', ')}`);
  }
  return {
    [captionGraphFiles.fp32]: buildCaptionGraph(checkpoint, config, 'float32'),
    [captionGraphFiles.fp16]: buildCaptionGraph(checkpoint, config, 'float16'),
  };
}

import { basename } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { InferenceSession } from 'onnxruntime-node';

type Options = Omit<InferenceSession.SessionOptions, 'extra'>;

/**
 * @param entries more of the runtime's session configuration, under `session.`
 * @throws MODEL_CORRUPT when ONNX Runtime refuses the graph */
export async function createSession(
  path: string,
  options: Options,
  entries: Readonly<Record<string, string>> = {},
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      ...options,
      // Threads that spin while they wait take the cores of the processes beside this one.
      extra: { session: { intra_op: { allow_spinning: '0' }, ...entries } },
    });
  } catch (cause) {
    throw new CaptionfleetError('MODEL_CORRUPT', `${basename(path)}: ONNX Runtime cannot load it`, { cause });
  }
}

import type { Task } from '@captionfleet/protocol/task';
import type { TaskResult } from '@captionfleet/protocol/task-result';
import type { States } from './decode-group.ts';

/** An image of a run. It is encoded once, before the batches run, whatever is asked of it. */
export interface EncodedImage {
  states: States;
  /** Of length 1; empty where the model does not match. */
  features: Float32Array;
}

/** A task of one image, on its way. What it says is there once its batch has run. */
export interface Work {
  result(): TaskResult;
  /** Milliseconds of the batch's runs, the vision encoder's not among them. */
  readonly spentMs: number;
}

/** The tasks of one run that a head does together. */
export interface TaskBatch<T extends Task> {
  /** Takes a task of an image. @throws OPTION_INVALID, which does not touch the others */
  add(task: T, image: EncodedImage): Work;
  /** Does all of them, once every image is encoded. @throws the signal's reason between two runs of the runtime */
  run(signal: AbortSignal): Promise<void>;
}

import { z } from 'zod';
import { ModelIdentitySchema } from './image-outcome.ts';
import { LaneSchema } from './queue-names.ts';
import { modelTasks } from './task.ts';

/** What the makers of a model say of it, as its manifest has it. */
export const ModelCardSchema = z.object({
  licence: z.string(),
  /** Where the checkpoint came from. */
  source: z.string().optional(),
  notice: z.string().optional(),
  minimumMachine: z
    .object({ vcpus: z.number(), gpus: z.number(), memoryGiB: z.number(), diskGiB: z.number() })
    .optional(),
});
export type ModelCard = z.infer<typeof ModelCardSchema>;

/** What a worker that is ready says of itself, every few seconds. */
export const WorkerPresenceSchema = z.object({
  id: z.string(),
  model: ModelIdentitySchema,
  card: ModelCardSchema,
  tasks: z.array(z.enum(modelTasks)),
  lanes: z.array(LaneSchema),
  pool: z.enum(['cpu', 'gpu']),
  machine: z.object({ platform: z.string(), architecture: z.string(), processor: z.string(), cores: z.int() }),
  /** What Azure calls the machine, where it is, and how it was bought, as far as the worker knows. */
  size: z.string().optional(),
  zone: z.string().optional(),
  priority: z.enum(['regular', 'spot']).optional(),
  /** What the machine costs, where somebody said so. */
  usdPerHour: z.number().positive().optional(),
  /** Inference processes. */
  processes: z.int(),
  /** Images finished a second, measured over the last minute of work; absent before there was any. */
  imagesPerSecond: z.number().optional(),
  /** From the start of the process to its being ready. */
  startSeconds: z.number().optional(),
  readySince: z.iso.datetime(),
});
export type WorkerPresence = z.infer<typeof WorkerPresenceSchema>;

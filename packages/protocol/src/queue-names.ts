import { z } from 'zod';
import type { ModelTask } from './task.ts';

/** In the order in which a worker of several lanes serves them. */
export const lanes = ['interactive', 'bulk'] as const;
export const LaneSchema = z.enum(lanes);
export type Lane = z.infer<typeof LaneSchema>;
export const pools = ['cpu', 'gpu'] as const;
export type Pool = (typeof pools)[number];

/**
 * Lanes are queues, not priorities inside one: each has a bound of its own, and workers of its own where an operator wants
 * bulk to go on whatever comes in between. Each head has queues of its own too: a worker takes the jobs that its model can do
 * and never meets another.
 */
export const queueName = (lane: Lane, pool: Pool, head: ModelTask): string =>
  head === 'caption' ? `${lane}-${pool}` : `${lane}-${pool}-${head}`;

/** The hash tag keeps all keys of the fleet on one Redis Cluster slot, which BullMQ's scripts need. */
export const defaultQueuePrefix = '{captionfleet}';

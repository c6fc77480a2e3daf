import type { ModelTask } from './task.ts';

export type Lane = 'interactive' | 'bulk';
export type Pool = 'cpu' | 'gpu';

/**
 * Lanes are queues, not priorities: a priority lets one caller starve the others, a lane has workers of its own. Each head has
 * queues of its own too: a worker takes the jobs that its model can do and never meets another.
 */
export const queueName = (lane: Lane, pool: Pool, head: ModelTask): string =>
  head === 'caption' ? `${lane}-${pool}` : `${lane}-${pool}-${head}`;

/** The hash tag keeps all keys of the fleet on one Redis Cluster slot, which BullMQ's scripts need. */
export const defaultQueuePrefix = '{captionfleet}';

export type Lane = 'interactive' | 'bulk';
export type Pool = 'cpu' | 'gpu';

/** Lanes are queues, not priorities: a priority lets one caller starve the others, a lane has workers of its own. */
export const queueName = (lane: Lane, pool: Pool): string => `${lane}-${pool}`;

/** The hash tag keeps all keys of the fleet on one Redis Cluster slot, which BullMQ's scripts need. */
export const defaultQueuePrefix = '{captionfleet}';

import { type Lane, lanes, type Pool, pools, queueName } from '@captionfleet/protocol/queue-names';
import { type ModelTask, modelTasks } from '@captionfleet/protocol/task';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import type { BacklogReader, BacklogReading, QueueBacklog } from '@captionfleet/queue/backlog';
import type { WorkerRegister } from '@captionfleet/queue/worker-register';

/** A queue and what it holds. */
export interface QueueLook extends QueueBacklog {
  readonly name: string;
  readonly lane: Lane;
  readonly head: ModelTask;
}

/** What is asked of a pool, and who is there to do it, at one moment. */
export interface PoolLook {
  readonly pool: Pool;
  /** Seconds since the epoch on Redis' clock. */
  readonly atSeconds: number;
  readonly queues: readonly QueueLook[];
  /** Those that are ready; one that died is among them for 15 seconds more. */
  readonly workers: readonly WorkerPresence[];
}

export interface FleetLook {
  readonly pools: readonly PoolLook[];
  readonly memory: BacklogReading['memory'];
}

export interface FleetEyes {
  readonly backlog: Pick<BacklogReader, 'read'>;
  readonly workers: Pick<WorkerRegister, 'list'>;
}

/** The queues of a pool, with the names that they have in Redis. */
const queuesOf = (pool: Pool) =>
  lanes.flatMap((lane) => modelTasks.map((head) => ({ name: queueName(lane, pool, head), lane, head })));

export const everyQueueName: readonly string[] = pools.flatMap((pool) => queuesOf(pool).map(({ name }) => name));

/** @throws QUEUE_UNAVAILABLE */
export async function lookAtFleet({ backlog, workers }: FleetEyes): Promise<FleetLook> {
  const [{ atSeconds, queues, memory }, everyone] = await Promise.all([backlog.read(), workers.list()]);
  const looks = pools.map((pool) => ({
    pool,
    atSeconds,
    queues: queuesOf(pool).flatMap((queue) => {
      const backlog = queues.get(queue.name);
      return backlog === undefined ? [] : { ...queue, ...backlog };
    }),
    workers: everyone.filter((worker) => worker.pool === pool),
  }));
  return { pools: looks, memory };
}

/** Images a second of these workers as each measured it; undefined when none of them has measured any. */
export function measuredRate(workers: readonly WorkerPresence[]): number | undefined {
  const rates = workers.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
  return rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0);
}

/** Images a second of one of these workers, as those measured it that have; undefined when none has. */
export function ratePerWorker(workers: readonly WorkerPresence[]): number | undefined {
  const measured = workers.filter(({ imagesPerSecond }) => imagesPerSecond !== undefined);
  const sum = measuredRate(measured);
  return sum === undefined ? undefined : sum / measured.length;
}

/** Jobs that have to be done: those that wait, those that should, and those that are under way or were. */
export const workOf = ({ waiting, active, overdue }: QueueBacklog): number => waiting + active + overdue;

/** A lane, and those that workers serve before it. */
const lanesUpTo = (lane: Lane): readonly Lane[] => lanes.slice(0, lanes.indexOf(lane) + 1);

/** Jobs that are done by the time that those of a lane are: of it and of the lanes before it, but for paused queues. */
export const workUpTo = (queues: readonly QueueLook[], lane: Lane): number =>
  queues
    .filter((queue) => lanesUpTo(lane).includes(queue.lane) && !queue.paused)
    .reduce((sum, queue) => sum + workOf(queue), 0);

/**
 * Seconds in which the work of a lane is done by the workers that are there; bulk comes after what is interactive. Infinity when
 * some of it waits for nobody: its queue is paused, or no worker has its head. Workers that have measured nothing yet count
 * like those that have; undefined while none has.
 */
export function drainSeconds({ queues, workers }: PoolLook, lane: Lane): number | undefined {
  const own = queues.filter((queue) => queue.lane === lane && workOf(queue) > 0);
  if (own.length === 0) return 0;
  const isWorkedOff = ({ head, paused }: QueueLook): boolean =>
    !paused && workers.some(({ lanes, tasks }) => lanes.includes(lane) && tasks.includes(head));
  if (!own.every(isWorkedOff)) return Number.POSITIVE_INFINITY;
  const able = workers.filter((worker) => worker.lanes.some((served) => lanesUpTo(lane).includes(served)));
  const rate = ratePerWorker(able);
  return rate === undefined || rate === 0 ? undefined : workUpTo(queues, lane) / (able.length * rate);
}

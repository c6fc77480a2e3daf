import { type Lane, lanes, type Pool, queueName } from '@captionfleet/protocol/queue-names';
import type { ModelTask } from '@captionfleet/protocol/task';
import { openProducer } from '@captionfleet/queue/producer';
import { type RankPools, routeProducers, type TaskProducer } from './routed-producer.ts';

/** The queue of the jobs that one head does. */
export interface TaskQueue {
  /** In Redis; where jobs have pools to choose from, that of the first. */
  readonly name: string;
  readonly producer: TaskProducer;
}
/** Of each lane, those of each head. */
export type TaskQueues = Readonly<Record<Lane, Readonly<Record<ModelTask, TaskQueue>>>>;

export const everyQueue = (queues: TaskQueues): TaskQueue[] => lanes.flatMap((lane) => Object.values(queues[lane]));

interface TaskQueuesConfig {
  readonly redisUrl: string;
  readonly queuePrefix: string;
  readonly pool: Pool;
  readonly maxWaiting: number;
  /**
   * Whether tenants take turns, so that one's backlog does not keep another's images waiting.
   * @defaultValue false
   */
  readonly fair?: boolean;
  /** Pools to choose from instead of the one, and how. */
  readonly routing?:
    | { readonly pools: readonly Pool[]; readonly choose: (lane: Lane, head: ModelTask) => RankPools }
    | undefined;
}

/** Opens the queues of every head, also of those that the fleet does not serve now: it may have accepted requests before. */
export async function openTaskQueues(
  { redisUrl, queuePrefix: prefix, pool, maxWaiting, fair = false, routing }: TaskQueuesConfig,
  parts: AsyncDisposableStack,
): Promise<TaskQueues> {
  const open = async (lane: Lane, head: ModelTask): Promise<TaskQueue> => {
    const name = queueName(lane, pool, head);
    const openIn = async (pool: Pool) => {
      const queue = queueName(lane, pool, head);
      return parts.use(await openProducer({ redisUrl, queue, prefix, maxWaiting, fair }));
    };
    if (routing === undefined) return { name, producer: await openIn(pool) };
    const pools = await Promise.all(routing.pools.map(async (pool) => [pool, await openIn(pool)] as const));
    return { name, producer: routeProducers(new Map(pools), routing.choose(lane, head)) };
  };
  const openLane = async (lane: Lane): Promise<TaskQueues[Lane]> => {
    const [caption, match, answer] = await Promise.all([
      open(lane, 'caption'),
      open(lane, 'match'),
      open(lane, 'answer'),
    ]);
    return { caption, match, answer };
  };
  const [interactive, bulk] = await Promise.all([openLane('interactive'), openLane('bulk')]);
  return { interactive, bulk };
}

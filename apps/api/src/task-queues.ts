import { type Lane, lanes, type Pool, queueName } from '@captionfleet/protocol/queue-names';
import type { ModelTask } from '@captionfleet/protocol/task';
import { type JobProducer, openProducer } from '@captionfleet/queue/producer';

/** The queue of the jobs that one head does. */
export interface TaskQueue {
  readonly name: string;
  readonly producer: JobProducer;
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
}

/** Opens the queues of every head, also of those that the fleet does not serve now: it may have accepted requests before. */
export async function openTaskQueues(
  { redisUrl, queuePrefix: prefix, pool, maxWaiting, fair = false }: TaskQueuesConfig,
  parts: AsyncDisposableStack,
): Promise<TaskQueues> {
  const open = async (lane: Lane, head: ModelTask): Promise<TaskQueue> => {
    const name = queueName(lane, pool, head);
    return { name, producer: parts.use(await openProducer({ redisUrl, queue: name, prefix, maxWaiting, fair })) };
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

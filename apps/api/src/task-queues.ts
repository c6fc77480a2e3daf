import type { Lane, Pool } from '@captionfleet/protocol/queue-names';
import { queueName } from '@captionfleet/protocol/queue-names';
import type { ModelTask } from '@captionfleet/protocol/task';
import { type JobProducer, openProducer } from '@captionfleet/queue/producer';

/** The queue of the jobs that one head does. */
export interface TaskQueue {
  readonly name: string;
  readonly producer: JobProducer;
}
export type TaskQueues = Readonly<Record<ModelTask, TaskQueue>>;

interface TaskQueuesConfig {
  readonly redisUrl: string;
  readonly queuePrefix: string;
  readonly lane: Lane;
  readonly pool: Pool;
  readonly maxWaiting: number;
}

/** Opens the queue of every head, also of those that the fleet does not serve now: it may have accepted requests before. */
export async function openTaskQueues(
  { redisUrl, queuePrefix: prefix, lane, pool, maxWaiting }: TaskQueuesConfig,
  parts: AsyncDisposableStack,
): Promise<TaskQueues> {
  const open = async (head: ModelTask): Promise<TaskQueue> => {
    const name = queueName(lane, pool, head);
    return { name, producer: parts.use(await openProducer({ redisUrl, queue: name, prefix, maxWaiting })) };
  };
  const [caption, match, answer] = await Promise.all([open('caption'), open('match'), open('answer')]);
  return { caption, match, answer };
}

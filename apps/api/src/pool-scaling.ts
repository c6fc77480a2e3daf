import { type Lane, lanes, type Pool } from '@captionfleet/protocol/queue-names';
import { type ModelTask, modelTasks } from '@captionfleet/protocol/task';
import type { ScalingMemoryStore } from '@captionfleet/queue/scaling-memory';
import {
  decideReplicas,
  type LaneBacklog,
  noMemory,
  type PoolObservation,
  ScalingMemorySchema,
  type ScalingSettings,
} from '@captionfleet/scaling/scaling-policy';
import { z } from 'zod';
import { type PoolLook, type QueueLook, ratePerWorker, workOf } from './pool-look.ts';

/** The settings of a pool; a cold start that is not set is as long as the workers were seen to take. */
export type PoolScalingSettings = Omit<ScalingSettings, 'coldStartSeconds'> & {
  readonly coldStartSeconds: number | undefined;
};

export interface PoolScalingConfig {
  readonly settings: Readonly<Record<Pool, PoolScalingSettings>>;
  readonly memory: Pick<ScalingMemoryStore, 'read' | 'replace'>;
  /** What the fleet has models for, as far as no worker of the pool has said so. */
  readonly tasks: readonly ModelTask[];
}

/** The answer for KEDA's metrics-api scaler, and for people who ask why. */
export interface PoolScaling {
  readonly pool: Pool;
  readonly desiredReplicas: number;
  readonly reason: string;
  readonly observation: PoolObservation;
  readonly settings: ScalingSettings;
  /** Queues whose work is left out: no worker of this pool has the head for it. */
  readonly unserved: readonly { readonly queue: string; readonly jobs: number }[];
}

/** Seconds for a worker to start, while that is not set and none was seen to. */
export const assumedStartSeconds = 60;
/** Seconds for which an empty pool is taken to have the heads that its last workers had. Then it is woken to look again. */
const headsKnownSeconds = 600;
const triesAtMemory = 3;

/** What was last seen of workers, for the time when there are none. */
const SeenSchema = z.object({
  atSeconds: z.number(),
  tasks: z.array(z.enum(modelTasks)),
  imagesPerSecond: z.number().optional(),
  startSeconds: z.number().optional(),
});
type Seen = z.infer<typeof SeenSchema>;
const RememberedSchema = z.object({ memory: ScalingMemorySchema, seen: SeenSchema.optional() });

/**
 * Decides how many replicas a pool should have. Every API process decides from the same state in Redis; when two do at once, one
 * of them decides again from what the other has left.
 *
 * @throws QUEUE_UNAVAILABLE
 */
export async function scalePool(look: PoolLook, config: PoolScalingConfig): Promise<PoolScaling> {
  const { pool } = look;
  for (let tries = 1; ; tries += 1) {
    const before = await config.memory.read(pool);
    const remembered = readRemembered(before);
    const seen = seenIn(look) ?? remembered?.seen;
    const merged = seen && { ...remembered?.seen, ...seen };
    const { coldStartSeconds, ...rest } = config.settings[pool];
    const settings = { ...rest, coldStartSeconds: coldStartSeconds ?? merged?.startSeconds ?? assumedStartSeconds };
    const served = headsOf(look, merged, config.tasks);
    const observation = observe(look, served, merged?.imagesPerSecond);
    const { memory, ...decision } = decideReplicas(observation, settings, remembered?.memory ?? noMemory);
    const after = JSON.stringify({ memory, seen: merged });
    const isKept = await config.memory.replace(pool, before, after);
    if (isKept || tries === triesAtMemory) {
      return { pool, ...decision, observation, settings, unserved: unservedOf(look, served) };
    }
  }
}

function readRemembered(text: string | undefined): z.infer<typeof RememberedSchema> | undefined {
  try {
    return RememberedSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

function seenIn({ atSeconds, workers }: PoolLook): Seen | undefined {
  if (workers.length === 0) return undefined;
  const rate = ratePerWorker(workers);
  const starts = workers.flatMap(({ startSeconds }) => startSeconds ?? []);
  return {
    atSeconds,
    tasks: [...new Set(workers.flatMap(({ tasks }) => tasks))],
    ...(rate === undefined ? {} : { imagesPerSecond: rate }),
    ...(starts.length === 0 ? {} : { startSeconds: Math.max(...starts) }),
  };
}

/** What workers of the pool can do, or could if there were some. */
function headsOf(
  { atSeconds }: PoolLook,
  seen: Seen | undefined,
  configured: readonly ModelTask[],
): readonly ModelTask[] {
  return seen !== undefined && atSeconds - seen.atSeconds < headsKnownSeconds ? seen.tasks : configured;
}

/** The policy's view: work that more replicas would do. */
export function observe(
  { atSeconds, queues, workers }: PoolLook,
  heads: readonly ModelTask[],
  imagesPerSecond: number | undefined,
): PoolObservation {
  const served = queues.filter(({ head }) => heads.includes(head));
  return {
    atSeconds,
    lanes: lanes.map((lane) =>
      laneBacklog(
        lane,
        served.filter((queue) => queue.lane === lane),
      ),
    ),
    readyReplicas: workers.length,
    imagesPerSecondPerReplica: imagesPerSecond,
  };
}

/** A lane is paused when all of its queues are in which something waits; else what waits in paused ones is left out. */
function laneBacklog(lane: Lane, queues: readonly QueueLook[]): LaneBacklog {
  const held = queues.filter(({ waiting, overdue }) => waiting + overdue > 0);
  const paused = held.length > 0 && held.every((queue) => queue.paused);
  const counted = paused ? held : queues.filter((queue) => !queue.paused);
  return {
    lane,
    waiting: sum(counted.map(({ waiting }) => waiting)),
    active: sum(queues.map(({ active }) => active)),
    overdue: sum(counted.map(({ overdue }) => overdue)),
    oldestSeconds: Math.max(0, ...counted.map(({ oldestWaitingSeconds }) => oldestWaitingSeconds)),
    paused,
    arrivalsPerSecond: sum(counted.map(({ arrivalsPerSecond }) => arrivalsPerSecond)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const unservedOf = ({ queues }: PoolLook, served: readonly ModelTask[]): PoolScaling['unserved'] =>
  queues.flatMap((queue) => {
    const jobs = workOf(queue);
    return jobs === 0 || served.includes(queue.head) ? [] : { queue: queue.name, jobs };
  });

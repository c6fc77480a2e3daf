import type { Lane } from '@captionfleet/protocol/queue-names';
import { z } from 'zod';

/** What a lane of a pool holds. */
export interface LaneBacklog {
  readonly lane: Lane;
  readonly waiting: number;
  /** Jobs that a worker took, also one that has died since. */
  readonly active: number;
  /** Delayed jobs whose time has come. */
  readonly overdue: number;
  /** Seconds since the oldest waiting job was enqueued. */
  readonly oldestSeconds: number;
  /** Nothing of what waits is delivered. */
  readonly paused: boolean;
  readonly arrivalsPerSecond: number;
}

export interface PoolObservation {
  /** Seconds since any fixed moment, on a clock that all who decide have in common. */
  readonly atSeconds: number;
  readonly lanes: readonly LaneBacklog[];
  readonly readyReplicas: number;
  /** Images a second of one replica; undefined before anything was measured. */
  readonly imagesPerSecondPerReplica: number | undefined;
}

export interface ScalingSettings {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** From the wish for a replica to its first image. */
  readonly coldStartSeconds: number;
  /** Seconds from the enqueueing of a job to its end that are promised. */
  readonly sloSeconds: Readonly<Record<Lane, number>>;
  /** Images a second of a replica, while none was measured. */
  readonly assumedImagesPerSecond: number;
  /** Seconds for which less must have been enough before replicas are given back. */
  readonly scaleDownAfterSeconds: number;
}

export const ScalingMemorySchema = z.object({
  /** What was needed, newest last, without what a later need was no less than. */
  needs: z.array(z.object({ atSeconds: z.number(), replicas: z.int() })),
});
export type ScalingMemory = z.infer<typeof ScalingMemorySchema>;
export const noMemory: ScalingMemory = { needs: [] };

export interface ScalingDecision {
  readonly desiredReplicas: number;
  readonly reason: string;
  readonly memory: ScalingMemory;
}

/** Share of the promised time that is left for the work at least, however old it is and however long a replica takes to start. */
const leastShare = 0.25;

/**
 * How many replicas a pool should have: as many as work off what arrives and, in the time that the promise of its lane leaves,
 * what is there. More at once, fewer only when fewer would have been enough for a while. Pure: who asks keeps the memory.
 */
export function decideReplicas(
  { atSeconds, lanes, readyReplicas, imagesPerSecondPerReplica }: PoolObservation,
  settings: ScalingSettings,
  memory: ScalingMemory,
): ScalingDecision {
  const perReplica = imagesPerSecondPerReplica || settings.assumedImagesPerSecond;
  const withoutStart = replicasFor(lanes, perReplica, settings, 0);
  // What is there already needs no start.
  const unbounded =
    withoutStart <= readyReplicas ? withoutStart : replicasFor(lanes, perReplica, settings, settings.coldStartSeconds);
  const needed = Math.min(settings.maxReplicas, Math.max(settings.minReplicas, unbounded));
  const needs = [
    ...memory.needs.filter(
      (need) => need.replicas > needed && atSeconds - need.atSeconds < settings.scaleDownAfterSeconds,
    ),
    { atSeconds, replicas: needed },
  ];
  const held = Math.max(...needs.map(({ replicas }) => replicas));
  const desiredReplicas = Math.min(settings.maxReplicas, Math.max(settings.minReplicas, held));
  return { desiredReplicas, reason: reasonOf(lanes, unbounded, needed, desiredReplicas), memory: { needs } };
}

/** Jobs of a lane that have to be done now. What was taken goes on while its queue is paused. */
const workOf = ({ waiting, active, overdue, paused }: LaneBacklog): number => active + (paused ? 0 : waiting + overdue);

function replicasFor(
  lanes: readonly LaneBacklog[],
  perReplica: number,
  { sloSeconds }: ScalingSettings,
  startSeconds: number,
): number {
  const rates = lanes.map((backlog) => {
    const promised = sloSeconds[backlog.lane];
    const waited = backlog.paused ? 0 : backlog.oldestSeconds;
    const left = Math.max(promised - waited - startSeconds, promised * leastShare);
    return workOf(backlog) / left + (backlog.paused ? 0 : backlog.arrivalsPerSecond);
  });
  const rate = rates.reduce((sum, lane) => sum + lane, 0);
  return rate === 0 ? 0 : Math.max(1, Math.ceil(rate / perReplica));
}

function reasonOf(lanes: readonly LaneBacklog[], unbounded: number, needed: number, desired: number): string {
  const parts = lanes.flatMap((backlog) => {
    const work = workOf(backlog);
    const held = backlog.paused ? backlog.waiting + backlog.overdue : 0;
    return [
      ...(work === 0 ? [] : [`${backlog.lane}: ${work} to do`]),
      ...(held === 0 ? [] : [`${backlog.lane}: ${held} wait in paused queues and are left out`]),
    ];
  });
  const need = `${parts.length === 0 ? 'nothing to do' : parts.join(', ')}; ${unbounded} needed`;
  if (needed !== unbounded) return `${need}, bounded to ${desired}`;
  return desired > needed ? `${need}, ${desired} held for a while` : need;
}

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

/** Share of the promised time in which the work shall be done: the rest is for what goes otherwise than it was expected. */
const aimedShare = 0.8;
/** Seconds that are left for the work at least, however old it is. */
const leastSeconds = (promised: number): number => Math.min(60, promised / 4);
/** Seconds for which arrivals are taken to go on as they were measured. */
const forecastSeconds = 60;

/**
 * How many replicas a pool should have: as many as work off what arrives and, in the time that the promise of its lane leaves,
 * what is there. More at once, fewer only when fewer would have been enough for a while. Pure: who asks keeps the memory.
 *
 * With P the aimed share of a lane's promise, A the age of its oldest job, C the cold start, W its work and L its arrivals a second, in
 * seconds and images, the rate that a lane needs is
 *
 *     (W + L min(T, 60)) / T   with T = P - A       while the replicas that are there are enough for it, else
 *                                   T = P - A - C   as others have to start first,
 *
 * and T at least the smaller of a minute and a quarter of the promise. So a lane with a long promise takes its time, however much
 * comes at once.
 */
export function decideReplicas(
  { atSeconds, lanes, readyReplicas, imagesPerSecondPerReplica }: PoolObservation,
  settings: ScalingSettings,
  memory: ScalingMemory,
): ScalingDecision {
  const perReplica = imagesPerSecondPerReplica || settings.assumedImagesPerSecond;
  const count = (rate: number): number => (rate === 0 ? 0 : Math.max(1, Math.ceil(rate / perReplica)));
  const recent = memory.needs.filter((need) => atSeconds - need.atSeconds < settings.scaleDownAfterSeconds);
  const withoutStart = count(rateFor(lanes, settings, 0));
  // What is there already needs no start.
  const unbounded =
    withoutStart <= readyReplicas ? withoutStart : count(rateFor(lanes, settings, settings.coldStartSeconds));
  const needed = Math.min(settings.maxReplicas, Math.max(settings.minReplicas, unbounded));
  const needs = [...recent.filter(({ replicas }) => replicas > needed), { atSeconds, replicas: needed }];
  const held = Math.max(...needs.map(({ replicas }) => replicas));
  const desiredReplicas = Math.min(settings.maxReplicas, Math.max(settings.minReplicas, held));
  return { desiredReplicas, reason: reasonOf(lanes, unbounded, needed, desiredReplicas), memory: { needs } };
}

const arrivalsOf = ({ paused, arrivalsPerSecond }: LaneBacklog): number => (paused ? 0 : arrivalsPerSecond);
const ageOf = ({ paused, oldestSeconds }: LaneBacklog): number => (paused ? 0 : oldestSeconds);
const sum = (rates: readonly number[]): number => rates.reduce((total, rate) => total + rate, 0);

/** Images a second that finish what is there within `seconds`, with what comes meanwhile. */
function rateWithin(backlog: LaneBacklog, seconds: number, promised: number): number {
  const left = Math.max(seconds, leastSeconds(promised));
  return (workOf(backlog) + arrivalsOf(backlog) * Math.min(left, forecastSeconds)) / left;
}

/** Images a second that keep the promises of all lanes, when the first image can be worked on after `startSeconds`. */
function rateFor(lanes: readonly LaneBacklog[], { sloSeconds }: ScalingSettings, startSeconds: number): number {
  return sum(
    lanes.map((backlog) => {
      const promised = sloSeconds[backlog.lane];
      return rateWithin(backlog, promised * aimedShare - ageOf(backlog) - startSeconds, promised);
    }),
  );
}

/** Jobs of a lane that have to be done now. What was taken goes on while its queue is paused. */
const workOf = ({ waiting, active, overdue, paused }: LaneBacklog): number => active + (paused ? 0 : waiting + overdue);

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

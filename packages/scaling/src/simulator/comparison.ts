import type { Lane } from '@captionfleet/protocol/queue-names';
import type { ArrivalTrace } from './arrival-traces.ts';
import { onCpu, onDrainTime, onListLength } from './autoscalers.ts';
import { type Autoscaler, type Machine, type SimulationResult, simulateFleet } from './fleet-simulation.ts';

/** Seconds from arrival to end that are promised: an image is late beyond. */
export const promisedSeconds = { interactive: 30, bulk: 3_600 } as const satisfies Record<Lane, number>;
const maxReplicas = 20;

export interface Policy {
  readonly name: string;
  /** Rivals of one family differ in their settings; the best of them for a trace is the one that counts there. */
  readonly family: 'drain time' | 'list length' | 'CPU';
  autoscaler(trace: ArrivalTrace, machine: Machine): Autoscaler;
}

const hpaOf = ({ minReplicas }: ArrivalTrace, stabilizationSeconds: number) => ({
  minReplicas,
  maxReplicas,
  stabilizationSeconds,
  cooldownSeconds: 300,
});

const ours: Policy = {
  name: 'drain time',
  family: 'drain time',
  autoscaler: ({ minReplicas }, machine) =>
    onDrainTime({
      minReplicas,
      maxReplicas,
      coldStartSeconds: machine.provisionSeconds + machine.startSeconds,
      sloSeconds: promisedSeconds,
      assumedImagesPerSecond: machine.slots / machine.serviceSeconds,
      scaleDownAfterSeconds: 120,
    }),
};

/** With the HPA's default window and with a short one. */
const windows = [300, 60] as const;

export const policies: readonly Policy[] = [
  ours,
  ...[5, 10, 20, 50, 100, 500].flatMap((jobs) =>
    windows.map(
      (window): Policy => ({
        name: `list length ${jobs}, window ${window} s`,
        family: 'list length',
        autoscaler: (trace) => onListLength(jobs, hpaOf(trace, window)),
      }),
    ),
  ),
  ...[0.5, 0.7, 0.85].flatMap((share) =>
    windows.map(
      (window): Policy => ({
        name: `CPU ${100 * share} %, window ${window} s`,
        family: 'CPU',
        autoscaler: (trace) => onCpu(share, hpaOf(trace, window)),
      }),
    ),
  ),
];

export interface Score {
  readonly trace: string;
  readonly policy: string;
  readonly family: Policy['family'];
  readonly images: number;
  readonly late: Readonly<Record<Lane, number>>;
  /** Seconds from arrival to end of the lane that somebody waits for, else of bulk. */
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly usd: number;
  readonly turns: number;
  readonly looks: SimulationResult['looks'];
}

export function score(trace: ArrivalTrace, policy: Policy, machine: Machine, seed: number): Score {
  const arrivals = trace.arrivals(seed);
  const result = simulateFleet({
    arrivals,
    seconds: trace.seconds,
    machine,
    autoscaler: policy.autoscaler(trace, machine),
    replicas: trace.minReplicas,
    seed,
  });
  const lateOf = (lane: Lane): number =>
    result.seconds[lane].filter((seconds) => seconds > promisedSeconds[lane]).length;
  const unfinished = arrivals.length - result.seconds.interactive.length - result.seconds.bulk.length;
  const waited = (result.seconds.interactive.length > 0 ? result.seconds.interactive : result.seconds.bulk).toSorted(
    (one, other) => one - other,
  );
  const quantile = (share: number): number =>
    waited[Math.min(waited.length - 1, Math.floor(share * waited.length))] ?? 0;
  return {
    trace: trace.name,
    policy: policy.name,
    family: policy.family,
    images: arrivals.length,
    late: { interactive: lateOf('interactive'), bulk: lateOf('bulk') + unfinished },
    median: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    usd: result.usd,
    turns: result.turns,
    looks: result.looks,
  };
}

export const lateImages = ({ late }: Score): number => late.interactive + late.bulk;

/** The fewest late images, and of those the cheapest. */
export const best = (scores: readonly Score[]): Score | undefined =>
  scores.toSorted((one, other) => lateImages(one) - lateImages(other) || one.usd - other.usd)[0];

/** What is compared by default: two inferences at a time of 0.9 s each, as fp32 on two cores of a 2026 server takes them. */
export const defaultMachine: Machine = {
  slots: 2,
  serviceSeconds: 0.9,
  serviceSpread: 0.2,
  provisionSeconds: 120,
  provisionSpread: 0.3,
  startSeconds: 5,
  // AKS' cluster autoscaler keeps a machine that nobody needs for ten minutes.
  idleSeconds: 600,
  usdPerHour: 0.1,
};

export interface TraceComparison {
  readonly trace: ArrivalTrace;
  readonly ours: Score;
  /** The best of each rival family. */
  readonly rivals: readonly Score[];
}

export function compare(trace: ArrivalTrace, machine: Machine, seed: number): TraceComparison {
  const scores = policies.map((policy) => score(trace, policy, machine, seed));
  const bestOf = (family: Policy['family']): Score[] => {
    const found = best(scores.filter((one) => one.family === family));
    return found === undefined ? [] : [found];
  };
  const [own] = bestOf('drain time');
  if (own === undefined) throw new Error('the policy of the fleet is not among those compared. This is a bug.');
  return { trace, ours: own, rivals: [...bestOf('list length'), ...bestOf('CPU')] };
}

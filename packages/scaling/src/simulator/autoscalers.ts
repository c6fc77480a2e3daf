import { decideReplicas, noMemory, type ScalingSettings } from '../scaling-policy.ts';
import { type Autoscaler, type FleetView, lookSeconds } from './fleet-simulation.ts';

/** Share by which a wish may differ from what is there without a change: the HPA's default. */
const tolerance = 0.1;
/** Seconds after which KEDA looks whether a pool at zero has to wake: its default pollingInterval. */
const activationSeconds = 30;

interface HpaOptions {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Seconds for which the HPA takes the greatest of its wishes before it shrinks: stabilizationWindowSeconds of scaleDown. */
  readonly stabilizationSeconds: number;
  /** Seconds without work before KEDA goes to zero: cooldownPeriod. */
  readonly cooldownSeconds: number;
}

/** What is between a wish and the replicas: KEDA from zero and to zero, the HPA's tolerance, window and limit of growth. */
function throughHpa(wish: (view: FleetView) => number, options: HpaOptions): Autoscaler {
  const { minReplicas, maxReplicas, stabilizationSeconds, cooldownSeconds } = options;
  const grown = new Wishes(stabilizationSeconds);
  let lastWork = 0;
  return (view) => {
    const { atSeconds, replicas } = view;
    const wished = Math.min(maxReplicas, Math.max(minReplicas, wish(view)));
    if (wished > 0) lastWork = atSeconds;
    if (replicas === 0) return wished > 0 && looksAtActivation(atSeconds) ? 1 : 0;
    if (wished > 0) return grown.follow(atSeconds, replicas, wished);
    return atSeconds - lastWork >= cooldownSeconds ? minReplicas : Math.max(1, minReplicas);
  };
}

const looksAtActivation = (at: number): boolean =>
  Math.round(at / lookSeconds) % (activationSeconds / lookSeconds) === 0;

/** The HPA above zero, with its memory of what it wished. */
class Wishes {
  readonly #stabilizationSeconds: number;
  readonly #wishes: { readonly at: number; readonly replicas: number }[] = [];

  constructor(stabilizationSeconds: number) {
    this.#stabilizationSeconds = stabilizationSeconds;
  }

  follow(at: number, replicas: number, wished: number): number {
    const wish = Math.abs(wished / replicas - 1) <= tolerance ? replicas : wished;
    this.#wishes.push({ at, replicas: wish });
    while ((this.#wishes[0]?.at ?? at) < at - this.#stabilizationSeconds) this.#wishes.shift();
    // In 15 s it grows by four or doubles.
    if (wish >= replicas) return Math.min(wish, Math.max(replicas + 4, 2 * replicas));
    return Math.min(replicas, Math.max(...this.#wishes.map((one) => one.replicas)));
  }
}

/** Ours: the policy that the API answers KEDA with. It holds what it wishes by itself, so the HPA has no window. */
export function onDrainTime(settings: ScalingSettings): Autoscaler {
  let memory = noMemory;
  const { minReplicas, maxReplicas } = settings;
  const hpa = { minReplicas, maxReplicas, stabilizationSeconds: 0, cooldownSeconds: 0 };
  return throughHpa((view) => {
    const decision = decideReplicas(view, settings, memory);
    memory = decision.memory;
    return decision.desiredReplicas;
  }, hpa);
}

/** KEDA's redis trigger on the list of waiting jobs: so many of them a replica. */
export const onListLength = (jobsPerReplica: number, hpa: HpaOptions): Autoscaler =>
  throughHpa(({ lanes }) => {
    const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    return Math.ceil(waiting / jobsPerReplica);
  }, hpa);

/**
 * An HPA on the CPU: a worker that infers is at 100 %, one that waits near 0. It never goes to zero. Pods that are not ready count as
 * idle when it would grow, and when that makes it shrink it stays (Kubernetes, "Horizontal Pod Autoscaling", algorithm details).
 */
export const onCpu = (targetShare: number, hpa: HpaOptions): Autoscaler =>
  throughHpa(
    ({ replicas, readyReplicas, utilisation }) => {
      const wished = Math.ceil((readyReplicas * utilisation) / targetShare);
      return wished > readyReplicas ? Math.max(wished, replicas) : wished;
    },
    { ...hpa, minReplicas: Math.max(1, hpa.minReplicas) },
  );

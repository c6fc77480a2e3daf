import { type Lane, lanes } from '@captionfleet/protocol/queue-names';
import type { LaneBacklog } from '../scaling-policy.ts';
import type { Arrival } from './arrival-traces.ts';
import { EventQueue } from './event-queue.ts';
import { Random } from './random.ts';

/** The machines of a fleet, each with one replica. */
export interface Machine {
  /** Images that a replica works on at a time. */
  readonly slots: number;
  /** Seconds of one of them, and the standard deviation of their logarithm. */
  readonly serviceSeconds: number;
  readonly serviceSpread: number;
  /** Seconds for the cloud to bring a machine, with the image of the container; its spread. */
  readonly provisionSeconds: number;
  readonly provisionSpread: number;
  /** Seconds from the container's start to ready. */
  readonly startSeconds: number;
  /** Seconds for which a machine without a replica is kept, and billed, by the cluster autoscaler. */
  readonly idleSeconds: number;
  readonly usdPerHour: number;
}

/** What an autoscaler sees at one of its looks. */
export interface FleetView {
  readonly atSeconds: number;
  readonly lanes: readonly LaneBacklog[];
  readonly readyReplicas: number;
  /** Replicas that were wished for, ready or not. */
  readonly replicas: number;
  /** Images a second of a busy replica; undefined before one has ended. */
  readonly imagesPerSecondPerReplica: number | undefined;
  /** Share of their slots' time that the ready replicas worked since the look before. */
  readonly utilisation: number;
}

/** Called every `lookSeconds`; gives the replicas that there shall be. */
export type Autoscaler = (view: FleetView) => number;

export interface Simulation {
  readonly arrivals: readonly Arrival[];
  readonly seconds: number;
  readonly machine: Machine;
  readonly autoscaler: Autoscaler;
  /** Replicas that are ready at the beginning. */
  readonly replicas: number;
  readonly seed: number;
}

export interface SimulationResult {
  /** Seconds from the arrival of each image to its end, by lane, in the order of their ends. */
  readonly seconds: Readonly<Record<Lane, readonly number[]>>;
  readonly usd: number;
  readonly machineHours: number;
  /** How often growing turned to shrinking, or back. */
  readonly turns: number;
  readonly looks: readonly {
    readonly at: number;
    readonly waiting: number;
    readonly ready: number;
    readonly wished: number;
  }[];
}

/** An HPA looks every 15 s. */
export const lookSeconds = 15;
/** Seconds over which arrivals are averaged, as the API does. */
const arrivalWindow = 60;
/** Work that is left when the arrivals end is done after all, for this long at most. */
const longestTail = 12 * 3_600;

interface Replica {
  readonly machine: { readonly since: number };
  state: 'starting' | 'ready' | 'leaving';
  busy: number;
}

type Event =
  | { readonly type: 'ended'; readonly replica: Replica; readonly arrival: Arrival; readonly startedAt: number }
  | { readonly type: 'ready'; readonly replica: Replica }
  | { readonly type: 'look' };

/**
 * Discrete events: an image arrives, waits in its lane (interactive ones first), takes a slot of a ready replica for a random
 * time, and ends. A replica comes after the cloud has brought a machine and the model is loaded, or at once onto a machine that
 * is idle; it leaves when its images have ended. A machine is billed from the wish for it until it has been idle for a while.
 */
export function simulateFleet({
  arrivals,
  seconds,
  machine,
  autoscaler,
  replicas,
  seed,
}: Simulation): SimulationResult {
  const random = new Random(seed);
  const events = new EventQueue<Event>();
  const waiting: Record<Lane, Fifo> = { interactive: new Fifo(), bulk: new Fifo() };
  const active: Record<Lane, number> = { interactive: 0, bulk: 0 };
  const ended: Record<Lane, number[]> = { interactive: [], bulk: [] };
  const all = new Set<Replica>();
  /** Machines without a replica, and until when each is kept. */
  let idle: { since: number; until: number }[] = [];
  let billedSeconds = 0;
  let busySeconds = 0;
  let slotSeconds = 0;
  let lastLook = 0;
  let next = 0;
  let serviceSum = 0;
  let serviceCount = 0;
  let direction = 0;
  let turns = 0;
  const looks: SimulationResult['looks'][number][] = [];

  const inState = (state: Replica['state']): Replica[] => [...all].filter((replica) => replica.state === state);
  const work = (): number => lanes.reduce((sum, lane) => sum + waiting[lane].length + active[lane], 0);

  const start = (at: number): void => {
    idle = idle.filter((one) => {
      if (one.until >= at) return true;
      billedSeconds += one.until - one.since;
      return false;
    });
    const kept = idle.pop();
    const replica: Replica = { machine: { since: kept?.since ?? at }, state: 'starting', busy: 0 };
    all.add(replica);
    const provision = kept === undefined ? random.logNormal(machine.provisionSeconds, machine.provisionSpread) : 0;
    events.add(at + provision + machine.startSeconds, { type: 'ready', replica });
  };
  const remove = (replica: Replica, at: number): void => {
    all.delete(replica);
    idle.push({ since: replica.machine.since, until: at + machine.idleSeconds });
  };
  const dispatch = (at: number): void => {
    for (const replica of all) {
      while (replica.state === 'ready' && replica.busy < machine.slots) {
        const lane = lanes.find((one) => waiting[one].length > 0);
        const arrival = lane === undefined ? undefined : waiting[lane].shift();
        if (lane === undefined || arrival === undefined) return;
        replica.busy += 1;
        active[lane] += 1;
        const service = random.logNormal(machine.serviceSeconds, machine.serviceSpread);
        events.add(at + service, { type: 'ended', replica, arrival, startedAt: at });
      }
    }
  };
  const scaleTo = (wished: number, at: number): void => {
    const staying = [...inState('ready'), ...inState('starting')];
    for (let count = staying.length; count < wished; count += 1) start(at);
    // Those that are still starting go first, then the ones with the least work.
    const leaving = [...inState('starting').reverse(), ...inState('ready').sort((one, other) => one.busy - other.busy)];
    for (const replica of leaving.slice(0, Math.max(0, staying.length - wished))) {
      replica.state = 'leaving';
      if (replica.busy === 0) remove(replica, at);
    }
  };
  const account = (at: number): void => {
    slotSeconds += inState('ready').length * machine.slots * (at - lastLook);
  };
  const look = (at: number): void => {
    account(at);
    const view = viewAt(at);
    const before = view.replicas;
    const wished = Math.max(0, Math.round(autoscaler(view)));
    const change = Math.sign(wished - before);
    if (change !== 0 && direction !== 0 && change !== direction) turns += 1;
    if (change !== 0) direction = change;
    scaleTo(wished, at);
    looks.push({ at, waiting: waiting.interactive.length + waiting.bulk.length, ready: view.readyReplicas, wished });
    lastLook = at;
    busySeconds = 0;
    slotSeconds = 0;
    dispatch(at);
    if (at + lookSeconds < seconds || (work() > 0 && at < seconds + longestTail)) {
      events.add(at + lookSeconds, { type: 'look' });
    }
  };
  const viewAt = (at: number): FleetView => ({
    atSeconds: at,
    lanes: lanes.map(
      (lane): LaneBacklog => ({
        lane,
        waiting: waiting[lane].length,
        active: active[lane],
        overdue: 0,
        oldestSeconds: waiting[lane].length === 0 ? 0 : at - (waiting[lane].first?.at ?? at),
        paused: false,
        arrivalsPerSecond: recentArrivals(arrivals, next, at, lane) / arrivalWindow,
      }),
    ),
    readyReplicas: inState('ready').length,
    replicas: inState('ready').length + inState('starting').length,
    imagesPerSecondPerReplica: serviceCount === 0 ? undefined : (machine.slots * serviceCount) / serviceSum,
    utilisation: slotSeconds === 0 ? 0 : Math.min(1, busySeconds / slotSeconds),
  });
  const end = ({ replica, arrival, startedAt }: Extract<Event, { type: 'ended' }>, at: number): void => {
    replica.busy -= 1;
    active[arrival.lane] -= 1;
    serviceSum += at - startedAt;
    serviceCount += 1;
    busySeconds += Math.min(at - startedAt, at - lastLook);
    ended[arrival.lane].push(at - arrival.at);
    if (replica.state === 'leaving' && replica.busy === 0) remove(replica, at);
    dispatch(at);
  };

  for (let count = 0; count < replicas; count += 1) all.add({ machine: { since: 0 }, state: 'ready', busy: 0 });
  events.add(0, { type: 'look' });
  let now = 0;
  for (;;) {
    const arrival = arrivals[next];
    if (arrival !== undefined && arrival.at <= events.nextAt) {
      next += 1;
      now = arrival.at;
      waiting[arrival.lane].push(arrival);
      dispatch(now);
      continue;
    }
    const at = events.nextAt;
    const event = events.take();
    if (event === undefined) break;
    now = at;
    if (event.type === 'look') look(at);
    else if (event.type === 'ended') end(event, at);
    else if (event.replica.state === 'starting') {
      event.replica.state = 'ready';
      dispatch(at);
    }
  }
  const over = Math.max(now, seconds);
  for (const { machine: own } of all) billedSeconds += over - own.since;
  for (const { since, until } of idle) billedSeconds += Math.min(until, over) - since;
  const machineHours = billedSeconds / 3_600;
  return { seconds: ended, usd: machineHours * machine.usdPerHour, machineHours, turns, looks };
}

function recentArrivals(arrivals: readonly Arrival[], next: number, at: number, lane: Lane): number {
  let count = 0;
  for (let index = next - 1; index >= 0; index -= 1) {
    const arrival = arrivals[index];
    if (arrival === undefined || arrival.at < at - arrivalWindow) break;
    if (arrival.lane === lane) count += 1;
  }
  return count;
}

/** First in, first out, without moving what is behind the first. */
class Fifo {
  #entries: Arrival[] = [];
  #start = 0;

  get length(): number {
    return this.#entries.length - this.#start;
  }

  get first(): Arrival | undefined {
    return this.#entries[this.#start];
  }

  push(arrival: Arrival): void {
    this.#entries.push(arrival);
  }

  shift(): Arrival | undefined {
    const first = this.first;
    if (first === undefined) return undefined;
    this.#start += 1;
    if (this.#start > 1_024 && this.#start * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
    return first;
  }
}

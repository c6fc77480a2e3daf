import type { Lane } from '@captionfleet/protocol/queue-names';
import { Random } from './random.ts';

/** Images as they arrive at a fleet. */
export interface Arrival {
  /** Seconds from the beginning. */
  readonly at: number;
  readonly lane: Lane;
}

export interface ArrivalTrace {
  readonly name: string;
  readonly about: string;
  readonly seconds: number;
  /** Replicas that an operator would keep: two where somebody waits for single images, so that one may fail, none where only bulk comes. */
  readonly minReplicas: 0 | 2;
  /** In the order of time; the same for the same seed. */
  arrivals(seed: number): Arrival[];
}

const hour = 3_600;

/** Arrivals of a rate that changes, by thinning (Lewis and Shedler, 1979). `rate` gives images a second, `greatest` at most. */
function poisson(
  seconds: number,
  greatest: number,
  rate: (at: number) => number,
  random: Random,
  lane: Lane,
): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let at = random.exponential(1 / greatest); at < seconds; at += random.exponential(1 / greatest)) {
    if (random.next() * greatest < rate(at)) arrivals.push({ at, lane });
  }
  return arrivals;
}

const inOrder = (...parts: readonly Arrival[][]): Arrival[] => parts.flat().sort((one, other) => one.at - other.at);
const drop = (at: number, images: number): Arrival[] =>
  Array.from({ length: images }, () => ({ at, lane: 'bulk' as const }));

/** The shapes of load that fleets like this one see; each is made anew for a seed. */
export const arrivalTraces: readonly ArrivalTrace[] = [
  {
    name: 'diurnal',
    about: 'a day of interactive images, 0.3 a second at night and 9 at noon',
    seconds: 24 * hour,
    minReplicas: 2,
    arrivals: (seed) =>
      poisson(
        24 * hour,
        9,
        (at) => 0.3 + 8.7 * Math.sin((Math.PI * at) / (24 * hour)) ** 4,
        new Random(seed),
        'interactive',
      ),
  },
  {
    name: 'burst',
    about: 'one image a second, and every 40 minutes five minutes of 10',
    seconds: 6 * hour,
    minReplicas: 2,
    arrivals: (seed) =>
      poisson(
        6 * hour,
        10,
        (at) => (at % 2_400 > 1_200 && at % 2_400 < 1_500 ? 10 : 1),
        new Random(seed),
        'interactive',
      ),
  },
  {
    name: 'flash crowd',
    about: 'one image a second, 12 within two minutes, and an hour until it is forgotten',
    seconds: 4 * hour,
    minReplicas: 2,
    arrivals: (seed) => poisson(4 * hour, 12, flashCrowd, new Random(seed), 'interactive'),
  },
  {
    name: 'batch drop',
    about: 'nothing, then 20,000 bulk images at once, and 5,000 four hours later',
    seconds: 8 * hour,
    minReplicas: 0,
    arrivals: () => inOrder(drop(hour / 2, 20_000), drop(4.5 * hour, 5_000)),
  },
  {
    name: 'office hours',
    about: 'bulk images by day, 3 a second, and none at night',
    seconds: 24 * hour,
    minReplicas: 0,
    arrivals: (seed) =>
      poisson(24 * hour, 3, (at) => (at > 8 * hour && at < 18 * hour ? 3 : 0), new Random(seed), 'bulk'),
  },
  {
    name: 'mixed',
    about: 'interactive images, 1 to 4 a second, over batches of 6,000 every two hours',
    seconds: 8 * hour,
    minReplicas: 2,
    arrivals: (seed) =>
      inOrder(
        poisson(8 * hour, 4, (at) => 2.5 + 1.5 * Math.sin(at / 1_800), new Random(seed), 'interactive'),
        ...[1, 3, 5, 7].map((at) => drop(at * hour, 6_000)),
      ),
  },
];

function flashCrowd(at: number): number {
  const since = at - hour;
  if (since < 0) return 1;
  return since < 120 ? 1 + (11 * since) / 120 : 1 + 11 * Math.exp(-(since - 120) / 1_200);
}

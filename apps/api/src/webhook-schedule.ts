const [second, minute, hour] = [1_000, 60_000, 3_600_000];

/** Milliseconds before each attempt, after the one before. */
const waits = [
  0,
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const;
/** Share of a wait that is added at random, so that what failed together does not come back together. */
const jitter = 0.1;

/** Milliseconds from an attempt that failed, the `made`-th of its round, to the next; undefined after the last. */
export function waitAfter(made: number, random = Math.random()): number | undefined {
  const wait = waits[made];
  return wait === undefined ? undefined : Math.round(wait * (1 + jitter * random));
}

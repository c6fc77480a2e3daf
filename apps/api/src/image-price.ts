import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';

/**
 * USD for a thousand images by machine size, `unknown` where only the price is known: what the workers of a size cost by what they
 * measured. Workers without a price or without a measurement do not count.
 */
export function pricePer1000(workers: readonly WorkerPresence[]): ReadonlyMap<string, number> {
  const priced = workers.flatMap(({ size = 'unknown', usdPerHour, imagesPerSecond }) =>
    usdPerHour === undefined || !imagesPerSecond ? [] : [{ size, usdPerHour, imagesPerSecond }],
  );
  const bySize = Map.groupBy(priced, ({ size }) => size);
  return new Map(
    [...bySize].map(([size, group]) => {
      const usdPerSecond = group.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0) / 3_600;
      const imagesPerSecond = group.reduce((sum, worker) => sum + worker.imagesPerSecond, 0);
      return [size, (usdPerSecond / imagesPerSecond) * 1_000];
    }),
  );
}

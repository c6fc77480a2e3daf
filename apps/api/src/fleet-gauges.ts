import { lanes } from '@captionfleet/protocol/queue-names';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';
import { pricePer1000 } from './image-price.ts';
import { drainSeconds, type FleetLook, measuredRate, type PoolLook } from './pool-look.ts';

/** Sets the gauges of queues, pools and Redis to what was seen; without a look they are absent, not stale. */
export function setFleetGauges(metrics: ApiMetrics, look: FleetLook | undefined): void {
  const { queueJobs, oldestJobSeconds, overdueJobs, queuePaused } = metrics;
  const { drainSeconds: drain, workers, poolImagesPerSecond, redisMemoryBytes, usdPer1000Images } = metrics;
  for (const gauge of [queueJobs, oldestJobSeconds, overdueJobs, queuePaused]) gauge.reset();
  for (const gauge of [drain, workers, poolImagesPerSecond, redisMemoryBytes, usdPer1000Images]) gauge.reset();
  if (look === undefined) return;
  for (const pool of look.pools) setPool(metrics, pool);
  for (const [kind, bytes] of Object.entries(look.memory)) redisMemoryBytes.set({ kind }, bytes);
}

function setPool(metrics: ApiMetrics, look: PoolLook): void {
  const { pool } = look;
  for (const lane of lanes) {
    const seconds = drainSeconds(look, lane);
    if (seconds !== undefined) metrics.drainSeconds.set({ lane, pool }, seconds);
  }
  for (const { name: queue, oldestSeconds, overdue, paused, ...counts } of look.queues) {
    for (const state of ['waiting', 'active', 'delayed', 'failed'] as const) {
      metrics.queueJobs.set({ queue, state }, counts[state]);
    }
    metrics.oldestJobSeconds.set({ queue }, oldestSeconds);
    metrics.overdueJobs.set({ queue }, overdue);
    metrics.queuePaused.set({ queue }, paused ? 1 : 0);
  }
  metrics.workers.set({ pool, state: 'ready' }, look.workers.length);
  metrics.poolImagesPerSecond.set({ pool }, measuredRate(look.workers) ?? 0);
  for (const [size, usd] of pricePer1000(look.workers)) metrics.usdPer1000Images.set({ pool, size }, usd);
}

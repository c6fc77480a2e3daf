import { type Lane, lanes, type Pool } from '@captionfleet/protocol/queue-names';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { QueueObservation } from '@captionfleet/queue/queue-observation';
import type { WorkerRegister } from '@captionfleet/queue/worker-register';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';

/** Where what operators watch is read. */
export interface ObservedFleet {
  readonly pool: Pool;
  readonly queues: readonly {
    readonly name: string;
    readonly lane: Lane;
    readonly producer: Pick<JobProducer, 'observe'>;
  }[];
  readonly workers: Pick<WorkerRegister, 'list'>;
}

const pools = ['cpu', 'gpu'] as const;

/** Sets the gauges of queues, workers and Redis as they are now. While Redis is away they are absent, not stale. */
export async function observeFleet({ pool, queues, workers }: ObservedFleet, metrics: ApiMetrics): Promise<void> {
  const looks = queues.map(async ({ name, lane, producer }) => ({ name, lane, seen: await producer.observe() }));
  const [observed, ready] = await Promise.all([
    Promise.allSettled(looks).then((settled) =>
      settled.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : [])),
    ),
    workers.list().catch(() => undefined),
  ]);
  setQueues(observed, metrics);
  setWorkers(ready, metrics);
  metrics.drainSeconds.reset();
  if (ready === undefined || observed.length < queues.length) return;
  for (const lane of lanes) {
    const seconds = drainSeconds(
      lane,
      observed,
      ready.filter((worker) => worker.pool === pool),
    );
    if (seconds !== undefined) metrics.drainSeconds.set({ lane, pool }, seconds);
  }
}

interface ObservedQueue {
  readonly name: string;
  readonly lane: Lane;
  readonly seen: QueueObservation;
}

function setQueues(
  queues: readonly ObservedQueue[],
  { queueJobs, oldestJobSeconds, queuePaused, redisMemoryBytes }: ApiMetrics,
): void {
  for (const gauge of [queueJobs, oldestJobSeconds, queuePaused, redisMemoryBytes]) gauge.reset();
  for (const { name: queue, seen } of queues) {
    for (const [state, jobs] of Object.entries(seen.counts)) queueJobs.set({ queue, state }, jobs);
    oldestJobSeconds.set({ queue }, seen.oldestSeconds);
    queuePaused.set({ queue }, seen.isPaused ? 1 : 0);
    for (const [kind, bytes] of Object.entries(seen.memory)) redisMemoryBytes.set({ kind }, bytes);
  }
}

function setWorkers(ready: readonly WorkerPresence[] | undefined, { workers, poolImagesPerSecond }: ApiMetrics): void {
  workers.reset();
  poolImagesPerSecond.reset();
  if (ready === undefined) return;
  for (const pool of pools) {
    const own = ready.filter((worker) => worker.pool === pool);
    workers.set({ pool, state: 'ready' }, own.length);
    poolImagesPerSecond.set({ pool }, rateOf(own));
  }
}

const rateOf = (workers: readonly WorkerPresence[]): number =>
  workers.reduce((sum, { imagesPerSecond = 0 }) => sum + imagesPerSecond, 0);

/** Interactive images go first, so bulk ones wait for them too. Undefined when there are workers and no measurement. */
function drainSeconds(
  lane: Lane,
  queues: readonly ObservedQueue[],
  workers: readonly WorkerPresence[],
): number | undefined {
  const before = lanes.slice(0, lanes.indexOf(lane) + 1);
  const jobs = queues
    .filter((queue) => before.includes(queue.lane))
    .reduce((sum, { seen: { counts } }) => sum + counts.waiting + counts.active + counts.delayed, 0);
  if (jobs === 0) return 0;
  const serving = workers.filter((worker) => worker.lanes.includes(lane));
  if (serving.length === 0) return Number.POSITIVE_INFINITY;
  const rate = rateOf(serving);
  return rate > 0 ? jobs / rate : undefined;
}

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { currentSpan } from './current-span.ts';

export interface MetricDescription {
  /** The app that exports it. */
  readonly app: 'api' | 'worker';
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Values of a counter's only label that are there from the start, at 0: else its first increase is none to Prometheus. */
  readonly fromZero?: readonly string[];
  /** Upper bounds of a histogram's buckets, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** Upper bounds in seconds, from a Redis round trip to a job that had to wait behind a full queue. */
const secondBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;
const countBuckets = [1, 2, 4, 8, 16, 24, 32, 48, 64, 128] as const;

/** Every metric that the fleet itself exports. docs/reference/metrics.md is written from this table. */
export const metricTable = {
  captionfleet_jobs_total: {
    app: 'worker',
    type: 'counter',
    help: 'Attempts at jobs by what they asked and how they ended: succeeded, failed, retried, or aborted and canceled when nobody wanted them any more; `code` is the error code, empty for a success.',
    labels: ['task', 'outcome', 'code'],
  },
  captionfleet_queue_wait_seconds: {
    app: 'worker',
    type: 'histogram',
    help: 'From enqueueing a job to the start of an attempt at it.',
    labels: [],
    buckets: secondBuckets,
  },
  captionfleet_image_seconds: {
    app: 'worker',
    type: 'histogram',
    help: 'From enqueueing an image to its outcome in Blob storage, by lane: what its caller waits for. Images that nobody wanted any more are not in it.',
    labels: ['lane'],
    buckets: secondBuckets,
  },
  captionfleet_stage_seconds: {
    app: 'worker',
    type: 'histogram',
    help: 'Time of one image in a stage of its way: fetch, preprocess, batch, inference, sink.',
    labels: ['stage'],
    buckets: secondBuckets,
  },
  captionfleet_batch_images: {
    app: 'worker',
    type: 'histogram',
    help: 'Images in a batch that ran.',
    labels: [],
    buckets: countBuckets,
  },
  captionfleet_caption_tokens: {
    app: 'worker',
    type: 'histogram',
    help: 'Tokens generated for a caption, without the prompt.',
    labels: [],
    buckets: countBuckets,
  },
  captionfleet_images_in_flight: {
    app: 'worker',
    type: 'gauge',
    help: 'Images that this worker has taken from the queue and not settled yet.',
    labels: [],
  },
  captionfleet_inference_processes: {
    app: 'worker',
    type: 'gauge',
    help: 'Inference processes of this worker by state.',
    labels: ['state'],
  },
  captionfleet_inference_process_restarts_total: {
    app: 'worker',
    type: 'counter',
    help: 'Inference processes that were started again, by what ended the one before.',
    labels: ['reason'],
    fromZero: ['died', 'timeout'],
  },
  captionfleet_queue_jobs: {
    app: 'api',
    type: 'gauge',
    help: 'Jobs in a queue by state: waiting, active, delayed, failed.',
    labels: ['queue', 'state'],
  },
  captionfleet_oldest_job_seconds: {
    app: 'api',
    type: 'gauge',
    help: 'Age of the oldest job of a queue among those next in line, in work and next to be retried; 0 when it is empty.',
    labels: ['queue'],
  },
  captionfleet_overdue_jobs: {
    app: 'api',
    type: 'gauge',
    help: 'Delayed jobs whose time has come; they stay so until a worker looks.',
    labels: ['queue'],
  },
  captionfleet_queue_paused: {
    app: 'api',
    type: 'gauge',
    help: '1 while a queue is paused, so that its jobs wait whoever is ready; else 0.',
    labels: ['queue'],
  },
  captionfleet_workers: {
    app: 'api',
    type: 'gauge',
    help: 'Workers in the register, which are those that are ready and said so in the last 15 seconds.',
    labels: ['pool', 'state'],
  },
  captionfleet_pool_images_per_second: {
    app: 'api',
    type: 'gauge',
    help: 'Sum of what the ready workers of a pool measured over their last minute of work.',
    labels: ['pool'],
  },
  captionfleet_drain_seconds: {
    app: 'api',
    type: 'gauge',
    help: 'Seconds in which the jobs of a lane are worked off at the measured rate, with those that go before them; +Inf when there are some that nobody works off, because no ready worker has their head or their queue is paused, absent while no worker has measured a rate.',
    labels: ['lane', 'pool'],
  },
  captionfleet_desired_replicas: {
    app: 'api',
    type: 'gauge',
    help: 'Workers that a pool should have, as GET /scaling/{pool} answers.',
    labels: ['pool'],
  },
  captionfleet_redis_memory_bytes: {
    app: 'api',
    type: 'gauge',
    help: 'Memory of Redis: used, and its limit, where 0 is none.',
    labels: ['kind'],
  },
  captionfleet_admission_refused_total: {
    app: 'api',
    type: 'counter',
    help: 'Requests that the API refused for the state of the fleet, not for their own: no room, no time, Redis or Blob storage away.',
    labels: ['code'],
    fromZero: ['QUEUE_FULL', 'DEADLINE_UNREACHABLE', 'QUEUE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'],
  },
  captionfleet_http_request_seconds: {
    app: 'api',
    type: 'histogram',
    help: 'From the arrival of an HTTP request to the end of its answer; `route` is the pattern, not the path.',
    labels: ['route', 'method', 'status'],
    buckets: secondBuckets,
  },
  captionfleet_webhook_attempts_total: {
    app: 'api',
    type: 'counter',
    help: 'Attempts to deliver a webhook by outcome: succeeded, failed.',
    labels: ['outcome'],
    fromZero: ['succeeded', 'failed'],
  },
  captionfleet_drift_checks_total: {
    app: 'worker',
    type: 'counter',
    help: 'Checks that the model answers as it did when it was built, by outcome: passed, failed, undecided.',
    labels: ['outcome'],
    fromZero: ['passed', 'failed', 'undecided'],
  },
  captionfleet_machine_usd_per_hour: {
    app: 'worker',
    type: 'gauge',
    help: 'Price of the machine of this worker in USD an hour; absent where nobody said it.',
    labels: ['size', 'priority'],
  },
  captionfleet_usd_per_1000_images: {
    app: 'api',
    type: 'gauge',
    help: 'USD for a thousand images on the workers of a pool and size: what these cost an hour by what they measured in their last minute of work; absent without a price or a measurement.',
    labels: ['pool', 'size'],
  },
  captionfleet_model_info: {
    app: 'worker',
    type: 'gauge',
    help: 'Always 1: the model that this worker captions with.',
    labels: ['id', 'revision', 'variant'],
  },
} as const satisfies Record<`captionfleet_${string}`, MetricDescription>;

type Table = typeof metricTable;
type NameOf<Type extends MetricDescription['type']> = {
  [Name in keyof Table]: Table[Name]['type'] extends Type ? Name : never;
}[keyof Table];
type LabelOf<Name extends keyof Table> = Table[Name]['labels'][number];

/** Makes the metrics of the table, on a registry that has Node's default ones too. One call a registry. */
function metricMakers(registry: Registry) {
  collectDefaultMetrics({ register: registry });
  const describe = <Name extends keyof Table>(name: Name) => {
    const { help, labels }: { help: string; labels: readonly LabelOf<Name>[] } = metricTable[name];
    return { name, help, labelNames: labels, registers: [registry] };
  };
  return {
    counter: <Name extends NameOf<'counter'>>(name: Name) => {
      const counter = new Counter(describe(name));
      const { labels, fromZero = [] }: MetricDescription = metricTable[name];
      for (const value of fromZero)
        counter.inc({ [labels[0] ?? '']: value } as Partial<Record<LabelOf<Name>, string>>, 0);
      return counter;
    },
    gauge: <Name extends NameOf<'gauge'>>(name: Name) => new Gauge(describe(name)),
    histogram<Name extends NameOf<'histogram'>>(name: Name) {
      const options = { ...describe(name), buckets: [...metricTable[name].buckets], enableExemplars: true };
      // prom-client refuses to put it on this registry, whose own format has no exemplars; openmetrics.ts writes them.
      const histogram = withExemplars(new Histogram({ ...options, registers: [] }));
      registry.registerMetric(histogram);
      return histogram;
    },
  };
}

/** Each observation in a sampled span leaves the ids of it behind, so that a bucket leads to a trace. */
function withExemplars<Label extends string>(histogram: Histogram<Label>): Histogram<Label> {
  // An instance's `observe` takes another form once it has exemplars, which its type says of no instance.
  const observe = histogram.observe.bind(histogram) as unknown as (observation: object) => void;
  return Object.assign(histogram, {
    observe(first: number | object, second?: number) {
      const { ids, isSampled } = currentSpan();
      const exemplarLabels = ids && isSampled ? { trace_id: ids.traceId, span_id: ids.spanId } : {};
      const [labels, value] = typeof first === 'number' ? [{}, first] : [first, second];
      observe({ labels, value, exemplarLabels });
    },
  });
}

export function createApiMetrics(registry: Registry = new Registry()) {
  const { counter, gauge, histogram } = metricMakers(registry);
  return {
    registry,
    webhookAttempts: counter('captionfleet_webhook_attempts_total'),
    queueJobs: gauge('captionfleet_queue_jobs'),
    oldestJobSeconds: gauge('captionfleet_oldest_job_seconds'),
    overdueJobs: gauge('captionfleet_overdue_jobs'),
    queuePaused: gauge('captionfleet_queue_paused'),
    workers: gauge('captionfleet_workers'),
    poolImagesPerSecond: gauge('captionfleet_pool_images_per_second'),
    usdPer1000Images: gauge('captionfleet_usd_per_1000_images'),
    drainSeconds: gauge('captionfleet_drain_seconds'),
    desiredReplicas: gauge('captionfleet_desired_replicas'),
    redisMemoryBytes: gauge('captionfleet_redis_memory_bytes'),
    admissionRefused: counter('captionfleet_admission_refused_total'),
    httpRequestSeconds: histogram('captionfleet_http_request_seconds'),
  };
}
export type ApiMetrics = ReturnType<typeof createApiMetrics>;

export function createWorkerMetrics(registry: Registry = new Registry()) {
  const { counter, gauge, histogram } = metricMakers(registry);
  return {
    registry,
    jobs: counter('captionfleet_jobs_total'),
    queueWaitSeconds: histogram('captionfleet_queue_wait_seconds'),
    imageSeconds: histogram('captionfleet_image_seconds'),
    stageSeconds: histogram('captionfleet_stage_seconds'),
    batchImages: histogram('captionfleet_batch_images'),
    captionTokens: histogram('captionfleet_caption_tokens'),
    imagesInFlight: gauge('captionfleet_images_in_flight'),
    inferenceProcesses: gauge('captionfleet_inference_processes'),
    inferenceProcessRestarts: counter('captionfleet_inference_process_restarts_total'),
    driftChecks: counter('captionfleet_drift_checks_total'),
    machineUsdPerHour: gauge('captionfleet_machine_usd_per_hour'),
    modelInfo: gauge('captionfleet_model_info'),
  };
}
export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

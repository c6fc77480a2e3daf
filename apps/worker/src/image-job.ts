import { CaptionfleetError, type ErrorCode, errorFromReport, reportError } from '@captionfleet/protocol/errors';
import { type ImageOutcome, roundTimings } from '@captionfleet/protocol/image-outcome';
import type { Lane } from '@captionfleet/protocol/queue-names';
import { type Delivery, HandBack, Postpone } from '@captionfleet/queue/consumer';
import type { Withdrawals } from '@captionfleet/queue/withdrawals';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { Logger } from '@captionfleet/telemetry/logger';
import type { WorkerMetrics } from '@captionfleet/telemetry/metrics';
import { noTracing } from '@captionfleet/telemetry/tracing';
import type { Batcher } from './batcher.ts';
import { type DeliveryTrace, DeliveryTraces } from './delivery-trace.ts';
import type { ImageTask } from './inference-pool.ts';
import { watchInterest } from './interest.ts';

export interface Stages {
  readonly batcher: Pick<Batcher<ImageTask, ImageOutcome>, 'submit'>;
  readonly requests: Pick<RequestStore, 'of'>;
  /** Of the queue that the delivery came from. */
  readonly lane: Lane;
  readonly withdrawals: Pick<Withdrawals, 'onWithdrawn'>;
  readonly metrics: WorkerMetrics;
  /** @defaultValue none */
  readonly traces?: DeliveryTraces | undefined;
  /** Name of the queue, for the traces. */
  readonly queue?: string;
  /** USD for a second of one inference process. @defaultValue unknown */
  readonly usdPerSecond?: number | undefined;
  readonly logger: Logger;
}

interface TracedStages extends Stages {
  readonly trace: DeliveryTrace;
}

const untraced = new DeliveryTraces(noTracing);

/**
 * One image's way through the worker: from a delivery of its job to its outcome in Blob storage. Returning ends the job.
 * A failure that may pass is thrown, so that the queue tries again, except on the last attempt: then it is written with
 * its own code, as a failure that will not pass is at once, because the caller must learn what became of the image.
 *
 * An image that nobody wants any more costs no inference: it leaves its batch, and its outcome says why.
 *
 * @throws HandBack when the worker is stopping, Postpone while Blob storage is away, an error with a retryable code, or the
 * signal's reason
 */
export async function imageJob(delivery: Delivery, stages: Stages, signal: AbortSignal): Promise<void> {
  const trace = (stages.traces ?? untraced).open(delivery, stages.queue ?? '');
  await trace.run(() => work(delivery, stages, trace, signal));
}

async function work(delivery: Delivery, stages: Stages, trace: DeliveryTrace, signal: AbortSignal): Promise<void> {
  const { metrics, withdrawals } = stages;
  const { tenant, requestId, index, enqueuedAt } = delivery.job;
  const requests = stages.requests.of(tenant);
  const queueMs = Math.max(0, Date.now() - enqueuedAt);
  metrics.queueWaitSeconds.observe(queueMs / 1000);
  metrics.imagesInFlight.inc();
  try {
    // An earlier worker may have been cut off between its outcome and the end of its job.
    const isFirst = delivery.attempt === 1 && !delivery.suspect;
    if (!isFirst && (await requests.readOutcome(requestId, index, { signal })) !== undefined) {
      trace.outcome('done-before');
      return;
    }

    using interest = watchInterest(delivery.job, withdrawals);
    const outcome = await inferWhileWanted(
      delivery,
      queueMs,
      { ...stages, trace },
      { signal, unwanted: interest.signal },
    );
    const written = performance.now();
    await trace.stage('write', () => requests.writeOutcome(requestId, index, outcome, { signal }));
    trace.outcome(outcome.status, outcome.status === 'succeeded' ? undefined : outcome.error.code);
    observe(metrics, outcome, delivery.job, performance.now() - written);
    if (outcome.status === 'succeeded' || outcome.status === 'failed') {
      metrics.imageSeconds.observe({ lane: stages.lane }, Math.max(0, Date.now() - enqueuedAt) / 1000);
    }
    observeTokens(metrics, outcome, delivery.job);
    if (outcome.status !== 'succeeded') {
      stages.logger.info(
        { requestId, index, jobId: delivery.jobId, code: outcome.error.code },
        `image ${outcome.status}: ${outcome.error.message}`,
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = reportError(error);
    if (code === 'SHUTTING_DOWN') throw new HandBack();
    count(metrics, delivery.job, 'retried', code);
    stages.logger.warn(
      { requestId, index, jobId: delivery.jobId, attempt: delivery.attempt, code, err: error },
      `attempt failed: ${message}`,
    );
    if (code === 'STORAGE_UNAVAILABLE') throw new Postpone();
    throw error;
  } finally {
    metrics.imagesInFlight.dec();
  }
}

async function inferWhileWanted(
  delivery: Delivery,
  queueMs: number,
  stages: TracedStages,
  { signal, unwanted }: { readonly signal: AbortSignal; readonly unwanted: AbortSignal },
): Promise<ImageOutcome> {
  if (unwanted.aborted) return { status: 'aborted', error: reportError(unwanted.reason) };
  try {
    return await infer(delivery, queueMs, stages, AbortSignal.any([signal, unwanted]));
  } catch (error) {
    if (signal.aborted || error !== unwanted.reason) throw error;
    return { status: 'canceled', error: reportError(error) };
  }
}

async function infer(
  { job, lastAttempt, suspect }: Delivery,
  queueMs: number,
  { batcher, lane, trace, usdPerSecond }: TracedStages,
  signal: AbortSignal,
): Promise<ImageOutcome> {
  const { source, task } = job;
  const started = performance.now();
  const result = await batcher.submit({ source, task, onTimed: trace.onTimed }, { lane, alone: suspect, signal });
  if (result.status !== 'succeeded') {
    // Without Blob storage no outcome could be written either.
    const isOurs = result.error.code === 'STORAGE_UNAVAILABLE';
    if (isOurs || (result.error.retryable && !lastAttempt)) throw errorFromReport(result.error);
    return result;
  }
  const { fetchMs, preprocessMs, inferenceMs } = result.timings;
  // All the rest, so that the stages add up to the time from enqueueing to the result.
  const batchMs = Math.max(0, performance.now() - started - fetchMs - preprocessMs - inferenceMs);
  return {
    ...result,
    timings: roundTimings({ queueMs, batchMs, fetchMs, preprocessMs, inferenceMs }),
    ...(usdPerSecond === undefined ? {} : { costUsd: roundUsd((usdPerSecond * (preprocessMs + inferenceMs)) / 1_000) }),
  };
}

/** To three figures: an image costs some millionths of a dollar. */
const roundUsd = (usd: number): number => Number(usd.toPrecision(3));

function observe(metrics: WorkerMetrics, outcome: ImageOutcome, job: Delivery['job'], sinkMs: number): void {
  if (outcome.status !== 'succeeded') {
    count(metrics, job, outcome.status, outcome.error.code);
    return;
  }
  count(metrics, job, 'succeeded', '');
  const { fetchMs, preprocessMs, batchMs = 0, inferenceMs } = outcome.timings;
  const stages = { fetch: fetchMs, preprocess: preprocessMs, batch: batchMs, inference: inferenceMs, sink: sinkMs };
  for (const [stage, milliseconds] of Object.entries(stages)) {
    metrics.stageSeconds.observe({ stage }, milliseconds / 1000);
  }
}

/** A prompt's tokens cannot be told from the generated ones here, so only captions without one are counted. */
function observeTokens({ captionTokens }: WorkerMetrics, outcome: ImageOutcome, { task }: Delivery['job']): void {
  if (!('captions' in outcome) || task.type !== 'caption' || task.options.prompt !== undefined) return;
  for (const { tokens } of outcome.captions) captionTokens.observe(tokens.length - 1);
}

function count(
  metrics: WorkerMetrics,
  { task }: Delivery['job'],
  outcome: ImageOutcome['status'] | 'retried',
  code: ErrorCode | '',
): void {
  metrics.jobs.inc({ task: task.type, outcome, code });
}

/** The caller learns of a job that the queue gave up, as one whose every worker was cut off. */
export async function writeAbandoned(
  job: Delivery['job'],
  { requests, metrics }: Pick<Stages, 'requests' | 'metrics'>,
): Promise<void> {
  const reason = 'every worker that took this image was interrupted';
  const error = reportError(new CaptionfleetError('ATTEMPTS_EXHAUSTED', reason));
  const outcome = await requests.of(job.tenant).writeOutcome(job.requestId, job.index, { status: 'failed', error });
  if (outcome.status === 'failed') count(metrics, job, 'failed', outcome.error.code);
}

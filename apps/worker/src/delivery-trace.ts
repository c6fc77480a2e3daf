import { type Delivery, HandBack, Postpone } from '@captionfleet/queue/consumer';
import { type Span, within } from '@captionfleet/telemetry/current-span';
import { codeOf, type Tracing } from '@captionfleet/telemetry/tracing';
import type { ImageTimes } from './inference-messages.ts';

type StageName = 'wait' | 'fetch' | 'preprocess' | 'batch' | 'inference' | 'write';
interface Stage {
  readonly name: StageName;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly code?: string;
  readonly images?: number;
  readonly run?: Span | undefined;
}

/** The spans of one delivery. They are made when it ends, at once, so that a worker that is killed leaves no half of them behind. */
export interface DeliveryTrace {
  /** For the inference; undefined when nothing is traced. */
  readonly onTimed: ((times: ImageTimes) => void) | undefined;
  /** Does the delivery's work within its span, and ends it. */
  run(work: () => Promise<void>): Promise<void>;
  /** What became of the image, with the code of its error. */
  outcome(status: string, code?: string): void;
  /** Does the work as a stage. */
  stage<Result>(name: StageName, work: () => Promise<Result>): Promise<Result>;
}

const untraced: DeliveryTrace = {
  onTimed: undefined,
  run: (work) => work(),
  outcome: () => undefined,
  stage: (_, work) => work(),
};

/** Runs that are remembered: of all inference processes, those that some image is yet to be heard of. */
const maxRuns = 256;

interface Run {
  span: Span | undefined;
  readonly endedAt: number;
  left: number;
}

/** Makes the spans of deliveries, and those of the runs that serve several of them. */
export class DeliveryTraces {
  readonly #tracing: Tracing;
  readonly #runs = new Map<string, Run>();

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  open(delivery: Delivery, queue: string): DeliveryTrace {
    if (!this.#tracing.isOn) return untraced;
    const traces = this;
    const startedAt = Date.now();
    const { job } = delivery;
    const span = this.#tracing.start('process', {
      of: queue,
      kind: 'consumer',
      parent: job.traceparent,
      startedAt,
      attributes: attributesOf(delivery, queue),
    });
    const stages: Stage[] = [];
    const time = (name: StageName, from: number, to: number, more: Partial<Stage> = {}): void =>
      void stages.push({ name, startedAt: from, endedAt: Math.max(from, to), ...more });
    if (delivery.number === 1) {
      const wait = this.#tracing.start('wait', {
        parent: job.traceparent ?? span,
        startedAt: Math.min(job.enqueuedAt, startedAt),
      });
      wait.end(startedAt);
    }
    let outcome: string | undefined;
    return {
      onTimed({ fetch, preprocess, run }) {
        time('fetch', ...fetch);
        if (preprocess !== undefined) time('preprocess', ...preprocess);
        if (preprocess === undefined || run === undefined) return;
        time('batch', preprocess[1], run.startedAt);
        const served = traces.#join(run, span);
        time('inference', run.startedAt, run.endedAt, { images: run.images, run: served });
      },
      outcome(status, code) {
        outcome = status;
        if (status === 'failed') span.fail(code);
        else span.set({ 'error.type': code });
      },
      async stage(name, work) {
        const from = Date.now();
        try {
          const result = await work();
          time(name, from, Date.now());
          return result;
        } catch (error) {
          time(name, from, Date.now(), { code: codeOf(error) });
          throw error;
        }
      },
      run: async (work) => {
        try {
          await within(span, work);
        } catch (error) {
          outcome = howItEnded(error);
          if (outcome === 'retried') span.fail(codeOf(error));
          throw error;
        } finally {
          const endedAt = Date.now();
          for (const stage of stages) this.#emit(stage, span);
          span.set({ 'captionfleet.outcome': outcome });
          span.end(endedAt);
        }
      },
    };
  }

  #emit({ name, startedAt, endedAt, code, images, run }: Stage, parent: Span): void {
    const attributes = { 'captionfleet.batch.images': images };
    const span = this.#tracing.start(name, { parent, startedAt, attributes, links: run === undefined ? [] : [run] });
    if (code !== undefined) span.fail(code);
    span.end(endedAt);
  }

  /** The span of a run, which ends when all of its images were heard of; undefined for an image that is not sampled. */
  #join({ id, images, startedAt, endedAt }: NonNullable<ImageTimes['run']>, image: Span): Span | undefined {
    const run: Run = this.#runs.get(id) ?? { span: undefined, endedAt, left: images };
    run.left -= 1;
    if (image.isSampled) {
      const attributes = { 'captionfleet.batch.images': images };
      run.span ??= this.#tracing.startApart('run', { startedAt, attributes });
      run.span.link(image);
    }
    const { span } = run;
    if (run.left === 0) this.#endRun(id, run);
    else this.#remember(id, run);
    return image.isSampled ? span : undefined;
  }

  #remember(id: string, run: Run): void {
    this.#runs.set(id, run);
    const [oldest] = this.#runs;
    // Nobody wanted some of its images any more.
    if (this.#runs.size > maxRuns && oldest !== undefined) this.#endRun(...oldest);
  }

  #endRun(id: string, { span, endedAt }: Run): void {
    span?.end(endedAt);
    this.#runs.delete(id);
  }

  /** Ends what waits for images that will not come. */
  [Symbol.dispose](): void {
    for (const entry of [...this.#runs]) this.#endRun(...entry);
  }
}

const attributesOf = ({ job, jobId, attempt, number, suspect }: Delivery, queue: string) => ({
  'messaging.system': 'bullmq',
  'messaging.operation.name': 'process',
  'messaging.operation.type': 'process',
  'messaging.destination.name': queue,
  'messaging.message.id': jobId,
  'captionfleet.request.id': job.requestId,
  'captionfleet.image.index': job.index,
  'captionfleet.tenant': job.tenant,
  'captionfleet.task': job.task.type,
  'captionfleet.attempt': attempt,
  'captionfleet.delivery': number,
  'captionfleet.suspect': suspect,
});

function howItEnded(error: unknown): string {
  if (error instanceof HandBack) return 'handed-back';
  if (error instanceof Postpone) return 'postponed';
  return error instanceof Error && !('code' in error) ? 'lost' : 'retried';
}

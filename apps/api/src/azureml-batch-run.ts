import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import {
  maxScoringRows,
  type ScoringChunk,
  type ScoringEnd,
  type ScoringJob,
  type ScoringRow,
} from '@captionfleet/protocol/scoring-job';
import { headOf } from '@captionfleet/protocol/task';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { BlobFiles } from '@captionfleet/storage/blob-files';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { ScoringStore } from '@captionfleet/storage/scoring-store';
import { lookAt, storeInline } from './admission.ts';
import { predictionLines } from './azureml-batch-output.ts';
import { ScoringProgress } from './azureml-batch-progress.ts';
import { type RowsRead, readRows } from './azureml-batch-read.ts';
import { CellRefused } from './azureml-cell.ts';
import { answerTask } from './azureml-scoring.ts';
import { mapBounded } from './map-bounded.ts';
import type { SubmissionConfig } from './submission.ts';

export interface ScoringRunConfig extends SubmissionConfig {
  readonly scoring: (tenant: Tenant) => ScoringStore;
  readonly files: BlobFiles;
  /** Jobs that may wait in a queue. */
  readonly maxWaiting: number;
}

/** Milliseconds from one look at the outcomes to the next, and at the queue. */
const lookMs = 500;
const lookAtQueueMs = 2_000;
/** Milliseconds until more is tried to be enqueued into a full queue. */
const fullMs = 1_000;
/** Milliseconds between looks for the mark of a cancelled job. */
const cancelMs = 1_000;
/** Milliseconds for a whole job. */
const jobMs = 7 * 24 * 3_600_000;
const chunkRows = 256;
/** Rows that are enqueued and have no outcome yet; more are read when fewer are left. */
const openRows = 1_024;
const writesAtOnce = 8;
/** Files whose error is told. */
const toldFailures = 20;

class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/**
 * Works on a scoring job until it has ended. It is in Blob what it is at any time, so a job whose process died goes on in
 * another one:
 *
 * read      files are read row by row, inline images stored, and rows written down as chunks
 * enqueued  the rows of each chunk are jobs in the bulk queue, with ids of their own
 * scored    each has an outcome, where those of any request are
 * ended     the predictions are written, then how it ended
 *
 * Each step is done once whoever does it: a chunk, an outcome and the predictions are written only where there are none, a job
 * that the queue knows is not added again.
 *
 * @throws the reason of the signal; STORAGE_UNAVAILABLE or QUEUE_UNAVAILABLE: the job has not ended, and may be taken up again
 */
export async function runScoring(job: ScoringJob, config: ScoringRunConfig, signal: AbortSignal): Promise<ScoringEnd> {
  const store = config.scoring(job.tenant);
  const ended = await store.readEnd(job.id, { signal });
  if (ended !== undefined) return ended;
  const stop = new AbortController();
  const watched = new AbortController();
  const watching = watch(job, store, stop, AbortSignal.any([signal, watched.signal]));
  const run = new ScoringRun(job, config, AbortSignal.any([signal, stop.signal]));
  let end: Pick<ScoringEnd, 'status' | 'error'>;
  try {
    await run.score();
    end = { status: 'Completed' };
  } catch (error) {
    signal.throwIfAborted();
    const cause = stop.signal.aborted ? stop.signal.reason : error;
    if (cause instanceof CaptionfleetError && resumable.has(cause.code)) throw cause;
    end = cause instanceof Cancelled ? { status: 'Canceled' } : { status: 'Failed', error: reportError(cause) };
    await run.withdraw();
  } finally {
    watched.abort();
    await watching;
  }
  const { counts } = run;
  const failures = await run.failures(signal);
  return await store.writeEnd(
    job.id,
    { version: 1, ...end, endedAt: new Date().toISOString(), counts, failures },
    { signal },
  );
}

const resumable: ReadonlySet<string> = new Set(['STORAGE_UNAVAILABLE', 'QUEUE_UNAVAILABLE']);

/** Aborts `stop` when the job is cancelled or its time is up. */
async function watch(job: ScoringJob, store: ScoringStore, stop: AbortController, signal: AbortSignal): Promise<void> {
  const deadline = Date.parse(job.createdAt) + jobMs;
  while (!signal.aborted) {
    // What cannot be read now is looked for again.
    const isCancelled = await store.isCancelled(job.id, { signal }).catch(() => false);
    if (isCancelled) stop.abort(new Cancelled('the job was cancelled'));
    if (Date.now() > deadline) stop.abort(new CaptionfleetError('JOB_TOO_LONG', 'the job did not end within 7 days'));
    if (stop.signal.aborted) return;
    await delay(cancelMs, undefined, { signal }).catch(() => undefined);
  }
}

class ScoringRun {
  readonly #job: ScoringJob;
  readonly #config: ScoringRunConfig;
  readonly #signal: AbortSignal;
  readonly #store: ScoringStore;
  readonly #requests: RequestStore;
  readonly #progress: ScoringProgress;
  #lookedAt = 0;
  #lookedAtQueue = 0;

  constructor(job: ScoringJob, config: ScoringRunConfig, signal: AbortSignal) {
    this.#job = job;
    this.#config = config;
    this.#signal = signal;
    this.#store = config.scoring(job.tenant);
    this.#requests = config.requests.of(job.tenant);
    this.#progress = new ScoringProgress(job);
  }

  get counts(): ScoringEnd['counts'] {
    return this.#progress.counts();
  }

  async score(): Promise<void> {
    const progress = this.#progress;
    await this.#resume();
    this.#assertThreshold();
    const size = Math.min(chunkRows, this.#config.maxWaiting);
    const { files, tasks } = this.#config;
    const reading = readRows(this.#job, progress.reading, { files, tasks, chunkRows: size }, this.#signal);
    try {
      for await (const read of reading) {
        while (progress.open.size > 0 && progress.open.size + read.rows.length > Math.max(openRows, size)) {
          await this.#look();
        }
        await this.#take(read);
        if (performance.now() - this.#lookedAt > lookMs) await this.#look();
      }
    } finally {
      await reading.return(undefined);
    }
    while (progress.open.size > 0) await this.#look();
    this.#assertThreshold();
    await this.#writePredictions();
  }

  /** Takes in what earlier processes have done. */
  async #resume(): Promise<void> {
    const { id } = this.#job;
    for (;;) {
      const chunk = await this.#store.readChunk(id, this.#progress.chunks, { signal: this.#signal });
      if (chunk === undefined) break;
      this.#progress.add(chunk);
    }
    if (this.#progress.chunks === 0) return;
    const ends = await this.#requests.readEnds(id, { signal: this.#signal });
    for (const [index, end] of ends) this.#progress.settle(index, end);
    await this.#lookAtQueue();
  }

  /** Writes rows down and enqueues their jobs. */
  async #take(read: RowsRead): Promise<void> {
    const { id, tenant } = this.#job;
    const chunk: ScoringChunk = {
      version: 1,
      rows: await this.#admit(read.rows),
      files: read.files,
      reading: read.reading,
    };
    const number = this.#progress.chunks;
    if (this.#progress.rows + chunk.rows.length > maxScoringRows || read.reading.file > maxScoringRows) {
      throw new CaptionfleetError('REQUEST_TOO_LARGE', `a job has at most ${maxScoringRows} rows, and as many files`);
    }
    const standing = await this.#store.writeChunk(id, number, chunk, { signal: this.#signal });
    // Whoever wrote another one has read on from it; so must this process.
    if (JSON.stringify(standing) !== JSON.stringify(chunk)) {
      throw new CaptionfleetError('STORAGE_UNAVAILABLE', `another process works on job ${id}`);
    }
    const jobs = this.#progress.add(chunk);
    this.#assertThreshold();
    if (jobs.length === 0) return;
    await this.#whenThereIsRoom(async () => await this.#config.spendImages?.(tenant, jobs.length));
    await this.#enqueue(jobs);
  }

  async #admit(rows: RowsRead['rows']): Promise<ScoringRow[]> {
    const looked = rows.map(({ input }) => {
      if ('refused' in input) return { refused: input.refused };
      const refused = 'question' in input ? refusedQuestion(input.question ?? '') : undefined;
      return refused ?? lookAt(input.image, this.#job.tenant, this.#requests.container);
    });
    const stored = await storeInline(looked, this.#requests, this.#signal);
    return rows.flatMap(({ file, row, input }, position): ScoringRow[] => {
      const image = stored[position];
      if (image === undefined) return [];
      if ('refused' in image) return [{ file, row, refused: image.refused }];
      const question = 'question' in input && input.question !== undefined ? { question: input.question } : {};
      return [{ file, row, source: image.source, ...question }];
    });
  }

  async #enqueue(jobs: readonly ImageJob[]): Promise<void> {
    for (const [producer, some] of this.#byProducer(jobs)) {
      await this.#whenThereIsRoom(() => producer.enqueue(some, { signal: this.#signal }));
    }
  }

  /** Goes on looking at what runs meanwhile: that makes room. */
  async #whenThereIsRoom(action: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await action();
        return;
      } catch (error) {
        if (!(error instanceof CaptionfleetError && ['QUEUE_FULL', 'RATE_LIMITED'].includes(error.code))) throw error;
        // Of a full queue the Retry-After is for callers, who have no better sign: an estimate, and at first a guess.
        const spent = error.code === 'RATE_LIMITED' ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
        await delay(Math.min(Math.max(spent, fullMs), 30_000), undefined, { signal: this.#signal });
        await this.#lookAtOutcomes();
      }
    }
  }

  #byProducer(jobs: Iterable<ImageJob>): Map<JobProducer, ImageJob[]> {
    const { bulk } = this.#config.queues;
    return Map.groupBy(jobs, ({ task }) => bulk[headOf[task.type]].producer);
  }

  /** Waits for a moment since the last look, then looks at what has become of the open rows. */
  async #look(): Promise<void> {
    const wait = lookMs - (performance.now() - this.#lookedAt);
    if (wait > 0) await delay(wait, undefined, { signal: this.#signal });
    await this.#lookAtOutcomes();
    if (performance.now() - this.#lookedAtQueue > lookAtQueueMs) await this.#lookAtQueue();
  }

  async #lookAtOutcomes(): Promise<void> {
    this.#lookedAt = performance.now();
    const [from] = this.#progress.open.keys();
    if (from === undefined) return;
    const ends = await this.#requests.readEnds(this.#job.id, { from, signal: this.#signal });
    for (const [index, end] of ends) this.#progress.settle(index, end);
    this.#assertThreshold();
  }

  /** Enqueues again what the queue has lost, and gives up what it has given up or what has made no progress. */
  async #lookAtQueue(): Promise<void> {
    this.#lookedAtQueue = performance.now();
    const open = [...this.#progress.open.values()].map(({ job }) => job);
    const running = new Set<number>();
    for (const [producer, jobs] of this.#byProducer(open)) {
      const states = await producer.states(jobs.map(jobId));
      const stateOf = (job: ImageJob) => states.get(jobId(job));
      for (const job of jobs) if (stateOf(job) === 'running') running.add(job.index);
      await this.#giveUp(
        jobs.filter((job) => stateOf(job) === 'failed'),
        exhausted,
      );
      await this.#enqueue(jobs.filter((job) => stateOf(job) === undefined));
    }
    const late = this.#progress.overdue(running, performance.now());
    await this.#withdraw(late);
    await this.#giveUp(late, tooSlow);
  }

  /** The outcome that stands counts: an image may have been scored at the last moment. */
  async #giveUp(jobs: readonly ImageJob[], error: ErrorReport): Promise<void> {
    const outcome = { status: 'failed', error } as const;
    await mapBounded(jobs, writesAtOnce, async ({ requestId, index }) => {
      const { status } = await this.#requests.writeOutcome(requestId, index, outcome, { signal: this.#signal });
      this.#progress.settle(index, status);
    });
  }

  async #withdraw(jobs: readonly ImageJob[]): Promise<void> {
    for (const [producer, some] of this.#byProducer(jobs)) await producer.withdraw(some.map(jobId));
  }

  /** Takes back what has not begun. */
  async withdraw(): Promise<void> {
    await this.#withdraw([...this.#progress.open.values()].map(({ job }) => job));
  }

  #assertThreshold(): void {
    if (!this.#progress.isOverThreshold) return;
    const { errorThreshold } = this.#job.settings;
    const message = `${this.#progress.failures.size} files failed, and error_threshold is ${errorThreshold}`;
    throw new CaptionfleetError('ERROR_THRESHOLD_EXCEEDED', message);
  }

  async #writePredictions(): Promise<void> {
    const { id, output, settings } = this.#job;
    if (settings.outputAction === 'summary_only') return;
    const { chunks, hasFailed, nameOf } = this.#progress;
    const source = { store: this.#store, requests: this.#requests, chunks, hasFailed, nameOf };
    const lines = predictionLines(this.#job, source, this.#signal);
    const write = { owner: id, contentType: 'text/csv; charset=utf-8', signal: this.#signal };
    if ((await this.#config.files.writeOnce(output.container, output.name, lines, write)) === 'written') return;
    const message = `blob "${output.name}" of container "${output.container}" exists already`;
    throw new CaptionfleetError('OUTPUT_EXISTS', message);
  }

  /** Some of the files that failed, and why. */
  async failures(signal: AbortSignal): Promise<ScoringEnd['failures']> {
    const told = [...this.#progress.failures].slice(0, toldFailures);
    return await mapBounded(told, writesAtOnce, async ([file, failure]) => {
      const error = 'error' in failure ? failure.error : await this.#errorOf(failure.index, signal);
      return { file: this.#progress.nameOf(file), error };
    });
  }

  async #errorOf(index: number, signal: AbortSignal): Promise<ErrorReport> {
    const outcome = await this.#requests.readOutcome(this.#job.id, index, { signal });
    return outcome?.status === 'failed' ? outcome.error : exhausted;
  }
}

const exhausted = reportError(
  new CaptionfleetError('ATTEMPTS_EXHAUSTED', 'the queue gave this image up after its last attempt'),
);
const tooSlow = reportError(
  new CaptionfleetError('ATTEMPTS_EXHAUSTED', 'the mini batch made no progress in its timeout, nor in any retry'),
);

function refusedQuestion(question: string): { readonly refused: ErrorReport } | undefined {
  try {
    answerTask(question);
    return undefined;
  } catch (error) {
    if (!(error instanceof CellRefused)) throw error;
    return { refused: reportError(new CaptionfleetError('REQUEST_INVALID', error.message)) };
  }
}

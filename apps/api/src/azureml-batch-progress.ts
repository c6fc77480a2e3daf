import type { ErrorReport } from '@captionfleet/protocol/errors';
import type { ImageJob } from '@captionfleet/protocol/image-job';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { Reading, ScoringChunk, ScoringEnd, ScoringJob, ScoringRow } from '@captionfleet/protocol/scoring-job';
import { answerTask, captionTask } from './azureml-scoring.ts';

/** Why a file failed: as a whole, or by the row with this index. */
type Failure = { readonly error: ErrorReport } | { readonly index: number };

interface OpenRow {
  readonly job: ImageJob;
  readonly file: number;
}

interface MiniBatch {
  open: number;
  /** Milliseconds, on the clock of `performance.now()`, since when it has made no progress though it could. */
  since: number | undefined;
  retries: number;
}

/** What is known of a job's rows while they are scored: a function of its chunks and outcomes, so that any process can make it. */
export class ScoringProgress {
  readonly #job: ScoringJob;
  readonly #open = new Map<number, OpenRow>();
  readonly #miniBatches = new Map<number, MiniBatch>();
  readonly #names = new Map<number, string>();
  readonly #failures = new Map<number, Failure>();
  #chunks = 0;
  #rows = 0;
  #failedRows = 0;
  #reading: Reading = { file: 0, rows: 0 };

  constructor(job: ScoringJob) {
    this.#job = job;
  }

  get chunks(): number {
    return this.#chunks;
  }

  get rows(): number {
    return this.#rows;
  }

  get reading(): Reading {
    return this.#reading;
  }

  /** Rows without an outcome, by index, in order. */
  get open(): ReadonlyMap<number, OpenRow> {
    return this.#open;
  }

  get failures(): ReadonlyMap<number, Failure> {
    return this.#failures;
  }

  hasFailed = (file: number): boolean => this.#failures.has(file);

  nameOf = (file: number): string => this.#names.get(file) ?? '';

  /** Whether more files have failed than may. */
  get isOverThreshold(): boolean {
    const { errorThreshold } = this.#job.settings;
    return errorThreshold >= 0 && this.#failures.size > errorThreshold;
  }

  counts(): ScoringEnd['counts'] {
    return {
      files: this.#names.size,
      failedFiles: this.#failures.size,
      rows: this.#rows,
      failedRows: this.#failedRows,
    };
  }

  /** Takes in the next chunk; returns the jobs of its rows. */
  add(chunk: ScoringChunk): ImageJob[] {
    for (const { file, name, failed } of chunk.files) {
      this.#names.set(file, name);
      if (failed !== undefined) this.#fail(file, { error: failed });
    }
    const jobs = chunk.rows.flatMap((row, position) => this.#addRow(row, this.#rows + position) ?? []);
    this.#rows += chunk.rows.length;
    this.#chunks += 1;
    this.#reading = chunk.reading;
    return jobs;
  }

  #addRow(row: ScoringRow, index: number): ImageJob | undefined {
    if ('refused' in row) {
      this.#failedRows += 1;
      this.#fail(row.file, { error: row.refused });
      return undefined;
    }
    const { tenant, id: requestId, createdAt } = this.#job;
    const task = row.question === undefined ? captionTask : answerTask(row.question);
    const job = { tenant, requestId, index, source: row.source, task, enqueuedAt: Date.parse(createdAt) };
    this.#open.set(index, { job, file: row.file });
    const miniBatch = this.#miniBatchOf(row.file);
    miniBatch.open += 1;
    return job;
  }

  /** A row has an outcome. */
  settle(index: number, end: ImageOutcome['status']): void {
    const row = this.#open.get(index);
    if (row === undefined) return;
    this.#open.delete(index);
    const miniBatch = this.#miniBatchOf(row.file);
    miniBatch.open -= 1;
    miniBatch.since = undefined;
    if (miniBatch.open === 0) this.#miniBatches.delete(this.#numberOf(row.file));
    if (end === 'succeeded') return;
    this.#failedRows += 1;
    this.#fail(row.file, { index });
  }

  /** The open rows of mini batches that had all their times and made no progress, given the indexes of the rows that run. */
  overdue(running: ReadonlySet<number>, now: number): ImageJob[] {
    const { timeoutSeconds, maxRetries } = this.#job.settings;
    const active = new Set([...running].map((index) => this.#numberOf(this.#open.get(index)?.file ?? 0)));
    const late = new Set<number>();
    for (const [number, miniBatch] of this.#miniBatches) {
      miniBatch.since = active.has(number) ? (miniBatch.since ?? now) : undefined;
      if (miniBatch.since === undefined || now - miniBatch.since < timeoutSeconds * 1_000) continue;
      miniBatch.since = now;
      miniBatch.retries += 1;
      if (miniBatch.retries > maxRetries) late.add(number);
    }
    if (late.size === 0) return [];
    return [...this.#open.values()].filter(({ file }) => late.has(this.#numberOf(file))).map(({ job }) => job);
  }

  #fail(file: number, failure: Failure): void {
    if (!this.#failures.has(file)) this.#failures.set(file, failure);
  }

  #numberOf = (file: number): number => Math.floor(file / this.#job.settings.miniBatchSize);

  #miniBatchOf(file: number): MiniBatch {
    const number = this.#numberOf(file);
    const miniBatch = this.#miniBatches.get(number) ?? { open: 0, since: undefined, retries: 0 };
    this.#miniBatches.set(number, miniBatch);
    return miniBatch;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { BatchRecord } from '@captionfleet/protocol/batch';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BatchMarks, BatchStore, OpenBatch } from '@captionfleet/storage/batch-store';
import type { Lease } from '@captionfleet/storage/blob-store';
import type { FileStore } from '@captionfleet/storage/file-store';
import type { FastifyBaseLogger } from 'fastify';
import { type BatchWork, endOpenLines, feed, producerOfBatch } from './batch-feed.ts';
import { writeOutput } from './batch-output.ts';
import { validate } from './batch-validation.ts';
import type { SubmissionConfig } from './submission.ts';

export interface BatchConfig extends SubmissionConfig {
  readonly batches: BatchStore;
  readonly files: (tenant: Tenant) => FileStore;
}

/**
 * A batch is, by the marks that it has in Blob:
 *
 * validating   none: its file is read once
 * in progress  validated: its lines are fed to the queue and end, each with an outcome
 * stopping     cancelling or expired as well: no line is fed, those that have not ended are ended
 * finalizing   every line has an outcome: its files are written
 * ended        for good: completed, failed, expired or cancelled
 *
 * Each step may be done again, and by anyone: whoever holds the batch's lease goes on from the marks.
 */
type Progress = 'ended' | 'moved' | 'waiting';

/** Why a line that had not ended is ended. */
const reasons = {
  expired: new CaptionfleetError('DEADLINE_EXCEEDED', 'the completion window of the batch ended first'),
  cancelled: new CaptionfleetError('REQUEST_CANCELED', 'the caller canceled the batch'),
} as const;

/** What this process remembers of a batch, to look at less; nothing depends on it. */
interface Memory {
  /** A line before which all have ended. */
  firstOpen: number;
  /** How many have ended. */
  ended: number;
}

/** Takes a batch one step on. @throws STORAGE_UNAVAILABLE, QUEUE_UNAVAILABLE, or the signal's reason */
async function advance(
  record: BatchRecord,
  config: BatchConfig,
  memory: Memory,
  signal: AbortSignal,
): Promise<Progress> {
  const { batches } = config;
  const marks = await batches.readMarks(record, { signal });
  if (marks.ended !== undefined) return 'ended';
  const files = config.files(record.tenant);
  const validated =
    marks.validated ?? (await batches.mark(record, 'validated', await check(record, marks, files, signal), { signal }));
  const { lines, issues } = validated;
  if (issues.length > 0) {
    const counts = { total: 0, completed: 0, failed: 0 };
    await batches.mark(record, 'ended', { status: 'failed', counts }, { signal });
    return 'ended';
  }
  const requests = config.requests.of(record.tenant);
  const producer = producerOfBatch(record, config.queues);
  const work = { record, lines, batches, files, requests, producer, spendImages: config.spendImages };
  if (marks.cancelling !== undefined) return await finish(work, 'cancelled', signal);
  if (marks.expired !== undefined) return await finish(work, 'expired', signal);
  const before = memory.ended;
  await remember(memory, work, signal);
  const allHaveEnded = memory.firstOpen === lines;
  // Workers look at the time too, and end what comes to them late.
  const isLate = allHaveEnded ? await endedUnwanted(work, signal) : Date.now() >= Date.parse(record.expiresAt);
  if (isLate) {
    await batches.mark(record, 'expired', {}, { signal });
    return await finish(work, 'expired', signal);
  }
  if (allHaveEnded) return await finish(work, 'completed', signal);
  const isFed = await feed(work, memory.firstOpen, signal);
  return isFed || memory.ended > before ? 'moved' : 'waiting';
}

async function endedUnwanted({ record, requests }: BatchWork, signal: AbortSignal): Promise<boolean> {
  const ends = await requests.readEnds(record.id, { signal });
  return [...ends.values()].some((end) => end === 'aborted' || end === 'canceled');
}

/** A batch that was cancelled before its file was read has no lines. */
async function check(record: BatchRecord, marks: BatchMarks, files: FileStore, signal: AbortSignal) {
  if (marks.cancelling !== undefined) return { lines: 0, issues: [] };
  return await validate(record, files, signal);
}

async function remember(memory: Memory, { record, lines, requests }: BatchWork, signal: AbortSignal): Promise<void> {
  const ends = await requests.readEnds(record.id, { from: memory.firstOpen, signal });
  memory.ended = memory.firstOpen + ends.size;
  while (memory.firstOpen < lines && ends.has(memory.firstOpen)) memory.firstOpen += 1;
}

async function finish(
  work: BatchWork,
  status: 'completed' | 'expired' | 'cancelled',
  signal: AbortSignal,
): Promise<Progress> {
  const { record, batches } = work;
  if (status !== 'completed') await endOpenLines(work, reasons[status], signal);
  await batches.mark(record, 'finalizing', {}, { signal });
  const output = await writeOutput(work, status, signal);
  await batches.mark(record, 'ended', { status, ...output }, { signal });
  return 'ended';
}

const limits = {
  /** Batches that one process drives at a time; the others have their turn after a step. */
  drivenAtOnce: 4,
  /** Milliseconds from one look at the open batches to the next, while there are some, and while there are none. */
  busyMs: 500,
  idleMs: 15_000,
  /** Milliseconds until a batch is looked at again: while it moves, and at most while it waits. */
  movingMs: 250,
  waitingMs: 3_000,
} as const;

interface Driven extends Memory {
  /** When its turn is, on the clock of `performance.now()`. */
  dueAt: number;
  pauseMs: number;
  step: Promise<void> | undefined;
}

/**
 * Drives the open batches of all tenants, a step at a time, together with the drivers of other processes: each holds a batch by
 * a lease while it takes it a step on. When one dies the others go on within half a minute.
 */
export class BatchDriver implements AsyncDisposable {
  readonly #config: BatchConfig;
  readonly #logger: FastifyBaseLogger;
  readonly #stop = new AbortController();
  readonly #driven = new Map<string, Driven>();
  readonly #running: Promise<void>;
  #wake = new AbortController();

  constructor(config: BatchConfig, logger: FastifyBaseLogger) {
    this.#config = config;
    this.#logger = logger;
    this.#running = this.#run();
  }

  /** Looks at the open batches now: there is a new one, or one was cancelled. */
  nudge(): void {
    for (const driven of this.#driven.values()) driven.dueAt = 0;
    this.#wake.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new CaptionfleetError('SHUTTING_DOWN', 'the API is stopping'));
    await this.#running;
    await Promise.all([...this.#driven.values()].map(({ step }) => step));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const wake = AbortSignal.any([signal, this.#wake.signal]);
      await this.#sweep(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#logger.warn({ err: error }, 'the open batches could not be looked at');
      });
      const pauseMs = this.#driven.size > 0 ? limits.busyMs : limits.idleMs;
      await delay(pauseMs, undefined, { signal: wake }).catch(() => undefined);
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const open = await this.#config.batches.listOpen({ signal });
    const names = new Set(open.map(({ name }) => name));
    for (const [name, { step }] of this.#driven) {
      if (step === undefined && !names.has(name)) this.#driven.delete(name);
    }
    for (const batch of open) {
      const driven = this.#driven.get(batch.name) ?? { firstOpen: 0, ended: 0, dueAt: 0, pauseMs: 0, step: undefined };
      this.#driven.set(batch.name, driven);
    }
    const due = open
      .map((batch) => ({ batch, driven: this.#driven.get(batch.name) }))
      .filter(({ driven }) => driven?.step === undefined && (driven?.dueAt ?? 0) <= performance.now())
      .sort((one, other) => (one.driven?.dueAt ?? 0) - (other.driven?.dueAt ?? 0));
    const busy = [...this.#driven.values()].filter(({ step }) => step !== undefined).length;
    for (const { batch, driven } of due.slice(0, Math.max(0, limits.drivenAtOnce - busy))) {
      if (driven === undefined) continue;
      driven.step = this.#drive(batch, driven, signal).finally(() => {
        driven.step = undefined;
      });
    }
  }

  async #drive(batch: OpenBatch, driven: Driven, signal: AbortSignal): Promise<void> {
    const progress = await this.#step(batch, driven, signal).catch((error: unknown): Progress => {
      if (!signal.aborted) this.#logger.warn({ err: error, batch: batch.name }, 'a batch could not be taken on');
      return 'waiting';
    });
    driven.pauseMs =
      progress === 'moved'
        ? limits.movingMs
        : Math.min(limits.waitingMs, Math.max(limits.movingMs, driven.pauseMs * 1.5));
    driven.dueAt = performance.now() + driven.pauseMs;
  }

  async #step(batch: OpenBatch, memory: Memory, stop: AbortSignal): Promise<Progress> {
    const taken = await this.#config.batches.take(batch, { signal: stop });
    if (taken === undefined) return 'waiting';
    await using lease: Lease = taken.lease;
    const { record } = taken;
    const signal = AbortSignal.any([stop, lease.signal]);
    const progress = await advance(record, this.#config, memory, signal);
    if (progress !== 'ended') return progress;
    // In this order: a batch that is open no more is never looked at again.
    await this.#config.files(record.tenant).endUse(record.inputFileId, record.id, { signal });
    await lease.remove({ signal });
    this.#logger.info({ tenant: record.tenant, batch: record.id }, 'a batch has ended');
    return progress;
  }
}

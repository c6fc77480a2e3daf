import { setTimeout as delay } from 'node:timers/promises';
import { type BulkItem, bulkLimits } from '@captionfleet/protocol/bulk-request';
import { CaptionfleetError, type ErrorReport, errorFromReport, reportError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId, type RequestId } from '@captionfleet/protocol/image-job';
import { headOf, type Task } from '@captionfleet/protocol/task';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { Places } from '@captionfleet/queue/producer';
import type { BulkStore } from '@captionfleet/storage/bulk-store';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { lookAt, storeInline } from './admission.ts';
import { newRequestId } from './request-id.ts';
import type { TaskProducer } from './routed-producer.ts';
import { assertServed, type SubmissionConfig } from './submission.ts';
import type { DoorImage } from './task-request.ts';

/** An item as it comes: an image that the caller may have named, or what was wrong with it. */
export type ArrivedItem = { readonly customId?: string | undefined } & (
  | { readonly image: DoorImage }
  | { readonly refused: ErrorReport }
);

/** What became of an item at the door. Its index is its position among all items of the upload. */
export type ItemAnswer = { readonly index: number; readonly customId?: string | undefined } & (
  | { readonly status: 'accepted' }
  | { readonly status: 'duplicate' }
  | { readonly status: 'refused'; readonly error: ErrorReport }
);

export interface BulkConfig extends SubmissionConfig {
  readonly bulk: (tenant: Tenant) => BulkStore;
}

/** Milliseconds that an upload waits for room in the queue, in all, and between two looks. */
const patienceMs = 30_000;
const lookAgainMs = 250;
/** Milliseconds between two looks whether the request was cancelled while it comes. */
const checkMs = 1_000;
/** Milliseconds for the jobs of a stored chunk to be in the queue. */
const enqueueMs = 10_000;

/** The jobs of items, the same each time they are made. */
export const bulkJobs = (
  { tenant, id, task, createdAt }: { tenant: Tenant; id: RequestId; task: Task; createdAt: string },
  items: readonly BulkItem[],
): ImageJob[] =>
  items.flatMap((item) =>
    'source' in item
      ? [{ tenant, requestId: id, index: item.index, source: item.source, task, enqueuedAt: Date.parse(createdAt) }]
      : [],
  );

/**
 * The writing side of one bulk request. It is empty, open, or sealed.
 *
 * empty    nothing of it is stored: an upload of which nothing could be stored leaves nothing behind
 * open     its manifest is stored, and each appended chunk with its jobs before its items are answered
 * sealed   no item is added any more; whether all had arrived is known
 */
export class BulkUpload {
  readonly id: RequestId = newRequestId();
  readonly counts = { accepted: 0, duplicate: 0, refused: 0 };
  readonly #about: { readonly tenant: Tenant; readonly id: RequestId; readonly task: Task; readonly createdAt: string };
  readonly #store: BulkStore;
  readonly #requests: RequestStore;
  readonly #producer: TaskProducer;
  readonly #spendImages: SubmissionConfig['spendImages'];
  readonly #customIds = new Set<string>();
  #manifest: Promise<void> | undefined;
  #nextIndex = 0;
  /** Jobs that were enqueued since it was looked whether the request is cancelled. */
  #unchecked: string[] = [];
  #checkedAt = 0;
  #patienceMs = patienceMs;
  /** The reservation before: one waits at a time, and the first to come is the first served. */
  #reserved: Promise<unknown> = Promise.resolve();

  /** @throws TASK_UNSUPPORTED */
  constructor({ tenant, task }: { readonly tenant: Tenant; readonly task: Task }, config: BulkConfig) {
    assertServed(task, config.tasks);
    this.#about = { tenant, id: this.id, task, createdAt: new Date().toISOString() };
    this.#store = config.bulk(tenant);
    this.#requests = config.requests.of(tenant);
    this.#spendImages = config.spendImages;
    this.#producer = config.queues.bulk[headOf[task.type]].producer;
  }

  /** Whether anything of it is stored. */
  get isOpen(): boolean {
    return this.#manifest !== undefined;
  }

  /**
   * Stores items as one chunk, enqueues their jobs and says what became of each, in their order. The signal ends only the
   * wait for room in the queue: what is stored is enqueued. May be called again before an earlier call has returned.
   *
   * @throws REQUEST_TOO_LARGE before anything is done; QUEUE_UNAVAILABLE, STORAGE_UNAVAILABLE or the signal's reason; some of the items may have been accepted then, which
   * the counts of the bulk request tell
   */
  async append(arrived: readonly ArrivedItem[], signal: AbortSignal): Promise<ItemAnswer[]> {
    if (this.#nextIndex + arrived.length > bulkLimits.items) {
      throw new CaptionfleetError('REQUEST_TOO_LARGE', `a bulk request has at most ${bulkLimits.items} items`);
    }
    const answers = new Map<number, ItemAnswer>();
    const items = arrived.map((item) => ({ ...this.#name(item), item }));
    const looked = items.flatMap(({ isDuplicate, item, ...place }) => {
      if (isDuplicate) answers.set(place.index, { ...place, status: 'duplicate' });
      else return [{ place, seen: this.#lookAt(item) }];
      return [];
    });
    const wanted = looked.filter(({ seen }) => !('refused' in seen)).length;
    const overBudget = wanted === 0 ? undefined : await this.#spend(wanted);
    const isWanted = wanted > 0 && overBudget === undefined;
    using places = isWanted ? await this.#reserve(wanted, signal) : undefined;
    let left = places?.count ?? 0;
    const kept = looked.filter(({ place, seen }) => {
      if ('refused' in seen) {
        answers.set(place.index, { ...place, status: 'refused', error: seen.refused });
        return true;
      }
      left -= 1;
      if (left >= 0) return true;
      answers.set(place.index, { ...place, status: 'refused', error: reportError(overBudget ?? full) });
      // It may be sent again under its name.
      if (place.customId !== undefined) this.#customIds.delete(place.customId);
      return false;
    });
    if (kept.length > 0) await this.#keep(kept, places);
    for (const { place } of kept) {
      if (!answers.has(place.index)) answers.set(place.index, { ...place, status: 'accepted' });
    }
    const ordered = items.flatMap(({ index }) => answers.get(index) ?? []);
    for (const { status } of ordered) this.counts[status] += 1;
    return ordered;
  }

  /** Says that no item follows; `isComplete` when all have arrived. Of an upload that stored nothing, nothing is stored. */
  async seal(isComplete: boolean): Promise<void> {
    if (this.#manifest === undefined) return;
    await this.#manifest;
    await this.#withdrawCancelled();
    await this.#store.writeSeal(this.id, { version: 1, isComplete });
  }

  #name({ customId }: ArrivedItem): { index: number; customId?: string; isDuplicate: boolean } {
    const index = this.#nextIndex;
    this.#nextIndex += 1;
    if (customId === undefined) return { index, isDuplicate: false };
    const isDuplicate = this.#customIds.has(customId);
    this.#customIds.add(customId);
    return { index, customId, isDuplicate };
  }

  #lookAt(item: ArrivedItem) {
    if ('refused' in item) return { refused: item.refused };
    const { customId: _, ...image } = item.image;
    return lookAt(image, this.#about.tenant, this.#requests.container);
  }

  async #keep(
    kept: readonly { place: { index: number; customId?: string }; seen: ReturnType<typeof lookAt> }[],
    places: Places | undefined,
  ): Promise<void> {
    const sources = await storeInline(
      kept.map(({ seen }) => seen),
      this.#requests,
      neverAborted,
    );
    const items = kept.flatMap(({ place }, position): BulkItem[] => {
      const image = sources[position];
      return image === undefined ? [] : [{ ...place, ...image }];
    });
    this.#manifest ??= this.#store.writeManifest({ version: 1, ...this.#about });
    await this.#manifest;
    await this.#store.writeChunk(this.id, { version: 1, items });
    const jobs = bulkJobs(this.#about, items);
    if (jobs.length === 0) return;
    await this.#producer.enqueue(jobs, { signal: AbortSignal.timeout(enqueueMs), places });
    this.#unchecked.push(...jobs.map(jobId));
    if (performance.now() - this.#checkedAt > checkMs) await this.#withdrawCancelled();
  }

  /** Whoever cancelled it before the last jobs were enqueued could not take them back. */
  async #withdrawCancelled(): Promise<void> {
    this.#checkedAt = performance.now();
    const jobIds = this.#unchecked;
    this.#unchecked = [];
    if (await this.#store.isCancelled(this.id)) await this.#producer.withdraw(jobIds);
  }

  /** Waits for room while there is patience left, then takes what there is; undefined when that is nothing. */
  /** The refusal, when the tenant's budget of images is spent. */
  async #spend(images: number): Promise<CaptionfleetError | undefined> {
    try {
      await this.#spendImages?.(this.#about.tenant, images);
      return undefined;
    } catch (error) {
      if (error instanceof CaptionfleetError && error.code === 'RATE_LIMITED') return error;
      throw error;
    }
  }

  #reserve(wanted: number, signal: AbortSignal): Promise<Places | undefined> {
    const places = this.#reserved.then(() => this.#reserveNext(wanted, signal));
    this.#reserved = places.catch(() => undefined);
    return places;
  }

  async #reserveNext(wanted: number, signal: AbortSignal): Promise<Places | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const isLast = this.#patienceMs <= 0;
      const places = await unlessFull(
        this.#producer.reserve(wanted, isLast ? 1 : wanted, { tasks: [this.#about.task] }),
      );
      if (places !== undefined || isLast) return places;
      this.#patienceMs -= lookAgainMs;
      await delay(lookAgainMs, undefined, { signal });
    }
  }
}

/** What is stored is stored to the end: a caller that goes away leaves no chunk without its jobs. */
const neverAborted = new AbortController().signal;

const full = new CaptionfleetError('QUEUE_FULL', 'the bulk queue stayed full; send this item again later');

async function unlessFull(reserving: Promise<Places>): Promise<Places | undefined> {
  try {
    return await reserving;
  } catch (error) {
    if (error instanceof CaptionfleetError && error.code === 'QUEUE_FULL') return undefined;
    throw error;
  }
}

/** Chunks that are stored at a time: while one is, the next is read. */
const appendsAtOnce = 2;

/**
 * Appends chunks as they come and yields the answers to each, in order; seals at the end, or when the caller stops, or when
 * something fails, which is thrown after what had been begun is done. When nothing could be stored because the queue was full
 * throughout, QUEUE_FULL is thrown at the first chunk instead of being said of each item.
 */
export async function* uploadAll(
  upload: BulkUpload,
  chunks: AsyncIterable<readonly ArrivedItem[]>,
  signal: AbortSignal,
): AsyncGenerator<readonly ItemAnswer[]> {
  const source = chunks[Symbol.asyncIterator]();
  const begun: Promise<ItemAnswer[]>[] = [];
  let isComplete = false;
  let coming: ReturnType<typeof source.next> | undefined;
  let isOver = false;
  try {
    while (!isOver || begun.length > 0) {
      if (!isOver && begun.length < appendsAtOnce) coming ??= unhandledLater(source.next());
      const came = await firstOf(coming, begun[0]);
      if (came === 'answers') {
        yield unlessNothingFits(upload, (await begun.shift()) ?? []);
        continue;
      }
      const next = await coming;
      coming = undefined;
      if (next === undefined || next.done === true) isOver = true;
      else begun.push(unhandledLater(upload.append(next.value, signal)));
    }
    isComplete = true;
  } finally {
    void source.return?.()?.catch(() => undefined);
    await Promise.allSettled(begun);
    const sealing = upload.seal(isComplete);
    // What made it incomplete is thrown already, and says more.
    await (isComplete ? sealing : sealing.catch(() => undefined));
  }
}

/** @throws QUEUE_FULL or RATE_LIMITED when nothing of the upload is stored: nobody needs an id then */
function unlessNothingFits(upload: BulkUpload, answers: readonly ItemAnswer[]): readonly ItemAnswer[] {
  const refused = upload.isOpen ? undefined : answers.find((answer) => answer.status === 'refused');
  if (refused?.status === 'refused') throw errorFromReport(refused.error);
  return answers;
}

/** Whichever settles first; answers, when both have. */
async function firstOf(chunk?: Promise<unknown>, answers?: Promise<unknown>): Promise<'chunk' | 'answers'> {
  const settled = <Name>(promise: Promise<unknown> | undefined, name: Name): Promise<Name>[] =>
    promise === undefined
      ? []
      : [
          promise.then(
            () => name,
            () => name,
          ),
        ];
  return await Promise.race([...settled(answers, 'answers' as const), ...settled(chunk, 'chunk' as const)]);
}

/** Whoever awaits it may come late, or not at all. */
function unhandledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

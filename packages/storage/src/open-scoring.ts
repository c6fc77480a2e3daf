import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RestError } from '@azure/storage-blob';
import { openScoring } from '@captionfleet/protocol/blob-names';
import type { RequestId } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import { type BlobStoreConfig, isAbsent, isTransient, openService, storageError } from './blob-store.ts';
import { type RetryLimits, retry } from './retry.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

interface OpenJob {
  readonly tenant: Tenant;
  readonly id: RequestId;
}

/** The right to work on a job; disposing gives it back, so that another process need not wait for its end. */
export interface HeldJob extends AsyncDisposable {
  /** Aborts when the right is lost: another process may have it. */
  readonly signal: AbortSignal;
  /** Says that the job has ended: it is open no longer. */
  close(): Promise<void>;
}

/**
 * The scoring jobs that have not ended, as marks in Blob. Who works on one has a lease of its mark, which ends by itself
 * `leaseSeconds` after the holder has died. Fails with STORAGE_UNAVAILABLE.
 */
export interface OpenScoring {
  add(job: OpenJob, options?: CallOptions): Promise<void>;
  /** The oldest of each tenant first, and not too many. */
  list(options?: CallOptions): Promise<OpenJob[]>;
  /** Undefined when another one has it, or it is not open. */
  hold(job: OpenJob, options?: CallOptions): Promise<HeldJob | undefined>;
}

/** The shortest that Blob storage has. */
const leaseSeconds = 15;
const renewMs = 5_000;
/** Less than what is left of a lease that was not renewed once. */
const limits: RetryLimits = { tries: 3, tryMs: 3_000, totalMs: 8_000, firstPauseMs: 200 };
const listed = 1_000;

export async function openOpenScoring(config: BlobStoreConfig): Promise<OpenScoring> {
  const own = (await openService(config)).getContainerClient(config.container);
  const call = async <T>(action: string, operation: (abortSignal: AbortSignal) => Promise<T>, signal?: AbortSignal) => {
    try {
      return await retry(operation, { limits, isTransient, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw storageError(action, error);
    }
  };
  const unless = async <T>(operation: Promise<T>, isFine: (error: unknown) => boolean): Promise<T | undefined> => {
    try {
      return await operation;
    } catch (error) {
      if (isFine(error)) return undefined;
      throw error;
    }
  };

  return {
    async add({ tenant, id }, { signal } = {}) {
      const mark = own.getBlockBlobClient(openScoring.name(tenant, id));
      const conditions = { ifNoneMatch: '*' };
      const put = (abortSignal: AbortSignal) => unless(mark.upload('', 0, { conditions, abortSignal }), isConflict);
      await call(`mark job ${id} as open`, put, signal);
    },
    async list({ signal } = {}) {
      const names = await call(
        'list the open jobs',
        async (abortSignal) => {
          const pages = own.listBlobsFlat({ prefix: openScoring.folder, abortSignal });
          const { value } = await pages.byPage({ maxPageSize: listed }).next();
          return (value?.segment.blobItems ?? []).map(({ name }: { name: string }) => name);
        },
        signal,
      );
      return names.flatMap((name: string) => openScoring.read(name) ?? []);
    },
    async hold({ tenant, id }, { signal } = {}) {
      const mark = own.getBlockBlobClient(openScoring.name(tenant, id));
      const lease = mark.getBlobLeaseClient(randomUUID());
      const acquire = (abortSignal: AbortSignal) =>
        unless(lease.acquireLease(leaseSeconds, { abortSignal }), (error) => isAbsent(error) || isConflict(error));
      if ((await call(`hold job ${id}`, acquire, signal)) === undefined) return undefined;
      const lost = new AbortController();
      const released = new AbortController();
      const renewing = renew(() => call(`hold job ${id}`, (abortSignal) => lease.renewLease({ abortSignal })), {
        lost,
        released: released.signal,
      });
      return {
        signal: lost.signal,
        async close() {
          const conditions = { leaseId: lease.leaseId };
          const remove = (abortSignal: AbortSignal) => unless(mark.delete({ conditions, abortSignal }), isAbsent);
          await call(`close job ${id}`, remove);
        },
        async [Symbol.asyncDispose]() {
          released.abort();
          await renewing;
          // Where this fails the lease ends by itself.
          await lease.releaseLease({ abortSignal: AbortSignal.timeout(limits.tryMs) }).catch(() => undefined);
        },
      };
    },
  };
}

async function renew(
  once: () => Promise<unknown>,
  { lost, released }: { readonly lost: AbortController; readonly released: AbortSignal },
): Promise<void> {
  for (;;) {
    await delay(renewMs, undefined, { signal: released }).catch(() => undefined);
    if (released.aborted) return;
    try {
      await once();
    } catch (error) {
      lost.abort(error);
      return;
    }
  }
}

/** Somebody else was first. */
const isConflict = (error: unknown): boolean =>
  error instanceof RestError && (error.statusCode === 409 || error.statusCode === 412);

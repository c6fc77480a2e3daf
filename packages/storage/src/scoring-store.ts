import { blobNames } from '@captionfleet/protocol/blob-names';
import type { RequestId } from '@captionfleet/protocol/image-job';
import {
  type ScoringChunk,
  ScoringChunkSchema,
  type ScoringEnd,
  ScoringEndSchema,
  type ScoringJob,
  ScoringJobSchema,
} from '@captionfleet/protocol/scoring-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BlobStore } from './blob-store.ts';
import { jsonBlobs } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the fleet knows of a tenant's scoring jobs, in Blob, but for the outcomes, which are in the RequestStore. Every blob is
 * written once: a second writer gets what stands. Fails with STORAGE_UNAVAILABLE.
 */
export interface ScoringStore {
  writeJob(job: ScoringJob, options?: CallOptions): Promise<ScoringJob>;
  readJob(id: RequestId, options?: CallOptions): Promise<ScoringJob | undefined>;
  /** Ids after `after`, in their order, which is that of their times. */
  listJobs(options: CallOptions & { readonly after: string; readonly limit: number }): Promise<RequestId[]>;
  writeChunk(id: RequestId, number: number, chunk: ScoringChunk, options?: CallOptions): Promise<ScoringChunk>;
  readChunk(id: RequestId, number: number, options?: CallOptions): Promise<ScoringChunk | undefined>;
  /** Marks it as cancelled, for good. */
  cancel(id: RequestId, options?: CallOptions): Promise<void>;
  isCancelled(id: RequestId, options?: CallOptions): Promise<boolean>;
  writeEnd(id: RequestId, end: ScoringEnd, options?: CallOptions): Promise<ScoringEnd>;
  readEnd(id: RequestId, options?: CallOptions): Promise<ScoringEnd | undefined>;
}

export function openScoringStore(store: BlobStore, tenant: Tenant): ScoringStore {
  const names = blobNames(tenant);
  const { read, writeFirst } = jsonBlobs(store);
  return {
    writeJob: (job, options = {}) => writeFirst(ScoringJobSchema, names.scoring(job.id, 'job'), job, job, options),
    readJob: (id, options = {}) => read(ScoringJobSchema, names.scoring(id, 'job'), options),
    async listJobs({ after, limit, signal }) {
      const root = names.scoring('', 'job').replace(/\/job\.json$/, '');
      // A zero comes after the slash that ends the folder of `after`, and before any other id.
      const from = after === '' ? undefined : `${root}${after}0`;
      const folders = await store.listFolders(root, { from, limit, signal });
      return folders.map((folder) => folder.slice(root.length, -1));
    },
    writeChunk: (id, number, chunk, options = {}) =>
      writeFirst(ScoringChunkSchema, names.scoringChunk(id, number), chunk, chunk, options),
    readChunk: (id, number, options = {}) => read(ScoringChunkSchema, names.scoringChunk(id, number), options),
    async cancel(id, options = {}) {
      await store.putOnce(names.scoring(id, 'cancelled'), Buffer.from('{}'), 'application/json', options);
    },
    isCancelled: async (id, { signal } = {}) =>
      (await store.read(names.scoring(id, 'cancelled'), { maxBytes: 1_024, signal })) !== undefined,
    writeEnd: (id, end, options = {}) => writeFirst(ScoringEndSchema, names.scoring(id, 'ended'), end, end, options),
    readEnd: (id, options = {}) => read(ScoringEndSchema, names.scoring(id, 'ended'), options),
  };
}

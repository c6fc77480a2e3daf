import { createHash } from 'node:crypto';
import { blobNames } from '@captionfleet/protocol/blob-names';
import { type RequestId, RequestIdSchema } from '@captionfleet/protocol/image-job';
import {
  CancellationSchema,
  type ImageOutcome,
  ImageOutcomeSchema,
  type RequestRecord,
  RequestRecordSchema,
  recordDocument,
} from '@captionfleet/protocol/image-outcome';
import type { BlobReference } from '@captionfleet/protocol/image-reference';
import { claimDocument, RequestClaimSchema } from '@captionfleet/protocol/request-claim';
import { defaultTenant, type Tenant } from '@captionfleet/protocol/tenant';
import type { BlobStore } from './blob-store.ts';
import { jsonBlobs } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the fleet knows of a tenant's requests, in Blob. Every name follows from ids and content, every blob is written once,
 * so that two processes which do the same thing agree without talking. Fails with STORAGE_UNAVAILABLE.
 */
export interface RequestStore {
  /** The fleet's container. */
  readonly container: string;
  /** The store of another tenant's requests. */
  of(tenant: Tenant): RequestStore;
  /** Returns the record that stands: this one, or the one that another writer stored first. */
  writeRequest(record: RequestRecord, options?: CallOptions): Promise<RequestRecord>;
  readRequest(id: RequestId, options?: CallOptions): Promise<RequestRecord | undefined>;
  /** Binds a hash to an id; returns the id that it stands for: this one, or the one that another writer bound it to first. */
  writeClaim(hash: string, requestId: RequestId, options?: CallOptions): Promise<RequestId>;
  readClaim(hash: string, options?: CallOptions): Promise<RequestId | undefined>;
  /** Returns the outcome that stands: this one, or the one that another writer stored first. */
  writeOutcome(id: RequestId, index: number, outcome: ImageOutcome, options?: CallOptions): Promise<ImageOutcome>;
  readOutcome(id: RequestId, index: number, options?: CallOptions): Promise<ImageOutcome | undefined>;
  /** Marks the request as canceled; a second time changes nothing. */
  writeCancellation(id: RequestId, options?: CallOptions): Promise<void>;
  /** How far a request is, without the content of anything. */
  progress(id: RequestId, options?: CallOptions): Promise<RequestProgress>;
  /** How the images ended that have an outcome, by index from `from` on; one listing tells of 5,000. */
  readEnds(id: RequestId, options?: CallOptions & { readonly from?: number }): Promise<ReadonlyMap<number, OutcomeEnd>>;
  /** Ids from `from` on, in their order, which is that of their times; some may have no record. */
  listRequests(options: CallOptions & { readonly from: RequestId; readonly limit: number }): Promise<RequestId[]>;
  /** Stores the bytes of an image under their SHA-256, once. */
  writeImage(bytes: Uint8Array, options?: CallOptions): Promise<{ sha256: string; reference: BlobReference }>;
}

/** What of an outcome a listing tells. */
export type OutcomeEnd = ImageOutcome['status'];
const outcomeEnds: readonly OutcomeEnd[] = ['succeeded', 'failed', 'aborted', 'canceled'];

export interface RequestProgress {
  /** The indexes of the images that have an outcome. */
  readonly outcomes: ReadonlySet<number>;
  readonly isCanceled: boolean;
}

const maxOutcomes = 100_000;
const outcomeName = /\/(\d+)\.json$/;

export function openRequestStore(store: BlobStore, tenant: Tenant = defaultTenant): RequestStore {
  const names = blobNames(tenant);
  const { read, write, writeFirst } = jsonBlobs(store);

  return {
    container: store.container,
    of: (other) => openRequestStore(store, other),
    async writeRequest(record, options = {}) {
      const name = names.request(record.id);
      return await writeFirst(RequestRecordSchema, name, record, recordDocument(record), options);
    },
    readRequest: async (id, options = {}) => await read(RequestRecordSchema, names.request(id), options),
    async writeClaim(hash, requestId, options = {}) {
      const claim = { requestId };
      const document = claimDocument(claim);
      return (await writeFirst(RequestClaimSchema, names.claim(hash), claim, document, options)).requestId;
    },
    readClaim: async (hash, options = {}) => (await read(RequestClaimSchema, names.claim(hash), options))?.requestId,
    async writeOutcome(id, index, outcome, options = {}) {
      const metadata = { status: outcome.status };
      return await writeFirst(ImageOutcomeSchema, names.outcome(id, index), outcome, outcome, { ...options, metadata });
    },
    readOutcome: async (id, index, options = {}) => await read(ImageOutcomeSchema, names.outcome(id, index), options),
    async writeCancellation(id, options = {}) {
      const cancellation = { version: 1, canceledAt: new Date().toISOString() };
      await write(CancellationSchema, names.cancellation(id), cancellation, options);
    },
    async progress(id, { signal } = {}) {
      const folder = names.request(id).replace(/[^/]+$/, '');
      const listed = await store.list(folder, { limit: maxOutcomes, signal });
      return {
        outcomes: new Set(listed.flatMap((name) => outcomeName.exec(name)?.[1] ?? []).map(Number)),
        isCanceled: listed.includes(names.cancellation(id)),
      };
    },
    async readEnds(id, { from = 0, signal } = {}) {
      const first = names.outcome(id, from);
      const folder = first.replace(/[^/]+$/, '');
      const entries = await store.listEntries(folder, { from: first, limit: maxOutcomes, signal });
      const ends = entries.map(async ({ name, metadata }): Promise<[number, OutcomeEnd] | undefined> => {
        const index = outcomeName.exec(name)?.[1];
        if (index === undefined) return undefined;
        const end = metadata['status'];
        const known = outcomeEnds.find((one) => one === end);
        if (known !== undefined) return [Number(index), known];
        // It was written before outcomes had metadata.
        const outcome = await read(ImageOutcomeSchema, name, { signal });
        return outcome === undefined ? undefined : [Number(index), outcome.status];
      });
      return new Map((await Promise.all(ends)).filter((end) => end !== undefined));
    },
    async listRequests({ from, limit, signal }) {
      const first = names.request(from).replace(/[^/]+$/, '');
      const root = first.replace(/[^/]+\/$/, '');
      const folders = await store.listFolders(root, { from: first, limit, signal });
      return folders
        .map((folder) => folder.slice(root.length, -1))
        .filter((id) => RequestIdSchema.safeParse(id).success);
    },
    async writeImage(bytes, { signal } = {}) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const name = names.image(sha256);
      await store.putOnce(name, bytes, 'application/octet-stream', { signal });
      return { sha256, reference: { blob: { container: store.container, name } } };
    },
  };
}

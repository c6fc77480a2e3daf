import type { BatchMark, FileId } from './batch.ts';
import type { RequestId } from './image-job.ts';
import { defaultTenant, type Tenant } from './tenant.ts';

/**
 * Where a tenant's things lie in the fleet's Blob container. Names follow from ids and content alone, so that a second writer of
 * the same thing meets the first one's blob (`If-None-Match: *`) instead of adding another.
 */
export function blobNames(tenant: Tenant) {
  const root = tenant === defaultTenant ? '' : `tenants/${tenant}/`;
  return {
    request: (id: RequestId): string => `${root}requests/${id}/request.json`,
    outcome: (id: RequestId, index: number): string => `${root}requests/${id}/${String(index).padStart(6, '0')}.json`,
    /** Which request an `Idempotency-Key` stands for, by a hash of it. */
    claim: (hash: string): string => `${root}idempotency/${hash}.json`,
    /** What is known of a bulk request as a whole. */
    bulk: (id: RequestId, what: 'manifest' | 'sealed' | 'cancelled' | 'ended'): string =>
      `${root}bulk/${id}/${what}.json`,
    /** Some of its items, by the index of the first. */
    bulkChunk: (id: RequestId, first: number): string =>
      `${root}bulk/${id}/chunks/${String(first).padStart(6, '0')}.json`,
    /** There when the caller canceled the request. */
    cancellation: (id: RequestId): string => `${root}requests/${id}/canceled.json`,
    /** Everything of one scoring job but its outcomes. */
    scoring: (id: RequestId, what: 'job' | 'cancelled' | 'ended'): string => `${root}scoring/${id}/${what}.json`,
    /** Some of its rows, by the number of the chunk. */
    scoringChunk: (id: RequestId, number: number): string =>
      `${root}scoring/${id}/chunks/${String(number).padStart(6, '0')}.json`,
    /** Where its predictions go when the caller does not say. */
    scoringOutput: (id: RequestId): string => `${root}scoring/${id}/output/`,
    /** A file of a caller's, or one that a batch made: what is known of it, its bytes, and which batches need it still. */
    file: (id: FileId): string => `${root}files/${id}/file.json`,
    fileContent: (id: FileId): string => `${root}files/${id}/content`,
    fileUse: (id: FileId, batch: RequestId): string => `${root}files/${id}/uses/${batch}`,
    batch: (id: RequestId): string => `${root}batches/${id}/batch.json`,
    batchMark: (id: RequestId, mark: BatchMark): string => `${root}batches/${id}/${mark}.json`,
    /** That the lines of a batch before this one are in the queue, or have ended. */
    batchFed: (id: RequestId, line: number): string => `${root}batches/${id}/fed/${String(line).padStart(6, '0')}`,
    /** An image that arrived inside a request, by the SHA-256 of its bytes. */
    image: (sha256: string): string => `${root}images/${sha256}`,
    webhookEndpoints: `${root}webhooks/endpoints/`,
    webhookEndpoint: (id: string): string => `${root}webhooks/endpoints/${id}.json`,
    webhookMessages: (endpoint: string): string => `${root}webhooks/messages/${endpoint}/`,
    webhookMessage: (endpoint: string, id: RequestId): string =>
      `${root}webhooks/messages/${endpoint}/${id}/message.json`,
    webhookAttempt: (endpoint: string, id: RequestId, number: number): string =>
      `${root}webhooks/messages/${endpoint}/${id}/attempt-${String(number).padStart(4, '0')}.json`,
  };
}

interface PendingParts {
  readonly tenant: Tenant;
  readonly id: RequestId;
  readonly lane: string;
  readonly task: string;
  readonly images: number;
  readonly deadline: number | undefined;
}

/** Of all tenants, so that one listing finds what is to be done; the names say what, the blobs are small. */
export const webhookMarks = {
  pendingFolder: 'webhooks/pending/',
  pending: ({ tenant, id, lane, task, images, deadline = 0 }: PendingParts) =>
    `webhooks/pending/${[tenant, id, lane, task, images, deadline].join('.')}.json`,
  outboxFolder: 'webhooks/outbox/',
  outbox: (deliveryKey: string) => `webhooks/outbox/${deliveryKey}.json`,
} as const;

/** Marks of the scoring jobs, of all tenants, that have not ended: who has the lease of one works on the job. */
export const openScoring = {
  folder: 'open-scoring/',
  name: (tenant: Tenant, id: RequestId): string => `open-scoring/${tenant}.${id}`,
  /** Undefined for what is no such name. */
  read(name: string): { readonly tenant: Tenant; readonly id: RequestId } | undefined {
    const [, tenant, id] = /^open-scoring\/([^.]+)\.([^.]+)$/.exec(name) ?? [];
    return tenant === undefined || id === undefined ? undefined : { tenant, id };
  },
} as const;

/** Batches of all tenants that have not ended; the oldest is the first. */
export const openBatches = {
  prefix: 'open-batches/',
  name: (tenant: Tenant, id: RequestId): string => `open-batches/${id}.${tenant}.json`,
} as const;

/** Whose image a blob of the fleet's container is; undefined when it is none that arrived inside a request. */
export function imageOwner(name: string): Tenant | undefined {
  const image = /^(?:tenants\/([^/]+)\/)?images\//.exec(name);
  return image === null ? undefined : (image[1] ?? defaultTenant);
}

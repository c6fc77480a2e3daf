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
    /** An image that arrived inside a request, by the SHA-256 of its bytes. */
    image: (sha256: string): string => `${root}images/${sha256}`,
  };
}

/** Whose image a blob of the fleet's container is; undefined when it is none that arrived inside a request. */
export function imageOwner(name: string): Tenant | undefined {
  const image = /^(?:tenants\/([^/]+)\/)?images\//.exec(name);
  return image === null ? undefined : (image[1] ?? defaultTenant);
}

import type { RequestId } from './image-job.ts';

/**
 * Where things lie in the fleet's Blob container. Names follow from ids and content alone, so that a second writer of
 * the same thing meets the first one's blob (`If-None-Match: *`) instead of adding another.
 */
export const blobNames = {
  request: (id: RequestId): string => `requests/${id}/request.json`,
  outcome: (id: RequestId, index: number): string => `requests/${id}/${String(index).padStart(6, '0')}.json`,
  /** An image that arrived inside a request, by the SHA-256 of its bytes. */
  image: (sha256: string): string => `images/${sha256}`,
} as const;

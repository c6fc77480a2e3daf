import type { RequestRecord, RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

export const IdParamsSchema = z.object({ id: z.string().describe('The `id` of a request.') });

/** A request of the caller's tenant, and what looks at it again with each call. */
export interface OpenedRequest {
  readonly record: RequestRecord;
  readonly requests: RequestStore;
  readonly look: (signal: AbortSignal) => Promise<RequestStatus>;
}

/** Finds the request that the path of an HTTP request names. @throws NOT_FOUND, STORAGE_UNAVAILABLE */
export type OpenRequest = (request: FastifyRequest, signal: AbortSignal) => Promise<OpenedRequest>;

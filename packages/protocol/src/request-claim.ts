import { z } from 'zod';
import { type RequestId, RequestIdSchema } from './image-job.ts';

/** Which request an `Idempotency-Key` stands for: written once, before the request is, and true for ever. */
export interface RequestClaim {
  readonly requestId: RequestId;
}

const stored = z.strictObject({ version: z.literal(1), requestId: RequestIdSchema });
export const RequestClaimSchema: z.ZodType<RequestClaim> = stored.transform(({ requestId }) => ({ requestId }));

/** A claim in the form that `RequestClaimSchema` reads. */
export const claimDocument = ({ requestId }: RequestClaim): z.infer<typeof stored> => ({ version: 1, requestId });

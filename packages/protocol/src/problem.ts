import { z } from 'zod';
import { type ErrorCode, errorTable } from './errors.ts';

export const ErrorCodeSchema = z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]);

/** One thing that is wrong with a request. */
const FieldErrorSchema = z.object({
  pointer: z.string().describe('JSON Pointer (RFC 6901) into the request body.'),
  index: z.int().optional().describe('Position of the image in the request.'),
  code: ErrorCodeSchema,
  message: z.string(),
});
export type FieldError = z.infer<typeof FieldErrorSchema>;

/** The body of every error: problem details of RFC 9457, with the code of the error table. */
export const ProblemSchema = z.object({
  type: z.string().describe('urn:captionfleet:error:CODE'),
  title: z.string().describe('What the code means.'),
  status: z.int(),
  detail: z.string().describe('What was wrong this time.'),
  code: ErrorCodeSchema,
  retryable: z.boolean().describe('Whether the same request may succeed later.'),
  requestId: z.string().describe('The X-Request-Id of this exchange, for the log.'),
  errors: z.array(FieldErrorSchema).optional(),
});
export type Problem = z.infer<typeof ProblemSchema>;

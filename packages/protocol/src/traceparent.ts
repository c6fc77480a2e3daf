import { z } from 'zod';

/** Version 00 of W3C Trace Context's `traceparent`: trace, span and flags, neither id all zeros. */
export const TraceparentSchema = z
  .string()
  .regex(/^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/, 'must be a traceparent of version 00');

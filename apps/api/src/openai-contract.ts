import { BatchEndpointSchema, BatchIssueSchema } from '@captionfleet/protocol/batch';
import { z } from 'zod';

/** The body of every error of the routes that OpenAI's clients call. */
export const OpenAiErrorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.enum([
      'invalid_request_error',
      'authentication_error',
      'permission_error',
      'rate_limit_error',
      'server_error',
    ]),
    param: z.string().nullable().describe('The field of the request that is wrong, where it is one.'),
    code: z.string().describe('A code of the table of errors.'),
  }),
});
export type OpenAiError = z.infer<typeof OpenAiErrorSchema>;

/** A file in OpenAI's form. */
export const FileSchema = z.object({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int(),
  created_at: z.int().describe('Seconds since the epoch.'),
  filename: z.string(),
  purpose: z.enum(['batch', 'batch_output']),
  status: z.literal('processed'),
});
export type FileDocument = z.infer<typeof FileSchema>;

export const DeletedFileSchema = z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) });

const metadataForm = 'must have at most 16 keys of 64 characters, with strings of at most 512';

export const CreateBatchSchema = z.strictObject({
  input_file_id: z.string().describe('A file of the purpose `batch`.'),
  endpoint: BatchEndpointSchema.describe('What each line asks for, and says again as its `url`.'),
  completion_window: z.literal('24h', 'must be "24h"'),
  metadata: z
    .record(z.string().max(64, metadataForm), z.string(metadataForm).max(512, metadataForm), metadataForm)
    .refine((values) => Object.keys(values).length <= 16, metadataForm)
    .nullish(),
});

const seconds = z.int().nullable();

/** A batch in OpenAI's form. */
export const BatchSchema = z.object({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  errors: z
    .object({ object: z.literal('list'), data: z.array(BatchIssueSchema) })
    .nullable()
    .describe('Why it failed as a whole, by line of its file.'),
  input_file_id: z.string(),
  completion_window: z.literal('24h'),
  status: z.enum([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  output_file_id: z.string().nullable().describe('Lines that succeeded, once the batch has ended; null when none did.'),
  error_file_id: z.string().nullable().describe('Lines that did not; null when all did.'),
  created_at: z.int().describe('Seconds since the epoch, as all times here.'),
  in_progress_at: seconds,
  expires_at: z.int(),
  finalizing_at: seconds,
  completed_at: seconds,
  failed_at: seconds,
  expired_at: seconds,
  cancelling_at: seconds,
  cancelled_at: seconds,
  request_counts: z
    .object({ total: z.int(), completed: z.int(), failed: z.int() })
    .describe('`total` is 0 while the file is read.'),
  metadata: z.record(z.string(), z.string()).nullable(),
});
export type BatchDocument = z.infer<typeof BatchSchema>;

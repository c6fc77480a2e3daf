import { z } from 'zod';
import { type RequestId, RequestIdSchema } from './image-job.ts';
import { imageLimits } from './image-reference.ts';
import type { TaskType } from './task.ts';
import { TenantSchema } from './tenant.ts';

/** Limits of files and batches; docs/reference/batches.md states them. */
export const batchLimits = {
  /** Lines of a batch. */
  lines: 50_000,
  /** Bytes of a file. */
  fileBytes: 200 * 1024 * 1024,
  /** Bytes of a line: an image at its limit in base64, and room beside it. */
  lineBytes: Math.ceil(imageLimits.bytes / 3) * 4 + 64 * 1024,
  /** Characters of a `custom_id`. */
  customId: 512,
} as const;

/** What the lines of a batch ask for: the route that each of them would go to by itself. */
export const batchEndpoints = {
  '/v1/captions': 'caption',
  '/v1/match': 'match',
  '/v1/embed': 'embed',
  '/v1/answer': 'answer',
} as const satisfies Readonly<Record<string, TaskType>>;
const paths = Object.keys(batchEndpoints) as (keyof typeof batchEndpoints)[];
export const BatchEndpointSchema = z.enum(paths, `must be ${paths.join(', ')}`);
export type BatchEndpoint = z.infer<typeof BatchEndpointSchema>;

const ulid = '[0-7][0-9a-hjkmnp-tv-z]{25}';

/** The files that a batch ends with are named after it, so that whoever writes them writes the same. */
export const FileIdSchema = z
  .string()
  .regex(new RegExp(`^file-${ulid}(?:-output|-errors)?$`), 'must be the id of a file');
export type FileId = z.infer<typeof FileIdSchema>;
export const BatchIdSchema = z.string().regex(new RegExp(`^batch_${ulid}$`), 'must be the id of a batch');

export const batchIdOf = (id: RequestId): string => `batch_${id}`;

export const StoredFileSchema = z.strictObject({
  version: z.literal(1),
  id: FileIdSchema,
  bytes: z.int().min(0),
  createdAt: z.iso.datetime(),
  filename: z.string(),
  purpose: z.enum(['batch', 'batch_output']),
});
export type StoredFile = z.infer<typeof StoredFileSchema>;

const metadata = z.record(z.string(), z.string());

/** A batch as it was made. Its outcomes are those of a request of the same id, whose indexes are the lines of its file. */
export const BatchRecordSchema = z.strictObject({
  version: z.literal(1),
  tenant: TenantSchema,
  id: RequestIdSchema,
  inputFileId: FileIdSchema,
  /** Bytes of the input file. */
  inputBytes: z.int().min(0),
  endpoint: BatchEndpointSchema,
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  metadata: metadata.optional(),
});
export type BatchRecord = z.infer<typeof BatchRecordSchema>;

/** What is wrong with a batch as a whole; codes and form are those of OpenAI. */
export const BatchIssueSchema = z.object({
  code: z.string(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.int().nullable(),
});
export type BatchIssue = z.infer<typeof BatchIssueSchema>;

/** Steps on a batch's way, each written once with its time. */
export const batchMarks = ['validated', 'cancelling', 'expired', 'finalizing', 'ended'] as const;
export type BatchMark = (typeof batchMarks)[number];

const at = z.iso.datetime();

export const BatchMarkSchemas = {
  /** With issues the batch has failed, and nothing of it is worked on. */
  validated: z.strictObject({ version: z.literal(1), at, lines: z.int().min(0), issues: z.array(BatchIssueSchema) }),
  cancelling: z.strictObject({ version: z.literal(1), at }),
  expired: z.strictObject({ version: z.literal(1), at }),
  finalizing: z.strictObject({ version: z.literal(1), at }),
  ended: z.strictObject({
    version: z.literal(1),
    at,
    status: z.enum(['completed', 'failed', 'expired', 'cancelled']),
    counts: z.strictObject({ total: z.int().min(0), completed: z.int().min(0), failed: z.int().min(0) }),
    outputFileId: FileIdSchema.optional(),
    errorFileId: FileIdSchema.optional(),
  }),
} as const satisfies Record<BatchMark, z.ZodType>;
export type BatchMarkOf<Mark extends BatchMark> = z.infer<(typeof BatchMarkSchemas)[Mark]>;

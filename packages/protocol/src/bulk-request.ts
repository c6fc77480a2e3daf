import { z } from 'zod';
import { CustomIdSchema } from './custom-id.ts';
import { RequestIdSchema } from './image-job.ts';
import { ErrorReportSchema } from './image-outcome.ts';
import { ImageReferenceSchema } from './image-reference.ts';
import { TaskSchema } from './task.ts';
import { TenantSchema } from './tenant.ts';

/** Limits of a bulk request; docs/reference/http.md states them. */
export const bulkLimits = {
  /** Items of one that is uploaded line by line. */
  items: 100_000,
  /** Items of one that is a JSON document. */
  documentItems: 10_000,
  /** Bytes of a line. */
  lineBytes: 1024 * 1024,
  /** Items that are stored and acknowledged together. */
  chunkItems: 256,
} as const;

/** What is true of all items of a bulk request. */
export const BulkManifestSchema = z.strictObject({
  version: z.literal(1),
  tenant: TenantSchema,
  id: RequestIdSchema,
  createdAt: z.iso.datetime(),
  task: TaskSchema,
});
export type BulkManifest = z.infer<typeof BulkManifestSchema>;

const place = { index: z.int().min(0), customId: CustomIdSchema.optional() };

/** Items in the order in which they came; one that was a duplicate, or found no room, is not among them. */
export const BulkChunkSchema = z.strictObject({
  version: z.literal(1),
  items: z
    .array(
      z.union([
        z.strictObject({ ...place, source: ImageReferenceSchema }),
        z.strictObject({ ...place, refused: ErrorReportSchema }),
      ]),
    )
    .min(1),
});
export type BulkChunk = z.infer<typeof BulkChunkSchema>;
export type BulkItem = BulkChunk['items'][number];

/** The end of an upload: whether all of it had arrived. */
export const BulkSealSchema = z.strictObject({ version: z.literal(1), isComplete: z.boolean() });
export type BulkSeal = z.infer<typeof BulkSealSchema>;

export const BulkCountsSchema = z.object({
  /** Accepted, without an outcome yet. */
  pending: z.int().min(0),
  succeeded: z.int().min(0),
  /** Those that were refused at the door are among them. */
  failed: z.int().min(0),
  cancelled: z.int().min(0),
});
export type BulkCounts = z.infer<typeof BulkCountsSchema>;

/** Written when nothing can change any more. */
export const BulkEndSchema = z.strictObject({
  version: z.literal(1),
  isComplete: z.boolean(),
  counts: BulkCountsSchema,
});
export type BulkEnd = z.infer<typeof BulkEndSchema>;

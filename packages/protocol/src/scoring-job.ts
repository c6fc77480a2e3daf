import { z } from 'zod';
import { RequestIdSchema } from './image-job.ts';
import { ErrorReportSchema } from './image-outcome.ts';
import { ContainerNameSchema, ImageReferenceSchema } from './image-reference.ts';
import { TenantSchema } from './tenant.ts';

/**
 * Words: a *scoring job* is what a caller of an AzureML batch endpoint posted: files, which have rows, each with an image; a
 * *mini batch* is some of its files, one after the other; a *chunk* is some of its rows, stored together.
 */

/** Rows of a scoring job: as many outcomes as one listing is made for. */
export const maxScoringRows = 100_000;

/** How files are scored, in the words of AzureML's deployments. */
export const ScoringSettingsSchema = z.strictObject({
  /** Files of a mini batch. */
  miniBatchSize: z.int().min(1),
  /** Files that may fail; -1: any number. */
  errorThreshold: z.int().min(-1),
  /** Times that a mini batch which made no progress for `timeoutSeconds` is given the same time again. */
  maxRetries: z.int().min(0),
  timeoutSeconds: z.int().min(1),
  outputAction: z.enum(['append_row', 'summary_only']),
});
export type ScoringSettings = z.infer<typeof ScoringSettingsSchema>;

const BlobPlaceSchema = z.strictObject({ container: ContainerNameSchema, name: z.string().max(1024) });
export type BlobPlace = z.infer<typeof BlobPlaceSchema>;

/** What was asked; written once. */
export const ScoringJobSchema = z.strictObject({
  version: z.literal(1),
  tenant: TenantSchema,
  id: RequestIdSchema,
  /** The caller's name of it. */
  name: z.string().optional(),
  createdAt: z.iso.datetime(),
  deployment: z.string(),
  task: z.enum(['caption', 'answer', 'auto']),
  /** A blob, or where the names of a folder's blobs begin: empty, or with a slash at the end. */
  input: z.strictObject({ ...BlobPlaceSchema.shape, isFolder: z.boolean() }),
  output: BlobPlaceSchema,
  settings: ScoringSettingsSchema,
  /** Whether a file of which some rows failed keeps the others in the predictions. */
  keepsRows: z.boolean(),
});
export type ScoringJob = z.infer<typeof ScoringJobSchema>;

/** A row: its file by the position among the files, its own position in it. */
const row = { file: z.int().min(0), row: z.int().min(0) };

/** How far the files were read. */
const ReadingSchema = z.strictObject({
  /** The last file that was read to its end. */
  after: z.string().optional(),
  /** Position of the next one, and its rows that were read. */
  file: z.int().min(0),
  rows: z.int().min(0),
});
export type Reading = z.infer<typeof ReadingSchema>;

/** Rows in their order; the first has the index that follows the last one of the chunk before. */
export const ScoringChunkSchema = z.strictObject({
  version: z.literal(1),
  rows: z.array(
    z.union([
      z.strictObject({ ...row, source: ImageReferenceSchema, question: z.string().optional() }),
      z.strictObject({ ...row, refused: ErrorReportSchema }),
    ]),
  ),
  /** Names of the files that these rows are of, or that failed as a whole. */
  files: z.array(z.strictObject({ file: z.int().min(0), name: z.string(), failed: ErrorReportSchema.optional() })),
  reading: ReadingSchema,
});
export type ScoringChunk = z.infer<typeof ScoringChunkSchema>;
export type ScoringRow = ScoringChunk['rows'][number];

/** Written when nothing can change any more. */
export const ScoringEndSchema = z.strictObject({
  version: z.literal(1),
  status: z.enum(['Completed', 'Failed', 'Canceled']),
  endedAt: z.iso.datetime(),
  error: ErrorReportSchema.optional(),
  counts: z.strictObject({
    files: z.int().min(0),
    failedFiles: z.int().min(0),
    rows: z.int().min(0),
    failedRows: z.int().min(0),
  }),
  /** Some of the files that failed, and why. */
  failures: z.array(z.strictObject({ file: z.string(), error: ErrorReportSchema })),
});
export type ScoringEnd = z.infer<typeof ScoringEndSchema>;

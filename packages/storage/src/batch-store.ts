import {
  type BatchMark,
  type BatchMarkOf,
  BatchMarkSchemas,
  type BatchRecord,
  BatchRecordSchema,
  batchMarks,
} from '@captionfleet/protocol/batch';
import { blobNames, openBatches } from '@captionfleet/protocol/blob-names';
import { type RequestId, RequestIdSchema } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BlobStore, Lease } from './blob-store.ts';
import { jsonBlobs } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export type BatchMarks = { readonly [Mark in BatchMark]?: BatchMarkOf<Mark> | undefined };

/** A place in the input file: the line that begins there, by its index, and the byte. */
export interface FilePlace {
  readonly index: number;
  readonly offset: number;
}

/** A batch among all that have not ended, as a listing knows it. */
export interface OpenBatch {
  readonly name: string;
}

/**
 * What the fleet knows of batches, in Blob, but for outcomes, which are in the RequestStore, and files. Every blob is written
 * once; only the one that says that a batch is open is deleted, at its end. Fails with STORAGE_UNAVAILABLE.
 */
export interface BatchStore {
  /** Opens a batch. From here on it goes its way, whatever becomes of the caller. */
  open(record: BatchRecord, options?: CallOptions): Promise<void>;
  find(tenant: Tenant, id: RequestId, options?: CallOptions): Promise<BatchRecord | undefined>;
  readMarks(record: BatchRecord, options?: CallOptions): Promise<BatchMarks>;
  /** Returns the mark that stands: this one, or the one that another writer set first. */
  mark<Mark extends BatchMark>(
    record: BatchRecord,
    mark: Mark,
    value: Omit<BatchMarkOf<Mark>, 'version' | 'at'>,
    options?: CallOptions,
  ): Promise<BatchMarkOf<Mark>>;
  /** Says that the lines before this place are in the queue or have ended. */
  writeFed(record: BatchRecord, place: FilePlace, options?: CallOptions): Promise<void>;
  /** In the order of their lines. */
  listFed(record: BatchRecord, options?: CallOptions): Promise<FilePlace[]>;
  listOpen(options?: CallOptions): Promise<OpenBatch[]>;
  /** The batch, and the right to drive it; undefined while another process does, or when it is not open any more. */
  take(open: OpenBatch, options?: CallOptions): Promise<{ record: BatchRecord; lease: Lease } | undefined>;
  /** Ids from `from` on, in their order, which is that of their times. */
  listIds(
    tenant: Tenant,
    options: CallOptions & { readonly from: RequestId; readonly limit: number },
  ): Promise<RequestId[]>;
}

/** Open batches that one process looks at; those after them wait for the first to end. */
const maxOpen = 10_000;
const maxFed = 100_000;
const fedName = /\/(\d+)$/;

export function openBatchStore(store: BlobStore): BatchStore {
  const { write, writeFirst, read } = jsonBlobs(store);
  const put = async (record: BatchRecord, options: CallOptions): Promise<void> =>
    void (await write(BatchRecordSchema, blobNames(record.tenant).batch(record.id), record, options));

  return {
    async open(record, options = {}) {
      // First of all: whoever finds it writes what is missing.
      await write(BatchRecordSchema, openBatches.name(record.tenant, record.id), record, options);
      await put(record, options);
    },
    find: async (tenant, id, options = {}) => await read(BatchRecordSchema, blobNames(tenant).batch(id), options),
    async readMarks({ tenant, id }, options = {}) {
      const names = blobNames(tenant);
      const marks = batchMarks.map(
        async (mark) => [mark, await read<object>(BatchMarkSchemas[mark], names.batchMark(id, mark), options)] as const,
      );
      return Object.fromEntries(await Promise.all(marks)) as BatchMarks;
    },
    async mark<Mark extends BatchMark>(
      { tenant, id }: BatchRecord,
      mark: Mark,
      value: Omit<BatchMarkOf<Mark>, 'version' | 'at'>,
      options: CallOptions = {},
    ) {
      const document = { version: 1, at: new Date().toISOString(), ...value };
      const name = blobNames(tenant).batchMark(id, mark);
      return (await writeFirst<object>(BatchMarkSchemas[mark], name, document, document, options)) as BatchMarkOf<Mark>;
    },
    async writeFed({ tenant, id }, { index, offset }, { signal } = {}) {
      const metadata = { offset: String(offset) };
      await store.putOnce(blobNames(tenant).batchFed(id, index), Buffer.alloc(0), 'text/plain', { signal, metadata });
    },
    async listFed({ tenant, id }, { signal } = {}) {
      const folder = blobNames(tenant).batchFed(id, 0).replace(fedName, '/');
      const entries = await store.listEntries(folder, { limit: maxFed, signal });
      return entries.map(({ name, metadata }) => ({
        index: Number(fedName.exec(name)?.[1]),
        offset: Number(metadata['offset']),
      }));
    },
    async listOpen({ signal } = {}) {
      const names = await store.list(openBatches.prefix, { limit: maxOpen, signal });
      return names.map((name) => ({ name }));
    },
    async take({ name }, options = {}) {
      const lease = await store.lease(name, options);
      if (lease === undefined) return undefined;
      try {
        const record = await read(BatchRecordSchema, name, options);
        if (record !== undefined) {
          await put(record, options);
          return { record, lease };
        }
      } catch (error) {
        await lease[Symbol.asyncDispose]();
        throw error;
      }
      await lease[Symbol.asyncDispose]();
      return undefined;
    },
    async listIds(tenant, { from, limit, signal }) {
      const first = blobNames(tenant)
        .batch(from)
        .replace(/[^/]+$/, '');
      const root = first.replace(/[^/]+\/$/, '');
      const folders = await store.listFolders(root, { from: first, limit, signal });
      return folders
        .map((folder) => folder.slice(root.length, -1))
        .filter((id) => RequestIdSchema.safeParse(id).success);
    },
  };
}

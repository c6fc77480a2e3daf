import { blobNames } from '@captionfleet/protocol/blob-names';
import {
  type BulkChunk,
  BulkChunkSchema,
  type BulkEnd,
  BulkEndSchema,
  type BulkManifest,
  BulkManifestSchema,
  type BulkSeal,
  BulkSealSchema,
} from '@captionfleet/protocol/bulk-request';
import type { RequestId } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BlobStore } from './blob-store.ts';
import { jsonBlobs } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a listing tells of a chunk. */
export interface ChunkEntry {
  /** Index of its first item, by which it is read. */
  readonly first: number;
  /** Items that were accepted, and those that were refused at the door. */
  readonly accepted: number;
  readonly refused: number;
  readonly writtenAt: Date;
}

/**
 * What the fleet knows of a tenant's bulk requests, in Blob, but for the outcomes, which are in the RequestStore. Every blob is
 * written once. Fails with STORAGE_UNAVAILABLE.
 */
export interface BulkStore {
  writeManifest(manifest: BulkManifest, options?: CallOptions): Promise<void>;
  readManifest(id: RequestId, options?: CallOptions): Promise<BulkManifest | undefined>;
  writeChunk(id: RequestId, chunk: BulkChunk, options?: CallOptions): Promise<void>;
  readChunk(id: RequestId, first: number, options?: CallOptions): Promise<BulkChunk | undefined>;
  /** In the order of their items. */
  listChunks(id: RequestId, options?: CallOptions): Promise<readonly ChunkEntry[]>;
  writeSeal(id: RequestId, seal: BulkSeal, options?: CallOptions): Promise<void>;
  readSeal(id: RequestId, options?: CallOptions): Promise<BulkSeal | undefined>;
  /** Marks it as cancelled, for good. */
  cancel(id: RequestId, options?: CallOptions): Promise<void>;
  isCancelled(id: RequestId, options?: CallOptions): Promise<boolean>;
  writeEnd(id: RequestId, end: BulkEnd, options?: CallOptions): Promise<void>;
  readEnd(id: RequestId, options?: CallOptions): Promise<BulkEnd | undefined>;
}

/** A chunk has an item at least, so these are more than any bulk request has. */
const maxChunks = 200_000;
const chunkName = /\/(\d+)\.json$/;

export function openBulkStore(store: BlobStore, tenant: Tenant): BulkStore {
  const names = blobNames(tenant);
  const { write, read } = jsonBlobs(store);
  return {
    writeManifest: async (manifest, options = {}) =>
      void (await write(BulkManifestSchema, names.bulk(manifest.id, 'manifest'), manifest, options)),
    readManifest: async (id, options = {}) => await read(BulkManifestSchema, names.bulk(id, 'manifest'), options),
    async writeChunk(id, chunk, options = {}) {
      const [head] = chunk.items;
      const refused = chunk.items.filter((item) => 'refused' in item).length;
      const metadata = { accepted: String(chunk.items.length - refused), refused: String(refused) };
      await write(BulkChunkSchema, names.bulkChunk(id, head?.index ?? 0), chunk, { ...options, metadata });
    },
    readChunk: async (id, first, options = {}) => await read(BulkChunkSchema, names.bulkChunk(id, first), options),
    async listChunks(id, { signal } = {}) {
      const folder = names.bulkChunk(id, 0).replace(/[^/]+$/, '');
      const entries = await store.listEntries(folder, { limit: maxChunks, signal });
      return entries.map(({ name, metadata, lastModified }) => ({
        first: Number(chunkName.exec(name)?.[1]),
        accepted: Number(metadata['accepted']),
        refused: Number(metadata['refused']),
        writtenAt: lastModified,
      }));
    },
    writeSeal: async (id, seal, options = {}) =>
      void (await write(BulkSealSchema, names.bulk(id, 'sealed'), seal, options)),
    readSeal: async (id, options = {}) => await read(BulkSealSchema, names.bulk(id, 'sealed'), options),
    cancel: async (id, options = {}) =>
      void (await store.putOnce(names.bulk(id, 'cancelled'), Buffer.from('{}'), 'application/json', options)),
    isCancelled: async (id, { signal } = {}) =>
      (await store.read(names.bulk(id, 'cancelled'), { maxBytes: 1_024, signal })) !== undefined,
    writeEnd: async (id, end, options = {}) => void (await write(BulkEndSchema, names.bulk(id, 'ended'), end, options)),
    readEnd: async (id, options = {}) => await read(BulkEndSchema, names.bulk(id, 'ended'), options),
  };
}

import type { FileId, StoredFile } from '@captionfleet/protocol/batch';
import { FileIdSchema, StoredFileSchema } from '@captionfleet/protocol/batch';
import { blobNames } from '@captionfleet/protocol/blob-names';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { RequestId } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BlobStore } from './blob-store.ts';
import { jsonBlobs } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A file whose bytes have arrived and that nobody sees until it is kept. */
export interface StagedFile {
  readonly bytes: number;
  /** Returns the file that stands: this one, or the one that another writer of this id kept first. */
  keep(about: Pick<StoredFile, 'filename' | 'purpose'>, options?: CallOptions): Promise<StoredFile>;
}

/** The files of a tenant, in Blob: what is known of each, and its bytes. They are written once. Fails with STORAGE_UNAVAILABLE. */
export interface FileStore {
  /** Throws what reading the source throws. */
  stage(id: FileId, source: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<StagedFile>;
  find(id: FileId, options?: CallOptions): Promise<StoredFile | undefined>;
  /** Bytes of the file from `offset` on; none at its end. */
  read(
    file: Pick<StoredFile, 'id' | 'bytes'>,
    options: CallOptions & { readonly offset: number; readonly length: number },
  ): Promise<Buffer>;
  /** @throws FILE_IN_USE while a batch needs it */
  remove(id: FileId, options?: CallOptions): Promise<void>;
  /** Keeps the file's bytes for a batch; undefined when there is no such file. */
  use(id: FileId, batch: RequestId, options?: CallOptions): Promise<StoredFile | undefined>;
  endUse(id: FileId, batch: RequestId, options?: CallOptions): Promise<void>;
  /** Ids without their `file-`, from a time on, in the order of their times. */
  listKeys(options: CallOptions & { readonly from: RequestId; readonly limit: number }): Promise<string[]>;
}

export function openFileStore(store: BlobStore, tenant: Tenant): FileStore {
  const names = blobNames(tenant);
  const { writeFirst, read } = jsonBlobs(store);
  const usesOf = (id: FileId): string => names.fileUse(id, '');
  const find: FileStore['find'] = async (id, options = {}) => await read(StoredFileSchema, names.file(id), options);

  return {
    find,
    async stage(id, source, options = {}) {
      const staged = await store.stage(names.fileContent(id), source, options);
      return {
        bytes: staged.bytes,
        async keep(about, keepOptions = {}) {
          await staged.commit(keepOptions);
          const createdAt = new Date().toISOString();
          const file: StoredFile = { version: 1, id, bytes: staged.bytes, createdAt, ...about };
          return await writeFirst(StoredFileSchema, names.file(id), file, file, keepOptions);
        },
      };
    },
    async read({ id, bytes }, { offset, length, signal }) {
      const wanted = Math.min(length, bytes - offset);
      if (wanted <= 0) return Buffer.alloc(0);
      const range = await store.readRange(names.fileContent(id), { offset, length: wanted, signal });
      if (range !== undefined && range.byteLength > 0) return range;
      throw new CaptionfleetError('STORAGE_UNAVAILABLE', `the bytes of file "${id}" are not there`);
    },
    async remove(id, { signal } = {}) {
      const [use] = await store.list(usesOf(id), { limit: 1, signal });
      if (use !== undefined) {
        const batch = use.slice(usesOf(id).length);
        throw new CaptionfleetError('FILE_IN_USE', `batch_${batch} needs this file until it ends; cancel it first`);
      }
      await store.remove(names.file(id), { signal });
      // A batch that came in between looks for the record after it has said that it needs the bytes.
      const [late] = await store.list(usesOf(id), { limit: 1, signal });
      if (late === undefined) await store.remove(names.fileContent(id), { signal });
    },
    async use(id, batch, { signal } = {}) {
      await store.putOnce(names.fileUse(id, batch), Buffer.alloc(0), 'text/plain', { signal });
      const file = await find(id, { signal });
      if (file === undefined) await store.remove(names.fileUse(id, batch), { signal });
      return file;
    },
    async endUse(id, batch, { signal } = {}) {
      await store.remove(names.fileUse(id, batch), { signal });
    },
    async listKeys({ from, limit, signal }) {
      const first = names.file(`file-${from}`).replace(/[^/]+$/, '');
      const root = first.replace(/[^/]+\/$/, '');
      const folders = await store.listFolders(root, { from: first, limit, signal });
      return folders
        .map((folder) => folder.slice(root.length, -1))
        .filter((id) => FileIdSchema.safeParse(id).success)
        .map((id) => id.slice('file-'.length));
    },
  };
}

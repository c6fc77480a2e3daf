import { Readable } from 'node:stream';
import type { ContainerListBlobHierarchySegmentResponse } from '@azure/storage-blob';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import {
  assertPlainName,
  type BlobAccount,
  isAbsent,
  isAlreadyThere,
  isTransient,
  openService,
  storageError,
} from './blob-store.ts';
import { type RetryLimits, retry } from './retry.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A blob of any container, by its full name. */
export interface BlobFile {
  readonly name: string;
  readonly bytes: number;
}

interface WriteOptions extends CallOptions {
  /** Who writes: a second write by the same one is none. */
  readonly owner: string;
  readonly contentType: string;
}

/**
 * Files that callers keep in containers of the fleet's storage account: listed as a folder, read and written as streams. Which
 * containers may be named is the caller's to know. Fails with STORAGE_UNAVAILABLE, and SOURCE_NOT_FOUND for a name that is none.
 */
export interface BlobFiles {
  /** Of the storage account; without a slash at the end. */
  readonly account: { readonly name: string; readonly url: string };
  /** The blobs directly under a folder, in the order of their names, after the name `after`, a page after the other. */
  listFolder(
    container: string,
    folder: string,
    options: CallOptions & { readonly after?: string | undefined },
  ): AsyncGenerator<readonly BlobFile[]>;
  /** Undefined when there is none. The signal ends the stream too. */
  read(container: string, name: string, options?: CallOptions): Promise<Readable | undefined>;
  /** Writes a blob where there is none; `taken` when there is one of another owner. Throws what `content` throws. */
  writeOnce(
    container: string,
    name: string,
    content: AsyncIterable<string>,
    options: WriteOptions,
  ): Promise<'written' | 'taken'>;
}

const limits: RetryLimits = { tries: 4, tryMs: 10_000, totalMs: 20_000, firstPauseMs: 200 };
/** Times that a stream which breaks is continued where it broke. */
const streamRetries = 3;
const blockBytes = 4 * 1024 * 1024;
const blocksAtOnce = 2;

export async function openBlobFiles(account: BlobAccount): Promise<BlobFiles> {
  const service = await openService(account);
  const call = async <T>(action: string, operation: (abortSignal: AbortSignal) => Promise<T>, signal?: AbortSignal) => {
    try {
      return await retry(operation, { limits, isTransient, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw storageError(action, error);
    }
  };
  const ownerOf = async (container: string, name: string, signal?: AbortSignal): Promise<string | undefined> => {
    const blob = service.getContainerClient(container).getBlobClient(name);
    const { metadata } = await call(`look at "${name}"`, (abortSignal) => blob.getProperties({ abortSignal }), signal);
    return metadata?.['owner'];
  };

  return {
    account: { name: service.accountName, url: service.url.replace(/\/+$/, '') },
    async *listFolder(container, folder, { after, signal }) {
      const client = service.getContainerClient(container);
      // No name follows another one directly without a character between them.
      const from = after === undefined ? {} : { startFrom: after };
      let token: string | undefined;
      do {
        const settings = { maxPageSize: 1_000, ...(token === undefined ? {} : { continuationToken: token }) };
        const page = await call(
          `list "${folder}" of container "${container}"`,
          async (abortSignal) => {
            const query = { prefix: folder, includeMetadata: true, abortSignal, ...from };
            const { value } = await client.listBlobsByHierarchy('/', query).byPage(settings).next();
            return value as ContainerListBlobHierarchySegmentResponse | undefined;
          },
          signal,
        );
        token = page?.continuationToken || undefined;
        yield (page?.segment.blobItems ?? [])
          .filter(({ name, metadata }) => name !== after && name !== folder && metadata?.['hdi_isfolder'] !== 'true')
          .map(({ name, properties }) => ({ name, bytes: properties.contentLength ?? 0 }));
      } while (token !== undefined);
    },
    async read(container, name, { signal } = {}) {
      assertPlainName(name);
      const blob = service.getContainerClient(container).getBlobClient(name);
      const response = await call(
        `read "${name}" of container "${container}"`,
        () =>
          blob
            .download(0, undefined, { maxRetryRequests: streamRetries, ...(signal && { abortSignal: signal }) })
            .catch((error: unknown) => {
              if (isAbsent(error)) return undefined;
              throw error;
            }),
        signal,
      );
      return response && Readable.from(response.readableStreamBody ?? [], { objectMode: false });
    },
    async writeOnce(container, name, content, { owner, contentType, signal }) {
      assertPlainName(name);
      const blob = service.getContainerClient(container).getBlockBlobClient(name);
      const source = new Watched(content);
      try {
        await blob.uploadStream(Readable.from(source.read(), { objectMode: false }), blockBytes, blocksAtOnce, {
          conditions: { ifNoneMatch: '*' },
          metadata: { owner },
          blobHTTPHeaders: { blobContentType: contentType },
          ...(signal && { abortSignal: signal }),
        });
        return 'written';
      } catch (error) {
        signal?.throwIfAborted();
        source.throwIfFailed();
        if (isAlreadyThere(error)) return (await ownerOf(container, name, signal)) === owner ? 'written' : 'taken';
        if (isAbsent(error)) throw new CaptionfleetError('SOURCE_NOT_FOUND', `there is no container "${container}"`);
        throw storageError(`write "${name}" of container "${container}"`, error);
      }
    },
  };
}

/** Content that remembers why it ended early: the SDK throws errors of its own. */
class Watched {
  readonly #content: AsyncIterable<string>;
  #failed: { readonly error: unknown } | undefined;

  constructor(content: AsyncIterable<string>) {
    this.#content = content;
  }

  async *read(): AsyncGenerator<string> {
    try {
      yield* this.#content;
    } catch (error) {
      this.#failed = { error };
      throw error;
    }
  }

  throwIfFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.error;
  }
}

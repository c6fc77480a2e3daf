import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type RetryLimits, retry } from './retry.ts';

/** A connection string, or the account's URL, which is then opened with the managed identity of the machine. */
export type BlobAccount = { readonly connectionString: string } | { readonly accountUrl: string };

export type BlobStoreConfig = BlobAccount & {
  /** The fleet's own container. */
  readonly container: string;
  /** @defaultValue four tries of at most 10 s each, 20 s in all */
  readonly limits?: RetryLimits;
};

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

interface ReadOptions extends CallOptions {
  /** Bytes; a larger blob is IMAGE_TOO_LARGE. */
  readonly maxBytes: number;
}

interface WriteOptions extends CallOptions {
  /** A few short words that come with each listing of the blob. */
  readonly metadata?: Readonly<Record<string, string>>;
}

interface ListOptions extends CallOptions {
  readonly limit: number;
  /** The first name that is wanted, in the order of names. */
  readonly from?: string | undefined;
}

/** A blob as a listing tells of it. */
export interface BlobEntry {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly lastModified: Date;
}

export interface BlobVersion {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

interface RangeOptions extends CallOptions {
  /** The first byte that is wanted, and how many at most. */
  readonly offset: number;
  readonly length: number;
}

/** A blob whose bytes have arrived and that nobody sees until it is committed. */
export interface StagedBlob {
  readonly bytes: number;
  /** Makes it the blob of its name if there is none, never over one. Without it, storage drops the bytes by itself. */
  commit(options?: CallOptions): Promise<'created' | 'exists'>;
}

/** A blob that this process alone holds. Disposing of it lets it go. */
export interface Lease extends AsyncDisposable {
  /** Aborts when it could not be kept. */
  readonly signal: AbortSignal;
  /** Deletes the blob. */
  remove(options?: CallOptions): Promise<void>;
}

/**
 * Blobs that are written once, but for a few that are replaced. Every call is tried again a few times within a deadline, then fails with
 * STORAGE_UNAVAILABLE; an aborted call throws its signal's reason.
 */
export interface BlobStore {
  /** The name of the fleet's own container. */
  readonly container: string;
  /**
   * Writes the blob if there is none of this name, never over one. `exists` may also mean that an earlier try of this
   * very call was stored and its answer lost: whoever needs to know the content that stands reads it.
   */
  putOnce(name: string, bytes: Uint8Array, contentType: string, options?: WriteOptions): Promise<'created' | 'exists'>;
  read(name: string, options: ReadOptions): Promise<Uint8Array | undefined>;
  /** The content and which version of the blob it is. */
  readVersion(name: string, options: ReadOptions): Promise<BlobVersion | undefined>;
  /** Writes over the version that was read; `changed` when it is not there any more. */
  replace(
    name: string,
    bytes: Uint8Array,
    contentType: string,
    options: CallOptions & { readonly etag: string },
  ): Promise<'replaced' | 'changed'>;
  /** Removes a blob that may be absent. */
  remove(name: string, options?: CallOptions): Promise<void>;
  readFrom(container: string, name: string, options: ReadOptions): Promise<Uint8Array | undefined>;
  /** Part of a blob of the fleet's container; undefined when there is none of this name. */
  readRange(name: string, options: RangeOptions): Promise<Buffer | undefined>;
  /** Takes bytes of any number as they come, a few MiB in memory at a time. Throws what reading the source throws. */
  stage(name: string, source: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<StagedBlob>;
  /**
   * Holds a blob against all other holders, and keeps it until it is let go. A holder that dies loses it within 15 seconds.
   * Undefined when another has it, or it is not there.
   */
  lease(name: string, options?: CallOptions): Promise<Lease | undefined>;
  /** At most `limit` names that start with `prefix`. */
  list(prefix: string, options: CallOptions & { readonly limit: number }): Promise<string[]>;
  /** At most `limit` blobs whose names start with `prefix`, in the order of their names. */
  listEntries(prefix: string, options: ListOptions): Promise<BlobEntry[]>;
  /** At most `limit` folders directly under `prefix`, which ends with a slash, as do they, in the order of their names. */
  listFolders(prefix: string, options: ListOptions): Promise<string[]>;
  ensureContainer(options?: CallOptions): Promise<void>;
  /** One try: throws STORAGE_UNAVAILABLE unless the fleet's container is there. */
  ping(options?: CallOptions): Promise<void>;
}

const defaultLimits: RetryLimits = { tries: 4, tryMs: 10_000, totalMs: 20_000, firstPauseMs: 200 };
const onceLimits: RetryLimits = { tries: 1, tryMs: 2_000, totalMs: 2_000, firstPauseMs: 0 };

export async function openBlobStore(config: BlobStoreConfig): Promise<BlobStore> {
  const service = await openService(config);
  const own = service.getContainerClient(config.container);
  const limits = config.limits ?? defaultLimits;

  const call = async <T>(
    action: string,
    operation: (abortSignal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
    bounds = limits,
  ): Promise<T> => {
    try {
      return await retry(operation, { limits: bounds, isTransient, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw storageError(action, error);
    }
  };

  const readVersionFrom = async (container: string, name: string, { maxBytes, signal }: ReadOptions) => {
    assertPlainName(name);
    const client = service.getContainerClient(container);
    const what = `read blob "${name}" of container "${container}"`;
    return await call(what, (abortSignal) => download(client, name, { maxBytes, abortSignal }), signal);
  };
  const readFrom: BlobStore['readFrom'] = async (container, name, options) =>
    (await readVersionFrom(container, name, options))?.bytes;

  return {
    container: config.container,
    async putOnce(name, bytes, contentType, { signal, metadata = {} } = {}) {
      assertPlainName(name);
      const blob = own.getBlockBlobClient(name);
      const put = async (abortSignal: AbortSignal): Promise<'created' | 'exists'> => {
        try {
          await blob.upload(bytes, bytes.byteLength, {
            abortSignal,
            conditions: { ifNoneMatch: '*' },
            blobHTTPHeaders: { blobContentType: contentType },
            metadata: { ...metadata },
          });
          return 'created';
        } catch (error) {
          if (isAlreadyThere(error)) return 'exists';
          throw error;
        }
      };
      return await call(`write blob "${name}"`, put, signal);
    },
    read: async (name, options) => await readFrom(config.container, name, options),
    readFrom,
    readVersion: async (name, options) => await readVersionFrom(config.container, name, options),
    async replace(name, bytes, contentType, { etag, signal }) {
      assertPlainName(name);
      const put = async (abortSignal: AbortSignal): Promise<'replaced' | 'changed'> => {
        try {
          const conditions = { ifMatch: etag };
          const blobHTTPHeaders = { blobContentType: contentType };
          const options = { abortSignal, conditions, blobHTTPHeaders };
          await own.getBlockBlobClient(name).upload(bytes, bytes.byteLength, options);
          return 'replaced';
        } catch (error) {
          if (isAbsent(error) || (error instanceof RestError && error.statusCode === 412)) return 'changed';
          throw error;
        }
      };
      return await call(`replace blob "${name}"`, put, signal);
    },
    async readRange(name, { offset, length, signal }) {
      assertPlainName(name);
      return await call(
        `read blob "${name}"`,
        (abortSignal) => downloadRange(own, name, { offset, length, signal: abortSignal }),
        signal,
      );
    },
    async stage(name, source, { signal } = {}) {
      assertPlainName(name);
      const blob = own.getBlockBlobClient(name);
      // Two writers of one name must not take each other's blocks for their own.
      const writer = randomUUID();
      const blocks: string[] = [];
      let size = 0;
      for await (const block of blocksOf(source)) {
        const id = Buffer.from(`${writer}-${String(blocks.length).padStart(6, '0')}`).toString('base64');
        const put = (abortSignal: AbortSignal) => blob.stageBlock(id, block, block.byteLength, { abortSignal });
        await call(`write blob "${name}"`, put, signal);
        blocks.push(id);
        size += block.byteLength;
      }
      const commit = async (abortSignal: AbortSignal): Promise<'created' | 'exists'> => {
        try {
          await blob.commitBlockList(blocks, { abortSignal, conditions: { ifNoneMatch: '*' } });
          return 'created';
        } catch (error) {
          // The first to commit throws away the blocks of the others.
          if (isAlreadyThere(error) || (await blob.exists({ abortSignal }))) return 'exists';
          throw error;
        }
      };
      return {
        bytes: size,
        commit: async (options = {}) => await call(`write blob "${name}"`, commit, options.signal),
      };
    },
    async remove(name, { signal } = {}) {
      assertPlainName(name);
      await call(
        `remove blob "${name}"`,
        (abortSignal) => own.getBlobClient(name).deleteIfExists({ abortSignal }),
        signal,
      );
    },
    async lease(name, { signal } = {}) {
      assertPlainName(name);
      const leaseId = randomUUID();
      const client = own.getBlobClient(name).getBlobLeaseClient(leaseId);
      const take = async (abortSignal: AbortSignal): Promise<boolean> => {
        try {
          await client.acquireLease(leaseLimits.seconds, { abortSignal });
          return true;
        } catch (error) {
          if (isAbsent(error) || isHeld(error)) return false;
          throw error;
        }
      };
      if (!(await call(`lease blob "${name}"`, take, signal))) return undefined;
      const lost = new AbortController();
      const renewing = setInterval(() => {
        const renew = (abortSignal: AbortSignal) => client.renewLease({ abortSignal });
        call(`keep the lease of blob "${name}"`, renew, undefined, leaseLimits.renewal).catch((error: unknown) =>
          lost.abort(error),
        );
      }, leaseLimits.renewMs);
      return {
        signal: lost.signal,
        async remove(options = {}) {
          const conditions = { leaseId };
          const erase = (abortSignal: AbortSignal) =>
            own.getBlobClient(name).deleteIfExists({ abortSignal, conditions });
          await call(`delete blob "${name}"`, erase, options.signal);
        },
        async [Symbol.asyncDispose]() {
          clearInterval(renewing);
          // It ends by itself when this fails, and it has ended when the blob was deleted.
          const release = (abortSignal: AbortSignal) => client.releaseLease({ abortSignal });
          await call(`release blob "${name}"`, release, undefined, onceLimits).catch(() => undefined);
        },
      };
    },
    async list(prefix, { limit, signal }) {
      return await call(`list "${prefix}"`, (abortSignal) => listNames(own, prefix, limit, abortSignal), signal);
    },
    async listEntries(prefix, options) {
      return await call(
        `list "${prefix}"`,
        (signal) => listEntries(own, prefix, { ...options, signal }),
        options.signal,
      );
    },
    async listFolders(prefix, options) {
      return await call(
        `list "${prefix}"`,
        (signal) => listFolders(own, prefix, { ...options, signal }),
        options.signal,
      );
    },
    async ensureContainer({ signal } = {}) {
      await call(
        `create container "${config.container}"`,
        (abortSignal) => own.createIfNotExists({ abortSignal }),
        signal,
      );
    },
    async ping({ signal } = {}) {
      await call('look at the container', (abortSignal) => own.getProperties({ abortSignal }), signal, onceLimits);
    },
  };
}

/** What Azure's shortest lease allows: two renewals may fail, the third comes too late. */
const leaseLimits = {
  seconds: 15,
  renewMs: 4_000,
  renewal: { tries: 2, tryMs: 4_000, totalMs: 9_000, firstPauseMs: 200 },
} as const;

/** Bytes of a block of a staged blob. A blob has at most 50,000 of them. */
const blockBytes = 4 * 1024 * 1024;

/** Groups bytes into blocks. */
async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.byteLength;
    if (size < blockBytes) continue;
    yield Buffer.concat(parts, size);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts, size);
}

export async function openService(account: BlobAccount): Promise<BlobServiceClient> {
  // The SDK's own retries know neither jitter nor our deadlines.
  const options = { retryOptions: { maxTries: 1 } };
  if ('connectionString' in account) {
    try {
      return BlobServiceClient.fromConnectionString(account.connectionString, options);
    } catch {
      // No cause: the SDK's message may quote the string, which holds the account's key.
      throw new CaptionfleetError('CONFIG_INVALID', 'the storage connection string is not one');
    }
  }
  const url = URL.parse(account.accountUrl);
  if (url === null || url.search !== '' || url.username !== '' || url.password !== '') {
    const form = 'https://ACCOUNT.blob.core.windows.net';
    throw new CaptionfleetError('CONFIG_INVALID', `the storage account URL must look like ${form}, without a SAS`);
  }
  // Loaded only where it is used: it is a third of this package's start-up time.
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new BlobServiceClient(url.href, new DefaultAzureCredential(), options);
}

interface DownloadOptions {
  readonly maxBytes: number;
  readonly abortSignal: AbortSignal;
}

async function download(
  container: ContainerClient,
  name: string,
  { maxBytes, abortSignal }: DownloadOptions,
): Promise<BlobVersion | undefined> {
  const response = await container
    .getBlobClient(name)
    .download(0, undefined, { abortSignal })
    .catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
  if (response === undefined) return undefined;
  const body = Readable.from(response.readableStreamBody ?? []);
  if ((response.contentLength ?? 0) > maxBytes) {
    body.destroy();
    throw tooLarge(name, maxBytes);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    size += bytes.byteLength;
    if (size > maxBytes) throw tooLarge(name, maxBytes);
    chunks.push(bytes);
  }
  return { bytes: Buffer.concat(chunks, size), etag: response.etag ?? '' };
}

async function downloadRange(
  container: ContainerClient,
  name: string,
  { offset, length, signal }: RangeOptions & { readonly signal: AbortSignal },
): Promise<Buffer | undefined> {
  try {
    const response = await container.getBlobClient(name).download(offset, length, { abortSignal: signal });
    const chunks: Buffer[] = [];
    for await (const chunk of Readable.from(response.readableStreamBody ?? [])) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function listNames(
  container: ContainerClient,
  prefix: string,
  limit: number,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const names: string[] = [];
  for await (const blob of container.listBlobsFlat({ prefix, abortSignal })) {
    names.push(blob.name);
    if (names.length >= limit) break;
  }
  return names;
}

/** What a listing asks of the service at a time, 5,000 at most. */
const pageSize = ({ limit }: ListOptions): number => Math.min(limit, 5_000);

async function listEntries(
  container: ContainerClient,
  prefix: string,
  options: ListOptions & { readonly signal: AbortSignal },
): Promise<BlobEntry[]> {
  const { from, limit, signal } = options;
  const query = {
    prefix,
    abortSignal: signal,
    includeMetadata: true,
    ...(from === undefined ? {} : { startFrom: from }),
  };
  const entries: BlobEntry[] = [];
  for await (const page of container.listBlobsFlat(query).byPage({ maxPageSize: pageSize(options) })) {
    for (const { name, metadata = {}, properties } of page.segment.blobItems) {
      entries.push({ name, metadata, lastModified: properties.lastModified });
    }
    if (entries.length >= limit) break;
  }
  return entries.slice(0, limit);
}

async function listFolders(
  container: ContainerClient,
  prefix: string,
  options: ListOptions & { readonly signal: AbortSignal },
): Promise<string[]> {
  const { from, limit, signal } = options;
  const query = { prefix, abortSignal: signal, ...(from === undefined ? {} : { startFrom: from }) };
  const folders: string[] = [];
  for await (const page of container.listBlobsByHierarchy('/', query).byPage({ maxPageSize: pageSize(options) })) {
    for (const { name } of page.segment.blobPrefixes ?? []) folders.push(name);
    if (folders.length >= limit) break;
  }
  return folders.slice(0, limit);
}

const tooLarge = (name: string, maxBytes: number): CaptionfleetError =>
  new CaptionfleetError('IMAGE_TOO_LARGE', `blob "${name}" has more than ${maxBytes} bytes`);

/**
 * URL clients and servers resolve `.` and `..`, also behind a backslash, so such a name could leave its container.
 */
export function assertPlainName(name: string): void {
  const plain = name.length > 0 && name.length <= 1024 && !/[\\\p{Cc}]/u.test(name);
  if (plain && !name.split('/').some((segment) => segment === '.' || segment === '..')) return;
  throw new CaptionfleetError(
    'SOURCE_NOT_FOUND',
    'a blob name has 1 to 1024 characters, none of them a control character or backslash, and no "." or ".." segment',
  );
}

export const isAlreadyThere = (error: unknown): boolean =>
  error instanceof RestError &&
  (error.statusCode === 412 || (error.statusCode === 409 && /AlreadyExists|Immutable/.test(error.code ?? '')));

/** Another has the lease. */
const isHeld = (error: unknown): boolean => error instanceof RestError && error.statusCode === 409;

export const isAbsent = (error: unknown): boolean => error instanceof RestError && error.statusCode === 404;

const transientStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function isTransient(error: unknown): boolean {
  if (error instanceof CaptionfleetError) return false;
  if (!(error instanceof RestError)) return true;
  return error.statusCode === undefined || transientStatuses.has(error.statusCode);
}

export function storageError(action: string, error: unknown): CaptionfleetError {
  if (error instanceof CaptionfleetError) return error;
  if (!(error instanceof RestError)) {
    return new CaptionfleetError('STORAGE_UNAVAILABLE', `could not ${action}: no answer`, { cause: error });
  }
  const answer = error.statusCode === undefined ? 'no answer' : `answer ${error.statusCode}`;
  // The SDK's error holds the request with its Authorization header, so it is not kept as the cause.
  const cause = new Error(`${error.name} ${error.code ?? ''}`.trim());
  return new CaptionfleetError('STORAGE_UNAVAILABLE', `could not ${action}: ${answer} (${cause.message})`, { cause });
}

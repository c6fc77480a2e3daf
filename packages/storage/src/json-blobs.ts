import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { BlobStore } from './blob-store.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The part of a zod schema that is used here. */
export interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error };
}

/** Bytes of a document; a request at every limit stays below. */
const maxDocumentBytes = 4 * 1024 * 1024;

/** Blobs that are JSON documents of a known form, written once. */
export function jsonBlobs(store: BlobStore) {
  const write = async (schema: Schema<unknown>, name: string, value: object, options: WriteOptions) => {
    // What could not be read back must not be stored: nothing replaces it later.
    const bytes = Buffer.from(JSON.stringify(value));
    parseDocument(schema, name, bytes);
    return await store.putOnce(name, bytes, 'application/json', options);
  };
  const read = async <T>(schema: Schema<T>, name: string, { signal }: CallOptions): Promise<T | undefined> => {
    const bytes = await store.read(name, { maxBytes: maxDocumentBytes, signal });
    return bytes === undefined ? undefined : parseDocument(schema, name, bytes);
  };
  /** The value that stands: this one, or the one that another writer stored first. */
  const writeFirst = async <T>(schema: Schema<T>, name: string, value: T, document: object, options: WriteOptions) => {
    if ((await write(schema, name, document, options)) === 'created') return value;
    const standing = await read(schema, name, options);
    if (standing !== undefined) return standing;
    throw new CaptionfleetError('STORAGE_UNAVAILABLE', `blob "${name}" exists and cannot be read`);
  };
  return { write, read, writeFirst };
}

/** @throws INTERNAL when the bytes are not a document of this form */
export function parseDocument<T>(schema: Schema<T>, name: string, bytes: Uint8Array): T {
  const parsed = schema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  throw new CaptionfleetError('INTERNAL', `blob "${name}" does not have the form of this version`, {
    cause: parsed.error,
  });
}

/** `undefined`, which no schema here accepts, for bytes that are not JSON. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

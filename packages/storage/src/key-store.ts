import { type ApiKeyRecord, ApiKeyRecordSchema } from '@captionfleet/protocol/api-key';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { BlobStore } from './blob-store.ts';
import { parseDocument } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface StoredKey {
  readonly record: ApiKeyRecord;
  readonly revoked: boolean;
}

export interface ListedKey extends StoredKey {
  /** The last day of its use, such as 2026-11-25; undefined when it was never used. */
  readonly lastUsed: string | undefined;
}

/**
 * The API keys of a fleet, in Blob. All blobs are written once: a key as `keys/{id}.json`, its revocation as a second blob
 * beside it, and each day of its use as `key-uses/{id}/{day}`. So nobody can widen a key or take a revocation back, and what was
 * revoked stays so whatever becomes of Redis. Fails with STORAGE_UNAVAILABLE, or INTERNAL for a record that is damaged.
 */
export interface KeyStore {
  create(record: ApiKeyRecord, options?: CallOptions): Promise<void>;
  find(id: string, options?: CallOptions): Promise<StoredKey | undefined>;
  /** For good; false when there is no such key. */
  revoke(id: string, options?: CallOptions): Promise<boolean>;
  /** Notes that a key was used on a day, once. */
  noteUse(id: string, day: string, options?: CallOptions): Promise<void>;
  /** All keys, the revoked and expired too, oldest first. */
  list(options?: CallOptions): Promise<ListedKey[]>;
}

const maxRecordBytes = 16 * 1024;
/** Keys of a fleet that a list shows, and days of use of one. */
const limits = { listed: 20_000, days: 10_000 } as const;

const names = {
  record: (id: string): string => `keys/${id}.json`,
  revocation: (id: string): string => `keys/${id}.revoked.json`,
  uses: (id: string): string => `key-uses/${id}/`,
};
const recordName = /^keys\/([^/.]+)\.json$/;

export function openKeyStore(store: BlobStore): KeyStore {
  const write = (name: string, value: object, { signal }: CallOptions) =>
    store.putOnce(name, Buffer.from(JSON.stringify(value)), 'application/json', { signal });
  const read = (name: string, { signal }: CallOptions) => store.read(name, { maxBytes: maxRecordBytes, signal });

  const find: KeyStore['find'] = async (id, options = {}) => {
    const [bytes, revocation] = await Promise.all([
      read(names.record(id), options),
      read(names.revocation(id), options),
    ]);
    return bytes === undefined ? undefined : { record: parseRecord(id, bytes), revoked: revocation !== undefined };
  };

  return {
    find,
    async create(record, options = {}) {
      ApiKeyRecordSchema.parse(record);
      if ((await write(names.record(record.id), record, options)) === 'created') return;
      // Either an earlier try of this very call, or another key of the same id.
      const standing = await find(record.id, options);
      if (standing?.record.sha256 === record.sha256) return;
      throw new CaptionfleetError('INTERNAL', 'there is a key of this id already');
    },
    async revoke(id, options = {}) {
      if ((await find(id, options)) === undefined) return false;
      await write(names.revocation(id), { revokedAt: new Date().toISOString() }, options);
      return true;
    },
    async noteUse(id, day, options = {}) {
      await write(`${names.uses(id)}${day}`, {}, options);
    },
    async list(options = {}) {
      const listed = await store.list('keys/', { limit: limits.listed, signal: options.signal });
      const ids = listed.flatMap((name) => recordName.exec(name)?.[1] ?? []);
      const keys: ListedKey[] = [];
      for (const id of ids) {
        const [key, days] = await Promise.all([
          find(id, options),
          store.list(names.uses(id), { limit: limits.days, signal: options.signal }),
        ]);
        if (key !== undefined) keys.push({ ...key, lastUsed: days.at(-1)?.slice(names.uses(id).length) });
      }
      return keys.sort((a, b) => a.record.createdAt.localeCompare(b.record.createdAt));
    },
  };
}

function parseRecord(id: string, bytes: Uint8Array): ApiKeyRecord {
  const name = names.record(id);
  const record = parseDocument(ApiKeyRecordSchema, name, bytes);
  if (record.id === id) return record;
  throw new CaptionfleetError('INTERNAL', `blob "${name}" does not have the form of this version`);
}

import { timingSafeEqual } from 'node:crypto';
import { type ApiKey, type ApiKeyRecord, digestOfKey } from '@captionfleet/protocol/api-key';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { KeyStore, StoredKey } from '@captionfleet/storage/key-store';
import type { Principal } from './principal.ts';
import { Recent } from './recent.ts';

const limits = {
  /** Milliseconds for which a look at the store counts: so long a revoked key may go on. */
  freshMs: 3_000,
  /** For one look. */
  lookMs: 5_000,
  /** Looks at a time. Anybody can make up keys with a good checksum, and each of them costs one. */
  looks: 64,
  /** Keys whose last look, also one that found nothing, is kept. */
  kept: 10_000,
} as const;

interface Look {
  readonly at: number;
  readonly found: Promise<StoredKey | undefined>;
}

/** Callers by their API keys. */
export class ApiKeys {
  readonly #store: Pick<KeyStore, 'find' | 'noteUse'>;
  readonly #looks = new Recent<string, Look>(limits.kept);
  readonly #used = new Recent<string, string>(limits.kept);
  #looking = 0;

  constructor(store: Pick<KeyStore, 'find' | 'noteUse'>) {
    this.#store = store;
  }

  /** @throws UNAUTHENTICATED, STORAGE_UNAVAILABLE, or RATE_LIMITED when too many keys are being looked up */
  async authenticate(key: ApiKey): Promise<Principal> {
    const stored = await this.#find(key.id);
    const isTheKey =
      stored !== undefined && timingSafeEqual(Buffer.from(stored.record.sha256, 'hex'), digestOfKey(key));
    if (!isTheKey) throw refused('this fleet has no such key');
    if (stored.revoked) throw refused('the key is revoked');
    const { tenant, scopes, expiresAt } = stored.record;
    if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now())
      throw refused(`the key expired at ${expiresAt}`);
    this.#noteUse(stored.record);
    return { id: `key:${key.id}`, tenant, scopes: new Set(scopes) };
  }

  #find(id: string): Promise<StoredKey | undefined> {
    const last = this.#looks.get(id);
    if (last !== undefined && performance.now() - last.at < limits.freshMs) return last.found;
    if (this.#looking >= limits.looks) {
      throw new CaptionfleetError('RATE_LIMITED', 'too many keys are being looked up', { retryAfterSeconds: 1 });
    }
    const look: Look = { at: performance.now(), found: this.#look(id) };
    this.#looks.set(id, look);
    look.found.catch(() => {
      if (this.#looks.get(id) === look) this.#looks.delete(id);
    });
    return look.found;
  }

  async #look(id: string): Promise<StoredKey | undefined> {
    this.#looking += 1;
    const signal = AbortSignal.timeout(limits.lookMs);
    try {
      return await this.#store.find(id, { signal });
    } catch (cause) {
      if (!signal.aborted) throw cause;
      throw new CaptionfleetError('STORAGE_UNAVAILABLE', 'could not look a key up: no answer', { cause });
    } finally {
      this.#looking -= 1;
    }
  }

  /** Once a day, and not waited for: it is for people who clean up, and no caller is held up or refused for it. */
  #noteUse({ id }: ApiKeyRecord): void {
    const day = new Date().toISOString().slice(0, 10);
    if (this.#used.get(id) === day) return;
    this.#used.set(id, day);
    this.#store.noteUse(id, day).catch(() => this.#used.delete(id));
  }
}

const refused = (why: string): CaptionfleetError => new CaptionfleetError('UNAUTHENTICATED', why);

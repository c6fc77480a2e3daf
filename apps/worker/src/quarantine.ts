import { createHash } from 'node:crypto';
import type { ImageReference } from '@captionfleet/protocol/image-reference';

/**
 * The images that ended inference processes, by the SHA-256 of their bytes, or by their source when a process ended before
 * it had read them. It holds `limit` of them; the oldest is forgotten first.
 */
export class Quarantine {
  readonly #limit: number;
  readonly #hashes = new Set<string>();
  readonly #sources = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get hashes(): readonly string[] {
    return [...this.#hashes];
  }

  addHash(sha256: string): void {
    this.#add(this.#hashes, sha256);
  }

  addSource(source: ImageReference): void {
    this.#add(this.#sources, keyOf(source));
  }

  hasSource(source: ImageReference): boolean {
    return this.#sources.size > 0 && this.#sources.has(keyOf(source));
  }

  #add(keys: Set<string>, key: string): void {
    keys.add(key);
    const [oldest] = keys;
    if (keys.size > this.#limit && oldest !== undefined) keys.delete(oldest);
  }
}

/** A digest, since the query of a URL may be a secret. */
const keyOf = (source: ImageReference): string => createHash('sha256').update(JSON.stringify(source)).digest('hex');

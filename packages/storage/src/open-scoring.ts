import { openScoring } from '@captionfleet/protocol/blob-names';
import type { RequestId } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BlobStore, Lease } from './blob-store.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

interface OpenJob {
  readonly tenant: Tenant;
  readonly id: RequestId;
}

/**
 * The scoring jobs that have not ended, as marks in Blob. Who works on one has a lease of its mark, and removes the mark when the
 * job has ended. Fails with STORAGE_UNAVAILABLE.
 */
export interface OpenScoring {
  add(job: OpenJob, options?: CallOptions): Promise<void>;
  /** The oldest of each tenant first, and not too many. */
  list(options?: CallOptions): Promise<OpenJob[]>;
  /** Undefined when another one has it, or it is not open. */
  hold(job: OpenJob, options?: CallOptions): Promise<Lease | undefined>;
}

const listed = 1_000;

export const openOpenScoring = (store: BlobStore): OpenScoring => ({
  async add({ tenant, id }, options) {
    await store.putOnce(openScoring.name(tenant, id), new Uint8Array(0), 'application/octet-stream', options);
  },
  async list({ signal } = {}) {
    const names = await store.list(openScoring.folder, { limit: listed, signal });
    return names.flatMap((name) => openScoring.read(name) ?? []);
  },
  hold: async ({ tenant, id }, options) => await store.lease(openScoring.name(tenant, id), options),
});

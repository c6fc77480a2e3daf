import { digestOfKey, KeyIdSchema, makeApiKey } from '@captionfleet/protocol/api-key';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Scope } from '@captionfleet/protocol/scope';
import { readFleetConfig } from '@captionfleet/protocol/settings';
import type { Tenant } from '@captionfleet/protocol/tenant';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { type KeyStore, type ListedKey, openKeyStore } from '@captionfleet/storage/key-store';

interface CreateFlags {
  readonly tenant: Tenant;
  readonly scope: readonly Scope[];
  readonly environment: string;
  readonly name?: string | undefined;
  /** Days until it expires; 0: it does not. */
  readonly days: number;
}

const dayMs = 24 * 60 * 60 * 1_000;

/** Makes a key in the fleet that the environment names. Its text is returned this once and kept nowhere. */
export async function keyCreateCommand(
  { tenant, scope, environment, name, days }: CreateFlags,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly text: string; readonly expiresAt: string | undefined }> {
  const keys = await openKeys(env, { signal, create: true });
  const key = makeApiKey(environment);
  const now = Date.now();
  const expiresAt = days === 0 ? undefined : new Date(now + days * dayMs).toISOString();
  const record = {
    version: 1 as const,
    id: key.id,
    sha256: digestOfKey(key).toString('hex'),
    tenant,
    scopes: [...new Set(scope)],
    createdAt: new Date(now).toISOString(),
    ...(name === undefined ? {} : { name }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  await keys.create(record, { signal });
  return { ...key, expiresAt };
}

/** A line for each key: everything but its digest. */
export async function keyListCommand(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<object[]> {
  const keys = await openKeys(env, { signal });
  const now = Date.now();
  return (await keys.list({ signal })).map((key) => {
    const { id, name, tenant, scopes, createdAt, expiresAt } = key.record;
    return { id, name, tenant, scopes, state: stateOf(key, now), createdAt, expiresAt, lastUsed: key.lastUsed };
  });
}

function stateOf({ revoked, record: { expiresAt } }: ListedKey, now: number): 'active' | 'revoked' | 'expired' {
  if (revoked) return 'revoked';
  return expiresAt !== undefined && Date.parse(expiresAt) <= now ? 'expired' : 'active';
}

/** For good. @throws NOT_FOUND */
export async function keyRevokeCommand(id: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  // Not the text: it may be a whole key.
  if (!KeyIdSchema.safeParse(id).success) {
    throw new CaptionfleetError('OPTION_INVALID', 'this is not the id of a key, which `key list` shows');
  }
  const keys = await openKeys(env, { signal });
  if (!(await keys.revoke(id, { signal }))) throw new CaptionfleetError('NOT_FOUND', `there is no key ${id}`);
}

async function openKeys(
  env: NodeJS.ProcessEnv,
  { signal, create = false }: { signal: AbortSignal; create?: boolean },
): Promise<KeyStore> {
  const { blobAccount, container } = readFleetConfig(env);
  const blobs = await openBlobStore({ ...blobAccount, container });
  if (create) await blobs.ensureContainer({ signal });
  return openKeyStore(blobs);
}

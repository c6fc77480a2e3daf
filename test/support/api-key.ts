import { digestOfKey, makeApiKey } from '@captionfleet/protocol/api-key';
import { scopes } from '@captionfleet/protocol/scope';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openKeyStore } from '@captionfleet/storage/key-store';
import type { TestFleet } from './fleet.ts';

/** A key of the default tenant that opens every route of a fleet. */
export async function newApiKey({ connectionString, container }: TestFleet): Promise<string> {
  const key = makeApiKey('test');
  const blobs = await openBlobStore({ connectionString, container });
  await openKeyStore(blobs).create({
    version: 1,
    id: key.id,
    sha256: digestOfKey(key).toString('hex'),
    tenant: 'default',
    scopes: [...scopes],
    createdAt: new Date().toISOString(),
  });
  return key.text;
}

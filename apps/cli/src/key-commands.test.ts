import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readApiKey } from '@captionfleet/protocol/api-key';
import { openBlobStore } from '@captionfleet/storage/blob-store';
import { openKeyStore } from '@captionfleet/storage/key-store';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';
import { captionfleet } from '../../../test/support/command-line.ts';

let azurite: TestAzurite;
let env: Readonly<Record<string, string>>;
before(async () => {
  azurite = await startAzurite();
  env = { AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString, CAPTIONFLEET_CONTAINER: 'keys-of-a-test' };
});
after(async () => await azurite[Symbol.asyncDispose]());

const listed = async () =>
  (await captionfleet(['key', 'list'], env)).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a key is made, listed without its secret, and revoked', async () => {
  const made = await captionfleet(
    ['key', 'create', '--tenant', 'acme', '--scope', 'captions:write', 'captions:read', '--name', 'a laptop'],
    env,
  );
  assert.equal(made.code, 0, made.stderr);
  const key = readApiKey(made.stdout.trim());
  assert.ok(key !== undefined, made.stdout);
  assert.ok(!made.stderr.includes(key.text));
  assert.match(made.stderr, new RegExp(`key ${key.id} of acme .*only time`));

  const { createdAt, expiresAt, ...line } = (await listed())[0];
  assert.deepEqual(line, {
    id: key.id,
    name: 'a laptop',
    tenant: 'acme',
    scopes: ['captions:write', 'captions:read'],
    state: 'active',
  });
  assert.equal(Date.parse(expiresAt) - Date.parse(createdAt), 365 * 24 * 60 * 60 * 1_000);
  const blobs = await openBlobStore({ connectionString: azurite.connectionString, container: 'keys-of-a-test' });
  for (const name of await blobs.list('', { limit: 100 })) {
    const stored = Buffer.from((await blobs.read(name, { maxBytes: 10_000 })) ?? []).toString();
    assert.ok(!stored.includes(key.text.slice(-40, -6)), name);
  }

  assert.equal((await captionfleet(['key', 'revoke', key.id], env)).code, 0);
  assert.equal((await listed())[0].state, 'revoked');
  assert.equal((await openKeyStore(blobs).find(key.id))?.revoked, true);
});

test('wrong words are refused before anything is made, and a key that is given as an id is not repeated', async () => {
  const wrong: readonly (readonly string[])[] = [
    ['create', '--tenant', 'acme'],
    ['create', '--scope', 'captions:write'],
    ['create', '--tenant', 'Acme', '--scope', 'captions:write'],
    ['create', '--tenant', 'acme', '--scope', 'everything'],
    ['create', '--tenant', 'acme', '--scope', 'captions:write', '--environment', 'a_b'],
    ['revoke', 'cap_live_canary'],
  ];
  for (const words of wrong) {
    const { code, stderr } = await captionfleet(['key', ...words], env);
    assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /canary/);
  }
  const unknown = await captionfleet(['key', 'revoke', '00000000000'], env);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^captionfleet: NOT_FOUND: /);
});

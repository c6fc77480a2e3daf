// Tokens against keys that a server of the test's own gives: what Entra issues is accepted, everything else is not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { type EntraConfig, EntraTokens } from './entra-tokens.ts';

const tid = '11111111-2222-3333-4444-555555555555';
const otherTid = '99999999-2222-3333-4444-555555555555';
const clientId = '66666666-7777-8888-9999-aaaaaaaaaaaa';
const application = 'bbbbbbbb-cccc-dddd-eeee-ffffffffffff';
const oid = '12121212-3434-5656-7878-909090909090';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;
let good: KeyPair;
let stranger: KeyPair;
let elliptic: KeyPair;

/** The identity provider: gives its keys, or fails as it is told. */
const provider = {
  asked: [] as string[],
  status: 200,
  kids: ['one'] as string[],
  authority: '',
};
const server = createServer(async (request, response) => {
  provider.asked.push(request.url ?? '');
  const keys = await Promise.all(
    provider.kids.map(async (kid) => ({ ...(await exportJWK(good.publicKey)), kid, use: 'sig', kty: 'RSA' })),
  );
  response.writeHead(provider.status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
});

before(async () => {
  good = await generateKeyPair('RS256', { extractable: true });
  stranger = await generateKeyPair('RS256', { extractable: true });
  elliptic = await generateKeyPair('ES256');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  provider.authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());
beforeEach(() => {
  Object.assign(provider, { asked: [], status: 200, kids: ['one'] });
});

const open = (config: Partial<EntraConfig> = {}) =>
  new EntraTokens({ authority: provider.authority, tenants: [tid], clientId, tenantNames: new Map(), ...config });

const now = (): number => Math.floor(Date.now() / 1_000);
/** The claims of a v2 access token that an application got for itself. */
const claims = (changed: JWTPayload = {}): JWTPayload => ({
  iss: `${provider.authority}/${tid}/v2.0`,
  aud: clientId,
  tid,
  oid,
  sub: oid,
  azp: application,
  ver: '2.0',
  iat: now(),
  nbf: now(),
  exp: now() + 3_600,
  roles: ['captions:write'],
  ...changed,
});
/** The same of v1. */
const claimsV1 = (changed: JWTPayload = {}): JWTPayload => {
  const { azp: _, ...rest } = claims();
  return {
    ...rest,
    iss: `https://sts.windows.net/${tid}/`,
    aud: `api://${clientId}`,
    appid: application,
    ver: '1.0',
    ...changed,
  };
};

const sign = (payload: JWTPayload, header: Partial<JWTHeaderParameters> = {}, key = good.privateKey): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'one', ...header }).sign(key);

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('tokens of an application and of a person, v1 and v2, are accepted with the scopes that are ours', async () => {
  const tokens = open();
  const application2 = await tokens.authenticate(await sign(claims({ roles: ['captions:write', 'Mail.Send'] })));
  assert.deepEqual(application2, {
    id: `entra:${tid}:${application}:${oid}`,
    tenant: tid,
    scopes: new Set(['captions:write']),
  });
  const { roles: _, ...delegated } = claims({ scp: 'captions:read captions:write', aud: `api://${clientId}` });
  assert.deepEqual(
    (await tokens.authenticate(await sign(delegated))).scopes,
    new Set(['captions:write', 'captions:read']),
  );
  assert.equal((await tokens.authenticate(await sign(claimsV1()))).id, application2.id);
  assert.deepEqual((await tokens.authenticate(await sign(claims({ roles: ['Mail.Send'] })))).scopes, new Set());
  assert.deepEqual(provider.asked, [`/${tid}/discovery/v2.0/keys`], 'the keys are fetched once');
});

test('our tenant is the one that the configuration has for the application, else for its tenant', async () => {
  const tenantNames = new Map([
    [tid, 'acme'],
    [`${tid}/${application}`, 'acme-batch'],
  ]);
  const tokens = open({ tenantNames });
  assert.equal((await tokens.authenticate(await sign(claims()))).tenant, 'acme-batch');
  assert.equal((await tokens.authenticate(await sign(claims({ azp: clientId })))).tenant, 'acme');
});

test('clocks may differ by a minute and no more', async () => {
  const tokens = open();
  await tokens.authenticate(await sign(claims({ exp: now() - 50 })));
  await tokens.authenticate(await sign(claims({ nbf: now() + 50 })));
  await assert.rejects(tokens.authenticate(await sign(claims({ exp: now() - 70 }))), /has expired/);
  await assert.rejects(tokens.authenticate(await sign(claims({ nbf: now() + 70 }))), /nbf/);
});

const without = (name: string): JWTPayload => {
  const { [name]: _, ...rest } = claims();
  return rest;
};

type Make = () => Promise<string>;

/** Each is a good token but for one thing, under what is said of it. */
const bad: Readonly<Record<string, Readonly<Record<string, Make>>>> = {
  'the token must be signed with RS256': {
    'no signature, alg none': async () => `${base64({ alg: 'none', typ: 'JWT', kid: 'one' })}.${base64(claims())}.`,
    'alg none with a signature': async () =>
      `${base64({ alg: 'none', kid: 'one' })}.${(await sign(claims())).split('.').slice(1).join('.')}`,
    'HS256 with the public key as its secret': async () =>
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(Buffer.from(await exportSPKI(good.publicKey))),
    RS512: async () => await sign(claims(), { alg: 'RS512' }, (await generateKeyPair('RS512')).privateKey),
    ES256: async () => await sign(claims(), { alg: 'ES256' }, elliptic.privateKey),
  },
  'the token is signed with an unknown key': {
    'an unknown kid': async () => await sign(claims(), { kid: 'two' }),
    'no kid': async () => await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(good.privateKey),
  },
  'the signature of the token is wrong': {
    'the key of a stranger': async () => await sign(claims(), {}, stranger.privateKey),
    "a stranger's key in the header as jwk": async () =>
      await sign(claims(), { jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey),
    "a stranger's keys as jku": async () =>
      await sign(claims(), { jku: `${provider.authority}/stranger/keys` }, stranger.privateKey),
    'claims that were changed': async () => {
      const [head, , signature] = (await sign(claims())).split('.');
      return `${head}.${base64(claims({ roles: ['captions:read'] }))}.${signature}`;
    },
  },
  'the token cannot be read': {
    'a critical header that is unknown': async () =>
      await new SignJWT(claims())
        .setProtectedHeader({ alg: 'RS256', kid: 'one', crit: ['x'], x: 1 })
        .sign(good.privateKey, { crit: { x: true } }),
  },
  'the claim aud is not accepted': {
    'another audience': async () => await sign(claims({ aud: application })),
    'the audience of Graph': async () => await sign(claims({ aud: 'https://graph.microsoft.com' })),
    'no audience': async () => await sign(without('aud')),
  },
  'the claim iss is not accepted': {
    'another issuer': async () => await sign(claims({ iss: `https://login.example.org/${tid}/v2.0` })),
    "another tenant's issuer": async () => await sign(claims({ iss: `${provider.authority}/${otherTid}/v2.0` })),
    "v1's issuer without its slash": async () => await sign(claimsV1({ iss: `https://sts.windows.net/${tid}` })),
  },
  'the token is of no tenant that this fleet accepts': {
    'a tenant that is not accepted': async () =>
      await sign(claims({ tid: otherTid, iss: `${provider.authority}/${otherTid}/v2.0` })),
    'no tenant': async () => await sign(without('tid')),
    'an accepted tenant in a path to another': async () => await sign(claims({ tid: `${tid}/../${otherTid}` })),
    nothing: async () => '..',
    'no JSON': async () => 'a.b.c',
  },
  'the token has expired': { 'an end that has come': async () => await sign(claims({ exp: now() - 3_600 })) },
  'the claim exp is missing or wrong': { 'no end': async () => await sign(without('exp')) },
  'the claim nbf is not accepted': {
    'a beginning to come': async () => await sign(claims({ nbf: now() + 3_600 })),
  },
  'the claim nbf is missing or wrong': { 'no beginning': async () => await sign(without('nbf')) },
  'the token has neither scp nor roles': { 'neither scp nor roles': async () => await sign(without('roles')) },
  'the claim roles is missing or wrong': {
    'roles that are no list': async () => await sign(claims({ roles: 'captions:write' })),
  },
  'this is an ID token; send an access token for this API': {
    'the marks of an ID token': async () => await sign(claims({ nonce: 'n' })),
    'no application': async () => await sign(without('azp')),
  },
  'the token is longer than any of Entra': {
    'too many characters': async () => await sign(claims({ padding: 'x'.repeat(20_000) })),
  },
};

for (const [message, tokens] of Object.entries(bad)) {
  for (const [what, make] of Object.entries(tokens)) {
    test(`a token with ${what} is refused: ${message}`, async () => {
      await assert.rejects(open().authenticate(await make()), { code: 'UNAUTHENTICATED', message });
      const elsewhere = provider.asked.filter((path) => path !== `/${tid}/discovery/v2.0/keys`);
      assert.deepEqual(elsewhere, [], 'no other keys are asked for');
    });
  }
}

test('many tokens with unknown keys cause no fetch of their own', async () => {
  const tokens = open();
  await tokens.authenticate(await sign(claims()));
  for (let index = 0; index < 20; index += 1) {
    await assert.rejects(tokens.authenticate(await sign(claims(), { kid: `made-up-${index}` })), {
      code: 'UNAUTHENTICATED',
    });
  }
  assert.equal(provider.asked.length, 1);
});

test('without the keys of the provider no token is believed, and good ones are again when they come', async () => {
  const tokens = open();
  const token = await sign(claims());
  provider.status = 500;
  await assert.rejects(tokens.authenticate(token), { code: 'IDENTITY_UNAVAILABLE', retryable: true });
  provider.status = 302;
  await assert.rejects(tokens.authenticate(token), { code: 'IDENTITY_UNAVAILABLE' });
  provider.status = 200;
  assert.equal((await tokens.authenticate(token)).tenant, tid);
  // Keys that are known go on without it.
  provider.status = 500;
  assert.equal((await tokens.authenticate(token)).tenant, tid);

  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const authority = `http://127.0.0.1:${port}`;
  const unreachable = await sign(claims({ iss: `${authority}/${tid}/v2.0` }));
  await assert.rejects(open({ authority }).authenticate(unreachable), { code: 'IDENTITY_UNAVAILABLE' });
});

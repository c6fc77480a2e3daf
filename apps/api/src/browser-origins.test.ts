import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBackends, startTestApi, type TestApi, type TestBackends } from './test-api.ts';

const page = 'https://app.example.org';
const preflight = {
  method: 'OPTIONS',
  url: '/v1/captions',
  headers: {
    origin: page,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,idempotency-key,prefer',
  },
} as const;

let backends: TestBackends;
let closed: TestApi;
let open: TestApi;

before(async () => {
  backends = await startBackends();
  closed = await startTestApi(backends);
  open = await startTestApi(backends, { corsOrigins: [page] });
});
after(async () => {
  await closed?.[Symbol.asyncDispose]();
  await open?.[Symbol.asyncDispose]();
  await backends?.[Symbol.asyncDispose]();
});

test('without origins the API says nothing to browsers', async () => {
  const answer = await closed.app.inject(preflight);
  assert.equal(answer.statusCode, 405);
  const read = await closed.app.inject({ url: '/livez', headers: { origin: page } });
  for (const { headers } of [answer, read]) assert.equal(headers['access-control-allow-origin'], undefined);
});

test('a page of a named origin may send what the client sends, and read the headers that it reads', async () => {
  const { statusCode, headers } = await open.app.inject(preflight);
  assert.equal(statusCode, 204);
  assert.equal(headers['access-control-allow-origin'], page);
  assert.match(String(headers['access-control-allow-methods']), /POST/);
  assert.equal(headers['access-control-allow-headers'], 'authorization,idempotency-key,prefer');
  assert.equal(headers['access-control-allow-credentials'], undefined);
  const refused = await open.app.inject({
    method: 'POST',
    url: '/v1/captions',
    headers: { origin: page },
    payload: {},
  });
  assert.equal(refused.statusCode, 400);
  assert.equal(refused.headers['access-control-allow-origin'], page);
  assert.match(String(refused.headers['access-control-expose-headers']), /Retry-After/);
  assert.match(String(refused.headers.vary), /Origin/i);
});

test('a page of another origin may not, nor one without any', async () => {
  for (const origin of ['https://app.example.org.evil.example', 'http://app.example.org', 'null']) {
    const { headers } = await open.app.inject({ ...preflight, headers: { ...preflight.headers, origin } });
    assert.notEqual(headers['access-control-allow-origin'], origin);
    assert.notEqual(headers['access-control-allow-origin'], '*');
  }
});

test('OPTIONS of what is no preflight is a problem', async () => {
  const answer = await open.app.inject({ method: 'OPTIONS', url: '/v1/captions' });
  assert.equal(answer.statusCode, 400);
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
});

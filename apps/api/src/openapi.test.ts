import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { startBackends, startTestApi, type TestApi, type TestBackends } from './test-api.ts';

interface MediaType {
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: { readonly code: string; readonly status: number } }>>;
}
interface Described {
  readonly description: string;
  readonly content?: Readonly<Record<string, MediaType>>;
}
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly requestBody?: Described;
  readonly responses: Readonly<Record<string, Described>>;
}

let backends: TestBackends;
let api: TestApi;
let source: string;
let operations: readonly Operation[];

before(async () => {
  backends = await startBackends();
  api = await startTestApi(backends);
  source = (await api.app.inject('/openapi.json')).body;
  const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = JSON.parse(source).paths;
  operations = Object.values(paths).flatMap((methods) => Object.values(methods));
});
after(async () => {
  await api?.[Symbol.asyncDispose]();
  await backends?.[Symbol.asyncDispose]();
});

test('a linter finds nothing: form, references, security, and every example fits its schema', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      'no-invalid-media-type-examples': 'error',
      'no-invalid-schema-examples': 'error',
      'no-unused-components': 'error',
      'operation-operationId': 'error',
      'tag-description': 'error',
    },
  });
  const problems = await lintFromString({ source, config });
  const found = problems.map(({ ruleId, message, location }) => `${location[0]?.pointer}: ${message} (${ruleId})`);
  assert.deepEqual(found, []);
});

test('the linter sees an example that does not fit its schema', async () => {
  const config = await createConfig({ rules: { 'no-invalid-media-type-examples': 'error' } });
  const broken = source.replaceAll('"texts":["two cats","a dog on a beach"]', '"texts":7');
  assert.notEqual(broken, source);
  const problems = await lintFromString({ source: broken, config });
  assert.ok(problems.some(({ ruleId }) => ruleId === 'no-invalid-media-type-examples'));
});

/** Every body and answer of the document, but bytes, which have no example that JSON could hold. */
const mediaTypes = () =>
  operations.flatMap(({ operationId, requestBody, responses }) =>
    Object.entries({ body: requestBody, ...responses }).flatMap(([where, described]) =>
      Object.entries(described?.content ?? {}).flatMap(([type, media]) =>
        type === 'application/octet-stream' ? [] : [{ what: `${operationId} ${where} ${type}`, where, type, ...media }],
      ),
    ),
  );

test('each body and each answer has an example, and each problem one of every code that it can have', () => {
  const [problems, others] = [true, false].map((wanted) =>
    mediaTypes().filter(({ type }) => (type === 'application/problem+json') === wanted),
  );
  assert.deepEqual(
    others?.filter(({ example }) => example === undefined).map(({ what }) => what),
    [],
    'openapi-examples.ts has no example for these',
  );
  for (const { what, where, examples = {} } of problems ?? []) {
    const statuses = Object.values(examples).map(({ value }) => String(value.status));
    assert.ok(statuses.length > 0, what);
    assert.ok(
      statuses.every((status) => status === where),
      what,
    );
  }
});

test('every operation says what can come before its route, and belongs to one group', () => {
  for (const { operationId, tags, responses } of operations) {
    assert.equal(tags.length, 1, operationId);
    for (const status of ['400', '408', '415', '431', '500'])
      assert.ok(status in responses, `${operationId} ${status}`);
  }
});

test('servers: this host, or where the fleet says that it is reached', () => {
  assert.deepEqual(JSON.parse(source).servers, [{ url: '/', description: 'This fleet.' }]);
});

test('the page for readers names no other host and allows none', async () => {
  const page = await api.app.inject('/docs');
  const start = page.statusCode === 302 ? await api.app.inject(String(page.headers.location)) : page;
  assert.equal(start.statusCode, 200);
  assert.match(String(start.headers['content-type']), /^text\/html/);
  assert.doesNotMatch(start.body, /https?:\/\//);
  assert.doesNotMatch(start.body, /<script>|<style|style=/);
  const policy = String(start.headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-(?:inline|eval)|https?:|\*/);
  const files = [...start.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
  assert.ok(files.length >= 4, start.body);
  for (const file of files) {
    const { statusCode, headers } = await api.app.inject(new URL(file, 'http://fleet/docs/').pathname);
    assert.equal(statusCode, 200, file);
    assert.equal(headers['x-content-type-options'], 'nosniff', file);
  }
});

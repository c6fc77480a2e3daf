// Listing requests, on a real queue and a real Blob storage.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { newRequestId, requestIdTime } from './request-id.ts';
import { ListingSchema, listRequests } from './request-listing.ts';
import { startBackends, startTestApi, type TestApi, type TestBackends, waitFor } from './test-api.ts';

let backends: TestBackends;
before(async () => {
  backends = await startBackends();
});
after(() => backends[Symbol.asyncDispose]());

const images = [{ url: 'https://images.example.org/a.jpg' }, { url: 'ftp://images.example.org/b.jpg' }];

/** Requests with ids of these times, of a tenant that no other test has. */
async function store(tenant: string, times: readonly number[]): Promise<string[]> {
  const ids = times.map((time) => newRequestId(time));
  for (const id of ids) {
    await backends.requests.of(tenant).writeRequest({
      tenant,
      id,
      createdAt: '2026-11-25T03:00:00.000Z',
      lane: 'interactive',
      task: { type: 'caption', options: {} },
      images: [],
    });
  }
  return ids;
}

const list = (api: TestApi, query: string, path = '/v1/captions') => api.app.inject(`${path}?${query}`);

/** All pages. */
async function listAll(api: TestApi, query: string): Promise<{ ids: string[]; sizes: number[] }> {
  const ids: string[] = [];
  const sizes: number[] = [];
  let cursor: string | undefined;
  do {
    const answer = await list(api, `${query}${cursor === undefined ? '' : `&cursor=${cursor}`}`);
    assert.equal(answer.statusCode, 200, answer.body);
    const page = ListingSchema.parse(answer.json());
    ids.push(...page.requests.map(({ id }) => id));
    sizes.push(page.requests.length);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { ids, sizes };
}

test("a tenant's requests of a task are listed newest first, with how far they are", async () => {
  await using api = await startTestApi(backends);
  api.tenant = 'lists';
  const post = (path: string, payload: object) => api.app.inject({ method: 'POST', url: path, payload });
  const first = (await post('/v1/captions', { images })).json().id;
  const match = (await post('/v1/match', { images, texts: ['a cat'] })).json().id;
  const second = (await post('/v1/captions', { images, lane: 'bulk' })).json().id;
  await using _worker = await api.startWorker('interactive');
  await waitFor('the end', async () => (await api.app.inject(`/v1/captions/${first}`)).json().status === 'succeeded');
  const { requests, nextCursor } = ListingSchema.parse((await list(api, '')).json());
  assert.equal(nextCursor, undefined);
  assert.deepEqual(
    requests.map(({ id, status, lane, counts }) => ({ id, status, lane, counts })),
    [
      {
        id: second,
        status: 'queued',
        lane: 'bulk',
        counts: { queued: 1, running: 0, succeeded: 0, failed: 1, aborted: 0, canceled: 0 },
      },
      {
        id: first,
        status: 'succeeded',
        lane: 'interactive',
        counts: { queued: 0, running: 0, succeeded: 1, failed: 1, aborted: 0, canceled: 0 },
      },
    ],
  );
  const ids = async (query: string, path?: string) =>
    ListingSchema.parse((await list(api, query, path)).json()).requests.map(({ id }) => id);
  assert.deepEqual(await ids('', '/v1/match'), [match]);
  assert.deepEqual(await ids('status=queued'), [second]);
  assert.deepEqual(await ids('status=failed'), []);
  api.tenant = 'another';
  assert.deepEqual(await ids(''), []);
});

test('whatever the times and the pages, each request is listed once and in order', async () => {
  await using api = await startTestApi(backends);
  let run = 0;
  const now = Date.now();
  const time = fc.oneof(
    fc.integer({ min: now - 1_000, max: now }),
    fc.integer({ min: now - 90 * 86_400_000, max: now }),
    fc.integer({ min: 0, max: now }),
    fc.integer({ min: now, max: 2 ** 48 - 1 }),
    fc.constant(now - 5_000),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(time, { maxLength: 25 }),
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.integer({ min: 0, max: now })),
      async (times, limit, after) => {
        run += 1;
        api.tenant = `run-${run}`;
        const ids = await store(api.tenant, times);
        const wanted = ids
          .filter((id) => after === null || requestIdTime(id) >= after)
          .sort()
          .reverse();
        const query = `limit=${limit}${after === null ? '' : `&created_after=${new Date(after).toISOString()}`}`;
        const { ids: listed, sizes } = await listAll(api, query);
        assert.deepEqual(listed, wanted);
        assert.ok(
          sizes.every((size, page) => size === limit || page === sizes.length - 1),
          `pages of ${sizes}`,
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('more requests in a millisecond than one look holds are listed all the same', async () => {
  const now = Date.now() - 10_000;
  const all = Array.from({ length: 2_500 }, (_, place) => newRequestId(now - (place % 3))).sort();
  await using api = await startTestApi(backends);
  const looked: string[] = [];
  // Storage with nothing but names: thousands of records would take long to write.
  const requests = {
    ...backends.requests,
    listRequests: async ({ from, limit }: { from: string; limit: number }) =>
      all.filter((id) => id >= from).slice(0, limit),
    readRequest: async (id: string) => void looked.push(id),
  };
  const { signal } = new AbortController();
  let cursor: string | undefined;
  do {
    const query = { limit: 20, ...(cursor === undefined ? {} : { cursor }) };
    cursor = (await listRequests('caption', query, { requests, queues: api.queues }, signal)).nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual([...new Set(looked)], all.toReversed());
});

test('what is no query is refused', async () => {
  await using api = await startTestApi(backends);
  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'cursor=zzz',
    'status=done',
    'created_after=today',
    'page=2',
  ]) {
    const answer = await list(api, query);
    assert.equal(answer.statusCode, 400, `${query}: ${answer.body}`);
    assert.match(answer.json().detail, new RegExp(query.split('=')[0] ?? ''));
  }
});

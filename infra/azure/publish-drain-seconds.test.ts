import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { drainSeconds, publish } from './publish-drain-seconds.ts';

const metrics = `# TYPE captionfleet_drain_seconds gauge
captionfleet_drain_seconds{lane="interactive",pool="cpu"} 12.5
captionfleet_drain_seconds{lane="bulk",pool="cpu"} 340
captionfleet_drain_seconds{lane="bulk",pool="gpu"} +Inf
`;

test('the longest lane of the pool counts, and infinity is a day', () => {
  assert.equal(drainSeconds(metrics, 'cpu'), 340);
  assert.equal(drainSeconds(metrics, 'gpu'), 86_400);
  assert.equal(drainSeconds('', 'cpu'), undefined);
});

/** Metrics, identity and Azure Monitor behind one port: the paths keep them apart. */
async function listen(status: number) {
  const asked: { path: string; request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    asked.push({ path, request, body: await text(request) });
    if (path === '/metrics') return response.end(metrics);
    if (path.startsWith('/metadata/')) return response.end(JSON.stringify({ access_token: 'a-token' }));
    return response.writeHead(status).end('what is wrong');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const surroundings = {
    metricsUrl: `${url}/metrics`,
    clientId: 'the-client',
    region: 'westeurope',
    scaleSets: ['/subscriptions/1/a', '/subscriptions/1/b'],
    identityUrl: url,
    monitorUrl: url,
  };
  return { asked, surroundings, [Symbol.asyncDispose]: async () => void server.close() };
}

test('every scale set gets it, with the token of the identity', async () => {
  await using azure = await listen(200);
  assert.equal(await publish(azure.surroundings), 340);
  const [, identity, ...published] = azure.asked;
  assert.match(identity?.path ?? '', /client_id=the-client&resource=https%3A%2F%2Fmonitoring\.azure\.com%2F/);
  assert.equal(identity?.request.headers['metadata'], 'true');
  assert.deepEqual(
    published.map(({ path }) => path),
    ['/subscriptions/1/a/metrics', '/subscriptions/1/b/metrics'],
  );
  for (const { request, body } of published) {
    assert.equal(request.headers.authorization, 'Bearer a-token');
    assert.deepEqual(JSON.parse(body).data.baseData.series, [
      { dimValues: ['cpu'], min: 340, max: 340, sum: 340, count: 1 },
    ]);
  }
});

test('a refusal is said', async () => {
  await using azure = await listen(403);
  await assert.rejects(publish(azure.surroundings), /answered 403: what is wrong/);
});

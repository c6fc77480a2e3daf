import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import type { RequestStatus } from '@captionfleet/protocol/image-outcome';
import fc from 'fast-check';
import { eventStream, readToldId, toldId } from './request-events.ts';
import { statusDocument } from './request-status.ts';
import {
  captionOf,
  eventually,
  inlineImage,
  startBackends,
  startTestApi,
  type TestApi,
  type TestBackends,
} from './test-api.ts';

let backends: TestBackends;
before(async () => {
  backends = await startBackends();
});
after(() => backends[Symbol.asyncDispose]());

interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly index?: number; readonly status?: string };
}

interface Stream extends AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  /** The next event; undefined at the end of the stream. */
  next(): Promise<StreamEvent | undefined>;
}

async function listen({ app }: TestApi): Promise<string> {
  return app.server.listening ? app.listeningOrigin : await app.listen({ host: '127.0.0.1', port: 0 });
}

async function openStream(api: TestApi, id: string, lastEventId?: string): Promise<Stream> {
  const stop = new AbortController();
  const response = await fetch(`${await listen(api)}/v1/captions/${id}/events`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]),
  });
  const decoder = new TextDecoder();
  const chunks = response.body?.[Symbol.asyncIterator]();
  let text = '';
  const next = async (): Promise<StreamEvent | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
        if (fields['event'] === undefined) continue;
        return { id: fields['id'] ?? '', event: fields['event'], data: JSON.parse(fields['data'] ?? 'null') };
      }
      const chunk = await chunks?.next();
      if (chunk === undefined || chunk.done) return undefined;
      text += decoder.decode(chunk.value, { stream: true });
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    next,
    async [Symbol.asyncDispose]() {
      stop.abort();
    },
  };
}

async function rest(stream: Stream): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for (let event = await stream.next(); event !== undefined; event = await stream.next()) events.push(event);
  return events;
}

async function post({ app }: TestApi, count: number) {
  const images = Array.from({ length: count }, (_, index) => inlineImage(`image ${index}`));
  const answer = await app.inject({ method: 'POST', url: '/v1/captions', payload: { images } });
  return RequestIdSchema.parse(answer.json().id);
}

const names = (events: readonly (StreamEvent | undefined)[]) =>
  events.map((event) => `${event?.event} ${event?.data.index ?? event?.data.status}`);

test('the id of an event says which images were told, whatever their order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.infiniteStream(fc.boolean()), fc.boolean(), (count, bits, end) => {
      const images = new Set([...bits.take(count)].flatMap((bit, index) => (bit ? [index] : [])));
      const told = { images, isFinished: end && images.size === count };
      assert.deepEqual(readToldId(toldId(told), count), told);
    }),
  );
  for (const none of ['', '%', 'a b', 'é', '.']) {
    assert.deepEqual(readToldId(none, 3), { images: new Set(), isFinished: false }, none);
  }
});

test('a stream tells of each image as it ends, in whatever order, then of the end, and closes', async () => {
  await using api = await startTestApi(backends);
  const id = await post(api, 3);
  await using stream = await openStream(api, id);
  assert.equal(stream.status, 200);
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  assert.equal(stream.headers.get('cache-control'), 'no-store');
  await backends.requests.writeOutcome(id, 2, captionOf({ index: 2 }));
  const first = await stream.next();
  assert.deepEqual(first?.data, { index: 2, ...captionOf({ index: 2 }) });
  const error = { code: 'IMAGE_CORRUPT', message: 'cut off', retryable: false } as const;
  await backends.requests.writeOutcome(id, 0, { status: 'failed', error });
  const second = await stream.next();
  await using _consumer = await api.startWorker('interactive');
  assert.deepEqual(names([first, second, ...(await rest(stream))]), [
    'image.succeeded 2',
    'image.failed 0',
    'image.succeeded 1',
    'request.finished succeeded',
  ]);
});

test('whoever comes back gets what it missed and nothing twice, from another process, after Redis lost everything', async () => {
  await using api = await startTestApi(backends);
  const id = await post(api, 4);
  let lastEventId = '';
  {
    await using stream = await openStream(api, id);
    for (const index of [3, 1]) {
      await backends.requests.writeOutcome(id, index, captionOf({ index: index }));
      lastEventId = (await stream.next())?.id ?? '';
    }
  }
  await backends.requests.writeOutcome(id, 0, captionOf({ index: 0 }));
  // Another process with queues in which nothing of this is known.
  await using other = await startTestApi(backends);
  await using again = await openStream(other, id, lastEventId);
  assert.deepEqual(names([await again.next()]), ['image.succeeded 0']);
  await using _consumer = await other.startWorker('interactive');
  const end = await rest(again);
  assert.deepEqual(names(end), ['image.succeeded 2', 'request.finished succeeded']);

  await using whole = await openStream(api, id);
  assert.equal((await rest(whole)).length, 5);
  await using done = await openStream(api, id, end.at(-1)?.id);
  assert.equal(done.status, 204);
});

test('a cancel is told, and so are images that were refused at the door', async () => {
  await using api = await startTestApi(backends);
  const images = [inlineImage('good'), { base64: '!' }];
  const posted = await api.app.inject({ method: 'POST', url: '/v1/captions', payload: { images } });
  const { id } = posted.json();
  await using stream = await openStream(api, id);
  assert.deepEqual(names([await stream.next()]), ['image.failed 1']);
  await api.app.inject({ method: 'POST', url: `/v1/captions/${id}/cancel` });
  assert.deepEqual(names(await rest(stream)), ['image.aborted 0', 'request.finished aborted']);
});

test('more streams than the limit are refused, one that is left makes room, and the stop of the server ends them', async () => {
  await using api = await startTestApi(backends, { maxStreams: 1 });
  const id = await post(api, 1);
  {
    await using _stream = await openStream(api, id);
    await using refused = await openStream(api, id);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '2');
  }
  const stream = await eventually('room for a stream', async () => {
    const opened = await openStream(api, id);
    return opened.status === 200 && opened;
  });
  const ended = rest(stream);
  const started = performance.now();
  await api.app.close();
  assert.deepEqual(await ended, []);
  assert.ok(performance.now() - started < 5_000);
});

test('an unknown request has no stream', async () => {
  await using api = await startTestApi(backends);
  await using stream = await openStream(api, '01arz3ndektsv4rrffq69g5fav');
  assert.equal(stream.status, 404);
});

test('while nothing happens a comment keeps the stream alive', async () => {
  const id = '01arz3ndektsv4rrffq69g5fav';
  const source = { url: 'https://images.example.org/a.jpg' };
  const open = statusDocument(
    {
      tenant: 'default',
      id,
      createdAt: '2026-11-25T00:00:00.000Z',
      task: { type: 'caption', options: {} },
      lane: 'interactive',
      images: [{ source }],
    },
    new Map(),
    new Map(),
  );
  async function* looks(): AsyncGenerator<RequestStatus> {
    yield open;
    yield open;
  }
  const text = await Array.fromAsync(eventStream(looks(), readToldId('', 1), { heartbeatMs: 0 }));
  assert.deepEqual(text, ['retry: 1000\n\n', ': still open\n\n', ': still open\n\n']);
  const quiet = await Array.fromAsync(eventStream(looks(), readToldId('', 1)));
  assert.deepEqual(quiet, ['retry: 1000\n\n']);
});

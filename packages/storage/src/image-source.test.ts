import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { request } from 'undici';
import { startAzurite, type TestAzurite } from '../../../test/support/azurite.ts';
import { type BlobStore, openBlobStore } from './blob-store.ts';
import { guardedAgent, type Resolve } from './guarded-agent.ts';
import { type ImageSource, openImageSource } from './image-source.ts';

const image = Buffer.from('the bytes of an image');
const sha256 = createHash('sha256').update(image).digest('hex');

/** What the server answers, by path. */
const answers: Record<string, RequestListener> = {
  '/ok': (_, response) => response.end(image),
  '/chunked': (_, response) => {
    response.write(image.subarray(0, 5));
    response.end(image.subarray(5));
  },
  '/empty': (_, response) => response.end(),
  '/no-content': (_, response) => response.writeHead(204).end(),
  '/announces-too-much': (_, response) => response.writeHead(200, { 'content-length': imageLimits.bytes + 1 }).end(),
  '/sends-too-much': (_, response) => {
    const chunk = Buffer.alloc(1024 * 1024);
    const send = () => {
      while (response.write(chunk));
    };
    response.on('drain', send);
    send();
  },
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write(image);
    response.destroy();
  },
  '/gzip': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(image),
  '/silent': () => undefined,
  '/stuck': (_, response) => response.write(image),
  '/relative': (_, response) => response.writeHead(302, { location: 'ok' }).end(),
  '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/to-loopback': (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/a.jpg' }).end(),
  '/to-rebound': (_, response) => response.writeHead(302, { location: 'http://img.rebind.org/a.jpg' }).end(),
};

let server: Server;
let port: number;
let connections = 0;
let azurite: TestAzurite;
let blobStore: BlobStore;

before(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? '';
    const status = /^\/status\/(\d+)$/.exec(path)?.[1];
    if (status !== undefined) response.writeHead(Number(status)).end('no image');
    else if (path.startsWith('/hops/')) {
      const left = Number(path.slice('/hops/'.length));
      response.writeHead(307, { location: left === 1 ? '/ok' : `/hops/${left - 1}` }).end();
    } else answers[path]?.(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  azurite = await startAzurite();
  blobStore = await openBlobStore({ connectionString: azurite.connectionString, container: 'fleet' });
  await blobStore.ensureContainer();
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await azurite[Symbol.asyncDispose]();
});

/** Answers from a list; every question takes the next answer. */
const scripted = (script: Record<string, string[][]>): Resolve => {
  return async (host) => {
    const addresses = script[host]?.shift();
    if (addresses === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
};

const loopbackSource = (options: { deadlineMs?: number } = {}): ImageSource =>
  openImageSource({ ...options, allowPrivateHosts: [`127.0.0.1:${port}`] });

test('an image is fetched whole, with the hash of its bytes, also in chunks and over redirects', async () => {
  await using source = loopbackSource();
  for (const path of ['ok', 'chunked', 'relative', 'hops/5']) {
    const fetched = await source.fetch({ url: `http://127.0.0.1:${port}/${path}` });
    assert.deepEqual(Buffer.from(fetched.bytes), image, path);
    assert.equal(fetched.sha256, sha256, path);
  }
});

test('every way in which a host can fail has its code', async () => {
  await using source = loopbackSource({ deadlineMs: 2_000 });
  const failures: readonly (readonly [path: string, code: string])[] = [
    ['status/404', 'SOURCE_NOT_FOUND'],
    ['status/410', 'SOURCE_NOT_FOUND'],
    ['status/401', 'SOURCE_NOT_FOUND'],
    ['status/403', 'SOURCE_NOT_FOUND'],
    ['status/429', 'SOURCE_UNAVAILABLE'],
    ['status/500', 'SOURCE_UNAVAILABLE'],
    ['status/503', 'SOURCE_UNAVAILABLE'],
    ['status/304', 'SOURCE_UNAVAILABLE'],
    ['status/302', 'URL_REFUSED'],
    ['empty', 'IMAGE_EMPTY'],
    ['no-content', 'IMAGE_EMPTY'],
    ['announces-too-much', 'IMAGE_TOO_LARGE'],
    ['sends-too-much', 'IMAGE_TOO_LARGE'],
    ['cut', 'SOURCE_UNAVAILABLE'],
    ['gzip', 'IMAGE_FORMAT_UNKNOWN'],
    ['loop', 'URL_REFUSED'],
    ['hops/6', 'URL_REFUSED'],
    ['to-loopback', 'URL_REFUSED'],
  ];
  for (const [path, code] of failures) {
    await assert.rejects(source.fetch({ url: `http://127.0.0.1:${port}/${path}` }), { code }, path);
  }
});

test('what a host did wrong is said in words', async () => {
  const wrong: readonly (readonly [listener: (socket: Socket) => void, message: RegExp])[] = [
    [(socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), /answered with something that is not HTTP/],
    [(socket) => socket.destroy(), /closed the connection before the image was whole/],
    [
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
      /closed the connection before the image was whole/,
    ],
    [(socket) => socket.end(`HTTP/1.1 200 OK\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`), /more headers than are read/],
  ];
  for (const [listener, message] of wrong) {
    const odd = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => listener(socket));
    });
    await using parts = new AsyncDisposableStack();
    parts.defer(() => void odd.close());
    odd.listen(0, '127.0.0.1');
    await once(odd, 'listening');
    const host = `127.0.0.1:${(odd.address() as AddressInfo).port}`;
    await using source = openImageSource({ allowPrivateHosts: [host] });
    await assert.rejects(source.fetch({ url: `http://${host}/a.jpg` }), { code: 'SOURCE_UNAVAILABLE', message });
  }
  await using source = loopbackSource();
  await assert.rejects(source.fetch({ url: `https://127.0.0.1:${port}/ok` }), { message: /failed the TLS handshake/ });
});

test('a host that says nothing, or starts and stops, costs the deadline and no more', async () => {
  await using source = loopbackSource({ deadlineMs: 300 });
  for (const path of ['silent', 'stuck']) {
    const started = performance.now();
    await assert.rejects(source.fetch({ url: `http://127.0.0.1:${port}/${path}` }), { code: 'SOURCE_UNAVAILABLE' });
    assert.ok(performance.now() - started < 2_000, path);
  }
});

test('a caller that aborts gets its own reason back', async () => {
  await using source = loopbackSource();
  const gone = new AbortController();
  const reason = new Error('the job was cancelled');
  server.once('request', () => gone.abort(reason));
  await assert.rejects(source.fetch({ url: `http://127.0.0.1:${port}/silent` }, { signal: gone.signal }), reason);
});

test('no form of a loopback URL reaches the server, by the text check or by the connection check alone', async () => {
  const seen = connections;
  const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  await using source = openImageSource({ resolve });
  const agent = guardedAgent(new Set(), resolve);
  const forms = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '[::ffff:127.0.0.1]',
    '[::1]',
    'localhost',
    'img.rebind.org',
  ];
  for (const host of forms) {
    const url = `http://${host}:${port}/ok`;
    await assert.rejects(source.fetch({ url }), { code: 'URL_REFUSED' }, host);
    await assert.rejects(request(url, { dispatcher: agent }), { code: 'URL_REFUSED', message: /public/ }, host);
  }
  assert.equal(connections, seen);
  await agent.destroy();
});

test('a name is refused when any of its addresses is not public', async () => {
  const bad = [
    ['168.63.129.16'],
    ['::1'],
    ['10.0.0.1', '8.8.8.8'],
    ['8.8.8.8', '169.254.169.254'],
    ['2606:4700::1', 'fd00::1'],
    ['64:ff9b::7f00:1'],
  ];
  await using source = openImageSource({ resolve: scripted({ 'img.rebind.org': bad.map((answer) => answer) }) });
  for (const answer of [...bad]) {
    const outcome = source.fetch({ url: 'http://img.rebind.org/a.jpg' });
    await assert.rejects(outcome, { code: 'URL_REFUSED', message: /img\.rebind\.org/ }, answer.join());
  }
});

test('a redirect to a name with a private address is refused', async () => {
  const allowPrivateHosts = [`127.0.0.1:${port}`];
  await using source = openImageSource({ allowPrivateHosts, resolve: scripted({ 'img.rebind.org': [['127.0.0.1']] }) });
  await assert.rejects(source.fetch({ url: `http://127.0.0.1:${port}/to-rebound` }), { code: 'URL_REFUSED' });
});

test('a name is asked for once per connection, and the answer is what is dialled', async () => {
  // 127.0.0.9 has no listener: a second question, or a look-up behind our back, would fail or leave an answer unused.
  const script = { 'img.rebind.org': [['127.0.0.1'], ['127.0.0.9']] };
  await using source = openImageSource({
    allowPrivateHosts: [`img.rebind.org:${port}`],
    resolve: scripted(script),
  });
  const fetched = await source.fetch({ url: `http://img.rebind.org:${port}/ok` });
  assert.equal(fetched.sha256, sha256);
  assert.equal(script['img.rebind.org'].length, 1);
});

test('a name that does not exist is SOURCE_NOT_FOUND, a closed port SOURCE_UNAVAILABLE', async () => {
  await using nowhere = openImageSource({ resolve: scripted({}) });
  await assert.rejects(nowhere.fetch({ url: 'http://images.example.org/a.jpg' }), { code: 'SOURCE_NOT_FOUND' });

  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const host = `127.0.0.1:${(closed.address() as AddressInfo).port}`;
  closed.close();
  await once(closed, 'close');
  await using source = openImageSource({ allowPrivateHosts: [host] });
  const message = 'host 127.0.0.1 refused the connection';
  await assert.rejects(source.fetch({ url: `http://${host}/a.jpg` }), { code: 'SOURCE_UNAVAILABLE', message });
});

test("a blob of the fleet's images or of an allowed container is read, any other is refused", async () => {
  const shared = await openBlobStore({ connectionString: azurite.connectionString, container: 'shared' });
  await shared.ensureContainer();
  await shared.putOnce('a.jpg', image, 'image/jpeg');
  await blobStore.putOnce(`images/${sha256}`, image, 'application/octet-stream');
  await blobStore.putOnce('requests/secret.json', image, 'application/json');
  await blobStore.putOnce('images/empty', Buffer.alloc(0), 'application/octet-stream');

  await using source = openImageSource({ blobStore, allowedContainers: ['shared'] });
  const blob = (container: string, name: string) => source.fetch({ blob: { container, name } });
  assert.equal((await blob('shared', 'a.jpg')).sha256, sha256);
  assert.deepEqual(Buffer.from((await blob('fleet', `images/${sha256}`)).bytes), image);
  await assert.rejects(blob('fleet', 'requests/secret.json'), { code: 'URL_REFUSED', message: /begin with images\// });
  await assert.rejects(blob('fleet', 'images/../requests/secret.json'), { code: 'SOURCE_NOT_FOUND' });
  await assert.rejects(blob('private', 'a.jpg'), { code: 'URL_REFUSED', message: /"private"/ });
  await assert.rejects(blob('shared', 'b.jpg'), { code: 'SOURCE_NOT_FOUND' });
  await assert.rejects(blob('fleet', 'images/empty'), { code: 'IMAGE_EMPTY' });

  await using without = openImageSource();
  await assert.rejects(without.fetch({ blob: { container: 'shared', name: 'a.jpg' } }), { code: 'URL_REFUSED' });
});

// A model hub on loopback: the parts of the Hugging Face Hub's protocol that a download needs, with its redirects and its
// two origins, on real files; and what goes wrong on the way, when a test asks for it.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** One repository, whose files are those in a directory and never change. */
export interface HubRepository {
  readonly id: string;
  readonly directory: string;
  readonly commit: string;
  /** Names of the commit besides itself. */
  readonly references: readonly string[];
  /** A token without which nothing is answered. */
  readonly token?: string;
  /** Sizes that the listing gives instead of the true ones. */
  readonly listedBytes?: Readonly<Record<string, number>>;
}

/** What goes wrong with one answer of a file's bytes. */
export interface HubFault {
  /** Answers this status. */
  status?: number;
  /** Closes the connection after so many bytes of a body. */
  cutAfterBytes?: number;
  /** Changes the byte at this position. */
  flippedByte?: number;
  /** Sends the whole file to whoever asks for a part. */
  ignoresRange?: boolean;
  /** Begins to answer and then falls silent. */
  hangs?: boolean;
}

export interface HubRequestRecord {
  readonly origin: 'hub' | 'cdn';
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  status: number;
  bytesSent: number;
}

export interface HubServer extends AsyncDisposable {
  readonly url: string;
  /** In the order of their arrival. */
  readonly requests: readonly HubRequestRecord[];
  /** By file name: one for each of the next answers, then all is well. */
  readonly faults: Map<string, HubFault[]>;
}

interface StoredFile {
  readonly path: string;
  readonly size: number;
  /** SHA-1 of the git blob: of the file, or of the pointer that git has in its place. */
  readonly oid: string;
  /** Of what is too large for git; `oid` is the file's SHA-256. */
  readonly lfs: { readonly oid: string; readonly pointerSize: number } | undefined;
}

/** Starts a hub. Files that end in .safetensors or .bin are kept as LFS does: on the second origin. */
export async function startHubServer(repository: HubRepository): Promise<HubServer> {
  const files = await describeFiles(repository.directory);
  const requests: HubRequestRecord[] = [];
  const faults = new Map<string, HubFault[]>();
  const serve = (origin: HubRequestRecord['origin'], answer: Answer) =>
    createServer((request, response) => {
      const record = recordOf(origin, request);
      requests.push(record);
      response.once('close', () => {
        record.status = response.statusCode;
      });
      answer(request, response, record).catch((error: unknown) => response.destroy(error as Error));
    });
  const content = { repository, files, faults };
  const cdn = serve('cdn', (request, response, record) => answerCdn(content, request, response, record));
  const cdnUrl = await listen(cdn);
  const hub = serve('hub', (request, response, record) => answerHub({ ...content, cdnUrl }, request, response, record));
  const url = await listen(hub);
  return {
    url,
    requests,
    faults,
    [Symbol.asyncDispose]: async () => {
      for (const server of [hub, cdn]) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    },
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse, record: HubRequestRecord) => Promise<void>;

interface Content {
  readonly repository: HubRepository;
  readonly files: ReadonlyMap<string, StoredFile>;
  readonly faults: Map<string, HubFault[]>;
}

const recordOf = (origin: HubRequestRecord['origin'], { url = '', headers }: IncomingMessage): HubRequestRecord => ({
  origin,
  path: url.split('?')[0] ?? '',
  authorization: headers.authorization,
  range: headers.range,
  status: 0,
  bytesSent: 0,
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function describeFiles(directory: string): Promise<Map<string, StoredFile>> {
  const files = new Map<string, StoredFile>();
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { size } = await stat(path);
    if (/\.(safetensors|bin)$/.test(name)) {
      const lfsOid = await hashFile(path, 'sha256');
      const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${lfsOid}\nsize ${size}\n`;
      const oid = createHash('sha1').update(`blob ${pointer.length}\0${pointer}`).digest('hex');
      files.set(name, { path, size, oid, lfs: { oid: lfsOid, pointerSize: pointer.length } });
    } else {
      files.set(name, { path, size, oid: await hashFile(path, 'sha1', `blob ${size}\0`), lfs: undefined });
    }
  }
  return files;
}

async function hashFile(path: string, algorithm: string, prefix = ''): Promise<string> {
  const hash = createHash(algorithm).update(prefix);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function answerHub(
  content: Content & { readonly cdnUrl: string },
  request: IncomingMessage,
  response: ServerResponse,
  record: HubRequestRecord,
): Promise<void> {
  const { repository, files } = content;
  const { id, commit, references, token } = repository;
  const refuse = (status: number, code: string, message: string): void => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-error-code': code,
      'x-error-message': message,
    });
    response.end(JSON.stringify({ error: message }));
  };
  // Without the right to read it, a repository is as good as missing.
  const mayRead = token === undefined || record.authorization === `Bearer ${token}`;
  const [prefix, rest] = record.path.split(`/${id}/`);
  if (rest === undefined || !mayRead) return refuse(401, 'RepoNotFound', 'Invalid username or password.');
  const segments = rest.split('/').map(decodeURIComponent);
  const [kind, revision = '', name = ''] = prefix === '/api/resolve-cache/models' ? ['cache', ...segments] : segments;
  if (revision !== commit && !references.includes(revision)) {
    return refuse(404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
  }
  if (kind === 'revision') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ _id: '1', id, sha: commit, lastModified: new Date(0) }));
    return;
  }
  if (kind === 'tree') return answerListing(content, request, response);
  const file = files.get(name);
  if (file === undefined) return refuse(404, 'EntryNotFound', 'Entry not found');
  if (kind === 'cache') return await sendFile(content, { name, file, etag: file.oid }, request, response, record);
  response.setHeader('x-repo-commit', commit);
  if (file.lfs === undefined) {
    response.writeHead(307, { location: `/api/resolve-cache/models/${id}/${commit}/${name}` }).end();
  } else {
    const location = `${content.cdnUrl}/lfs/${name}?Expires=1&Signature=secret`;
    const linked = { 'x-linked-etag': `"${file.lfs.oid}"`, 'x-linked-size': file.size, etag: `"${file.oid}"` };
    response.writeHead(302, { ...linked, location }).end();
  }
}

/** Two pages, so that the client must follow the link from the first. */
function answerListing({ files, repository }: Content, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', `http://${request.headers.host}`);
  const entries = [...files].map(([path, { size: stored, oid, lfs }]) => {
    const size = repository.listedBytes?.[path] ?? stored;
    return { type: 'file', path, size, oid, ...(lfs === undefined ? {} : { lfs: { ...lfs, size } }) };
  });
  const half = Math.ceil(entries.length / 2);
  const isSecond = url.searchParams.get('cursor') === 'half';
  if (!isSecond) {
    url.searchParams.set('cursor', 'half');
    response.setHeader('link', `<${url.href}>; rel="next"`);
  }
  const page = isSecond
    ? entries.slice(half)
    : [{ type: 'directory', path: 'onnx', size: 0, oid: '' }, ...entries.slice(0, half)];
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
}

/** A signed URL is all the right that the second origin takes; like S3, it refuses a second one. */
async function answerCdn(
  content: Content,
  request: IncomingMessage,
  response: ServerResponse,
  record: HubRequestRecord,
): Promise<void> {
  const name = record.path.split('/').at(-1) ?? '';
  const file = content.files.get(name);
  if (file === undefined || record.authorization !== undefined) {
    response.writeHead(400).end('Only one auth mechanism allowed');
    return;
  }
  // A checksum of its own storage: it looks like the file's SHA-256 and is none.
  await sendFile(content, { name, file, etag: '0'.repeat(64) }, request, response, record);
}

async function sendFile(
  { faults }: Content,
  { name, file, etag }: { readonly name: string; readonly file: StoredFile; readonly etag: string },
  request: IncomingMessage,
  response: ServerResponse,
  record: HubRequestRecord,
): Promise<void> {
  const fault = faults.get(name)?.shift() ?? {};
  if (fault.status !== undefined) {
    response.writeHead(fault.status).end();
    return;
  }
  const asked = fault.ignoresRange === true ? undefined : record.range;
  const start = Number(/^bytes=(\d+)-$/.exec(asked ?? '')?.[1] ?? 0);
  response.writeHead(asked === undefined ? 200 : 206, {
    etag: `"${etag}"`,
    'content-length': file.size - start,
    ...(asked === undefined ? {} : { 'content-range': `bytes ${start}-${file.size - 1}/${file.size}` }),
  });
  if (fault.hangs === true) response.flushHeaders();
  else if (request.method === 'HEAD') response.end();
  else await sendBytes(file.path, start, fault, response, record);
}

async function sendBytes(
  path: string,
  start: number,
  { cutAfterBytes = Number.POSITIVE_INFINITY, flippedByte = -1 }: HubFault,
  response: ServerResponse,
  record: HubRequestRecord,
): Promise<void> {
  for await (const data of createReadStream(path, { start })) {
    const chunk = data as Buffer;
    const flipped = flippedByte - start - record.bytesSent;
    if (flipped >= 0 && flipped < chunk.length) chunk.writeUInt8((chunk[flipped] ?? 0) ^ 1, flipped);
    const part = chunk.subarray(0, cutAfterBytes - record.bytesSent);
    // Waits until the kernel has the bytes, so that those before a cut arrive.
    await new Promise<void>((resolve, reject) => {
      response.write(part, (error) => (error ? reject(error) : resolve()));
    });
    record.bytesSent += part.length;
    if (record.bytesSent >= cutAfterBytes) {
      response.destroy();
      return;
    }
  }
  response.end();
}

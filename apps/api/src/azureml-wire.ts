import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';

/** A request as it came over the wire, before anybody has made sense of it. */
export interface RequestHead {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  /** Of HTTP. */
  readonly version: string;
  /** Names and values by turns, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
}

export interface WireRequest extends RequestHead {
  /** The whole body; asked for at most once. */
  readonly body: () => Promise<Uint8Array>;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

export interface WireAnswer {
  readonly status: number;
  /** The text of the status line, where it is not the usual one. */
  readonly reason?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Latin-1, as gunicorn writes what it repeats of a request; ASCII otherwise. */
  readonly body: string;
  /** A body that is not in memory, instead of that one. */
  readonly content?: Readable;
  /** The route that answered, for metrics and the log. */
  readonly route?: string;
}

/** A body over the limit. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** Limits of gunicorn, in which the reference server runs. */
const limits = { requestLine: 4094, fields: 100, fieldBytes: 8190, readBytes: 8192 } as const;

const escapeHtml = (text: string): string =>
  text.replaceAll(
    /[&<>"']/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' })[character] ?? '',
  );

/** gunicorn's own answer to what it does not hand on. */
function refusal(status: number, reason: string, message: string): WireAnswer {
  const lines = [
    '<html>',
    '  <head>',
    `    <title>${reason}</title>`,
    '  </head>',
    '  <body>',
    `    <h1><p>${reason}</p></h1>`,
    `    ${escapeHtml(message)}`,
    '  </body>',
    '</html>',
    '',
  ];
  return { status, reason, headers: { 'content-type': 'text/html', connection: 'close' }, body: lines.join('\n') };
}

const badRequest = (message: string): WireAnswer => refusal(400, 'Bad Request', message);
const badHeader = (name: string): WireAnswer => badRequest(`Invalid HTTP Header: '${name}'`);
const tooManyHeaders = (message: string): WireAnswer =>
  refusal(431, 'Request Header Fields Too Large', `Error parsing headers: '${message}'`);

const badMethod = (method: string): WireAnswer => badRequest(`Invalid Method 'Invalid HTTP method: '${method}''`);
const badLine = (line: string): WireAnswer => badRequest(`Invalid Request Line 'Invalid HTTP request line: '${line}''`);
const badVersion = (version: string): WireAnswer =>
  badRequest(`Invalid HTTP Version 'Invalid HTTP Version: ${version}'`);

/** Of RFC 9110: what methods and the names of headers are made of. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** gunicorn's refusal of a request that Node has taken, if it would refuse it. */
export function refusedByGunicorn({ method, target, version, rawHeaders }: RequestHead): WireAnswer | undefined {
  return refusedLine(method, target, version) ?? refusedHeaders(rawHeaders);
}

function refusedLine(method: string, target: string, version: string): WireAnswer | undefined {
  const line = `${method} ${target} HTTP/${version}`;
  if (line.length > limits.requestLine) {
    // A line that does not end in the first read is refused for what was read of it.
    const seen = line.length + '\r\n'.length > limits.readBytes ? limits.readBytes : line.length;
    return refusal(414, 'URI Too Long', `Request Line is too large (${seen} > ${limits.requestLine})`);
  }
  if (/[a-z#]/.test(method) || method.length < 3 || method.length > 20 || !token.test(method)) return badMethod(method);
  const isAuthority = method !== 'CONNECT' && target !== '*' && !target.startsWith('/') && !target.includes('://');
  if (!/^[\x21-\x7e]+$/.test(target) || (target === '*' && method !== 'OPTIONS') || isAuthority) return badLine(line);
  const [major = '', minor = ''] = version.split('.');
  return major === '1' ? undefined : badVersion(`(${major}, ${minor})`);
}

function refusedHeaders(rawHeaders: readonly string[]): WireAnswer | undefined {
  const seen = new Set<string>();
  for (const [position, [given, value]] of pairs(rawHeaders).entries()) {
    const name = given.toUpperCase();
    if (position >= limits.fields) return tooManyHeaders('limit request headers fields');
    const refused = refusedHeader(name, value, seen.has(name));
    if (refused !== undefined) return refused;
    seen.add(name);
  }
  return undefined;
}

function refusedHeader(name: string, value: string, again: boolean): WireAnswer | undefined {
  if (!token.test(name)) return badRequest(`Invalid HTTP header name: '${name.toLowerCase()}'`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what RFC 9110 forbids in a value.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return badHeader(name);
  if (`${name}: ${value}\r\n`.length > limits.fieldBytes) return tooManyHeaders('limit request headers fields size');
  if (again && ['HOST', 'CONTENT-TYPE', 'CONTENT-LENGTH'].includes(name)) return badHeader(name);
  if (name === 'EXPECT' && value.toLowerCase() !== '100-continue') {
    return refusal(417, 'Expectation Failed', `Unable to comply with expectation: '${value}'`);
  }
  return undefined;
}

const pairs = (rawHeaders: readonly string[]): [name: string, value: string][] =>
  Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? '',
    rawHeaders[index * 2 + 1] ?? '',
  ]);

/** What Python's WSGI hands on: names in lower case, those with an underscore dropped, values of one name joined. */
export function wsgiHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [given, value] of pairs(rawHeaders)) {
    const name = given.toLowerCase();
    if (name.includes('_')) continue;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** Path and query as Werkzeug reads them: slashes at the beginning are one, escapes are UTF-8. */
export function readTarget(target: string): { readonly path: string; readonly query: readonly [string, string][] } {
  const [, own = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^#]*)/i.exec(target) ?? [];
  const mark = own.indexOf('?');
  const path = mark < 0 ? own : own.slice(0, mark);
  const query = mark < 0 ? '' : own.slice(mark + 1);
  return {
    path: path === '*' ? path : `/${unescapeUtf8(path).replace(/^\/+/, '')}`,
    query: query
      .split('&')
      .filter((part) => part !== '')
      .map((part) => {
        const [name = '', ...value] = part.replaceAll('+', ' ').split('=');
        return [unescapeUtf8(name), unescapeUtf8(value.join('='))];
      }),
  };
}

/** Escapes of bytes that are no UTF-8 stay escapes. */
function unescapeUtf8(text: string): string {
  return text.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (escapes) => {
    const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    let decoded = '';
    for (let at = 0; at < bytes.byteLength; ) {
      const length = [1, 2, 3, 4].find(
        (count) => at + count <= bytes.byteLength && isUtf8(bytes.subarray(at, at + count)),
      );
      decoded +=
        length === undefined
          ? `%${bytes.toString('hex', at, at + 1).toUpperCase()}`
          : decoder.decode(bytes.subarray(at, at + length));
      at += length ?? 1;
    }
    return decoded;
  });
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * What Node's parser did not take: gunicorn's refusal of it, or the request, where it is only the method that Node does not know.
 */
export function readPacket(packet: Buffer): WireAnswer | RequestHead {
  const [line = '', ...fields] = (packet.toString('latin1').split('\r\n\r\n')[0] ?? '').split('\r\n');
  const [method = '', target, ...rest] = line.split(' ');
  if (target === undefined || rest.length === 0) return badLine(line.slice(0, limits.fieldBytes));
  const [, version] = /^HTTP\/(\d\.\d)$/.exec(rest.join(' ')) ?? [];
  const refusedBefore = refusedLine(method, target, version ?? '1.1');
  if (refusedBefore !== undefined) return refusedBefore;
  if (version === undefined) return badVersion(`'${rest.join(' ')}'`);
  const rawHeaders = readFields(fields);
  if ('status' in rawHeaders) return rawHeaders;
  return (
    refusedHeaders(rawHeaders) ?? refusedFraming(wsgiHeaders(rawHeaders)) ?? { method, target, version, rawHeaders }
  );
}

function readFields(fields: readonly string[]): WireAnswer | readonly string[] {
  const rawHeaders: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon);
    if (/^[ \t]/.test(field) && rawHeaders.length > 0) {
      return badRequest(`Obsolete line folding is unacceptable: '${rawHeaders.at(-2)?.toUpperCase()}'`);
    }
    if (colon <= 0) return badHeader(field);
    if (!token.test(name)) return badRequest(`Invalid HTTP header name: '${name}'`);
    rawHeaders.push(name, field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''));
  }
  return rawHeaders;
}

/** How long the body is must be said once. */
function refusedFraming(headers: ReadonlyMap<string, string>): WireAnswer | undefined {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  const codings = coding?.split(',').map((part) => part.trim().toLowerCase()) ?? [];
  if (codings.some((part) => !['chunked', 'identity', 'compress', 'deflate', 'gzip'].includes(part))) {
    return refusal(501, 'Bad Request', `Unsupported transfer coding: '${coding}'`);
  }
  if (coding !== undefined && codings.indexOf('chunked') !== codings.length - 1) return badHeader('TRANSFER-ENCODING');
  if (length !== undefined && (coding !== undefined || !/^\d+$/.test(length))) return badHeader('CONTENT-LENGTH');
  return undefined;
}

/** gunicorn's refusal by the code of Node's parser, of what there are no words for in the packet. */
export function refusedByParser(code: string | undefined): WireAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') return tooManyHeaders('limit request headers fields size');
  return badRequest('Invalid Request Line');
}

/** An answer as it goes over a bare socket, in Latin-1. */
export function answerText({ status, reason, headers, body }: WireAnswer): string {
  const all = { ...headers, connection: 'close', 'content-length': String(body.length) };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason ?? STATUS_CODES[status]}\r\n${fields.join('')}\r\n${body}`;
}

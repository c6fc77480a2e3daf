import { STATUS_CODES } from 'node:http';

/** A request as it came over the wire, before anybody has made sense of it. */
export interface WireRequest {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  /** Names and values by turns, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
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
  readonly body: string;
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

/** gunicorn's refusal of a request that Node has taken, if it would refuse it. */
export function refusedByGunicorn(
  method: string,
  target: string,
  rawHeaders: readonly string[],
): WireAnswer | undefined {
  const line = method.length + target.length + ' '.length * 2 + 'HTTP/1.1'.length;
  if (line > limits.requestLine) {
    // A line that does not end in the first read is refused for what was read of it.
    const seen = line + '\r\n'.length > limits.readBytes ? limits.readBytes : line;
    return refusal(414, 'URI Too Long', `Request Line is too large (${seen} > ${limits.requestLine})`);
  }
  if (/[a-z#]/.test(method) || method.length < 3 || method.length > 20) {
    return badRequest(`Invalid Method 'Invalid HTTP method: '${method}''`);
  }
  if (target === '*' && method !== 'OPTIONS') {
    const requestLine = `${method} ${target} HTTP/1.1`;
    return badRequest(`Invalid Request Line 'Invalid HTTP request line: '${requestLine}''`);
  }
  return refusedHeaders(rawHeaders);
}

function refusedHeaders(rawHeaders: readonly string[]): WireAnswer | undefined {
  const seen = new Set<string>();
  for (const [position, [given, value]] of pairs(rawHeaders).entries()) {
    const name = given.toUpperCase();
    if (position >= limits.fields) return tooManyHeaders('limit request headers fields');
    if (`${name}: ${value}\r\n`.length > limits.fieldBytes) return tooManyHeaders('limit request headers fields size');
    if (seen.has(name) && ['HOST', 'CONTENT-TYPE', 'CONTENT-LENGTH'].includes(name)) return badHeader(name);
    seen.add(name);
    if (name === 'EXPECT' && value.toLowerCase() !== '100-continue') {
      return refusal(417, 'Expectation Failed', `Unable to comply with expectation: '${value}'`);
    }
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

/** The request line and headers of what Node's parser did not take, as far as they can be made out. */
export function parseHead(packet: Buffer): Pick<WireRequest, 'method' | 'target' | 'rawHeaders'> | undefined {
  const [line = '', ...fields] = (packet.toString('latin1').split('\r\n\r\n')[0] ?? '').split('\r\n');
  const [, method, target] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/1\.[01]$/.exec(line) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const rawHeaders = fields.flatMap((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  return { method, target, rawHeaders };
}

/** gunicorn's refusal of what Node's parser does not take either, by the parser's code. */
export function refusedByParser(code: string | undefined, packet: Buffer): WireAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') return tooManyHeaders('limit request headers fields size');
  if (code === 'HPE_INVALID_CONTENT_LENGTH' || code === 'HPE_UNEXPECTED_CONTENT_LENGTH') {
    return badHeader('CONTENT-LENGTH');
  }
  if (code === 'HPE_INVALID_TRANSFER_ENCODING') {
    const coding = wsgiHeaders(parseHead(packet)?.rawHeaders ?? []).get('transfer-encoding') ?? '';
    return refusal(501, 'Bad Request', `Unsupported transfer coding: '${coding}'`);
  }
  const line = packet.toString('latin1').split('\r\n')[0]?.slice(0, 200) ?? '';
  return badRequest(`Invalid Request Line 'Invalid HTTP request line: '${line}''`);
}

/** An answer as it goes over a bare socket. */
export function answerText({ status, reason, headers, body }: WireAnswer): string {
  const all = { ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason ?? STATUS_CODES[status]}\r\n${fields.join('')}\r\n${body}`;
}

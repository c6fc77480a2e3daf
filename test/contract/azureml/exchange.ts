import { connect } from 'node:net';

/** An HTTP request as it goes over the wire; nothing is added, corrected or refused on this side. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  /** In their order; a name may come twice. `Host`, `Connection` and `Content-Length` are added unless named here. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  /** The body in chunks of this many bytes instead of with its length. */
  readonly chunkBytes?: number;
}

export interface WireResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const exchangeMs = 60_000;

/** Sends one request on a connection of its own and reads until that is closed. */
export async function exchange(port: number, request: WireRequest): Promise<WireResponse> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(exchangeMs, () => socket.destroy(new Error(`no answer within ${exchangeMs} ms`)));
  for (const part of onTheWire(request)) socket.write(part);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) {
      chunks.push(chunk);
      const response = parseResponse(Buffer.concat(chunks), request.method);
      if (response !== undefined) return response;
    }
  } catch (error) {
    // A server that refuses before it has read everything may reset the connection after its answer.
    if (chunks.length === 0) throw error;
  } finally {
    socket.destroy();
  }
  throw new Error(`the connection ended in the middle: ${Buffer.concat(chunks).toString('latin1').slice(0, 500)}`);
}

function* onTheWire({ method, target, headers, body = new Uint8Array(), chunkBytes }: WireRequest) {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const framing: [string, string][] =
    chunkBytes === undefined ? [['Content-Length', String(body.byteLength)]] : [['Transfer-Encoding', 'chunked']];
  const added = [
    ['Host', 'contract.test'] as const,
    ['Connection', 'close'] as const,
    ...(body.byteLength > 0 ? framing : []),
  ];
  const lines = [...added.filter(([name]) => !given.has(name.toLowerCase())), ...headers];
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  yield Buffer.from(`${method} ${target} HTTP/1.1\r\n${head}\r\n`, 'latin1');
  if (chunkBytes === undefined) {
    yield body;
    return;
  }
  for (let start = 0; start < body.byteLength; start += chunkBytes) {
    const chunk = body.subarray(start, start + chunkBytes);
    yield Buffer.concat([Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
  }
  yield Buffer.from('0\r\n\r\n');
}

/** The response, once its end has come: interim ones (100) are left out. */
function parseResponse(bytes: Buffer, method: string): WireResponse | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const rest = bytes.subarray(end + 4);
  if (status < 200) return parseResponse(rest, method);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const length = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0);
  if (rest.byteLength < length) return undefined;
  return { status, headers, body: rest.subarray(0, length) };
}

import { Agent, type IncomingMessage, request } from 'node:http';
import { CaptionfleetError } from '@captionfleet/protocol/errors';

/** Where the Azure Instance Metadata Service is asked. */
export interface MetadataEndpoint {
  /** Without a path. */
  readonly url: string;
  /** False where it is only tried whether there is one: then no answer is nothing to speak of. */
  readonly isExpected: boolean;
}

interface Question {
  readonly path: string;
  readonly apiVersion: string;
  /** Sent as JSON with POST; absent: GET. */
  readonly body?: object;
  /** Milliseconds from the connection to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws METADATA_UNAVAILABLE; the signal's reason */
export type MetadataClient = (question: Question) => Promise<unknown>;

/** The documents hold what users gave a machine too: up to 64 KB of user data and as much again. */
const maxBytes = 1024 * 1024;

const get = { method: 'GET', headers: { metadata: 'true' } };
const post = { method: 'POST', headers: { metadata: 'true', 'content-type': 'application/json' } };

/**
 * Asks the Azure Instance Metadata Service of this machine, which answers only to it: never through a proxy, and a redirect
 * is no answer. Gives the JSON that came, undefined where the body is empty.
 *
 * https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
 */
export function openMetadataClient({ url }: MetadataEndpoint): MetadataClient {
  // An agent of our own: Node's global one may be told by the environment to use a proxy.
  const agent = new Agent({ keepAlive: false });
  return async ({ path, apiVersion, body, timeoutMs, signal }) => {
    const target = new URL(path, url);
    target.searchParams.set('api-version', apiVersion);
    const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asking = request(target, {
      agent,
      ...(body === undefined ? get : post),
      signal: within,
    });
    asking
      .once('response', resolve)
      .once('error', reject)
      .end(body && JSON.stringify(body));
    try {
      return await readJson(await answered);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CaptionfleetError) throw error;
      const { code = '', message } = error as NodeJS.ErrnoException;
      throw unavailable(within.aborted ? `did not answer within ${timeoutMs} ms` : `failed: ${code || message}`, error);
    } finally {
      asking.destroy();
    }
  };
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  if (response.statusCode !== 200) throw unavailable(`answered with status ${response.statusCode}`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw unavailable(`answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw unavailable('answered with something that is not JSON', cause);
  }
}

const unavailable = (what: string, cause?: unknown): CaptionfleetError =>
  new CaptionfleetError('METADATA_UNAVAILABLE', `the instance metadata service ${what}`, { cause });

/** A document that does not have the documented form. */
export const malformed = (what: string, cause: unknown): CaptionfleetError =>
  unavailable(`answered with ${what} of another form`, cause);

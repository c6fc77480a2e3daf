import { createHash } from 'node:crypto';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { type Agent, type Dispatcher, request } from 'undici';
import { transferLimits } from './guarded-agent.ts';
import { parseCallerUrl, refused } from './url-guard.ts';

export interface FetchedImage {
  readonly bytes: Uint8Array;
  /** Of `bytes`, in lower-case hexadecimal. */
  readonly sha256: string;
}

const maxRedirects = 5;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

interface Guard {
  readonly agent: Agent;
  /** `host:port` pairs that the guard lets through. */
  readonly exempt: ReadonlySet<string>;
}

/**
 * Gets an image over HTTP; every redirect is checked like the first URL. Throws URL_REFUSED, SOURCE_NOT_FOUND,
 * SOURCE_UNAVAILABLE, IMAGE_TOO_LARGE or IMAGE_EMPTY, or whatever made the caller's `signal` abort.
 */
export async function fetchImage(text: string, guard: Guard, signal: AbortSignal): Promise<FetchedImage> {
  let url = parseCallerUrl(text, guard.exempt);
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    const response = await get(url, guard.agent, signal);
    if (!redirectStatuses.has(response.statusCode)) return await readImage(url, response);
    discard(response.body);
    url = redirectTarget(url, response.headers['location'], guard.exempt);
  }
  throw refused(`was redirected more than ${maxRedirects} times`);
}

/** Reads a little, so that the connection can be used again, or closes it; nobody waits for that. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.dump({ limit: 16_384 }).catch(() => undefined);
}

async function get(url: URL, agent: Agent, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, {
      dispatcher: agent,
      signal,
      headers: { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'captionfleet' },
    });
  } catch (error) {
    throw transferError(url, error);
  }
}

/** Where a redirect leads, by the same rules as the first URL, and never from https to http. */
export function redirectTarget(from: URL, location: string | string[] | undefined, exempt: ReadonlySet<string>): URL {
  if (typeof location !== 'string') throw refused('was redirected without a single Location');
  const text = absolute(location, from);
  if (text === undefined) throw refused('was redirected to something that is not a URL');
  const url = parseCallerUrl(text, exempt);
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refused('was redirected from https to http');
  return url;
}

/** The Location as it was written where it names a host, so that the guard sees the text and not a cleaned-up form. */
function absolute(location: string, from: URL): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location;
  if (location.startsWith('//')) return from.protocol + location;
  return URL.parse(location, from.href)?.href;
}

async function readImage(url: URL, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<FetchedImage> {
  const problem = responseProblem(url, statusCode, headers);
  if (problem !== undefined) {
    discard(body);
    throw problem;
  }
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > imageLimits.bytes) throw tooLarge(url);
      hash.update(chunk);
      chunks.push(chunk);
    }
  } catch (error) {
    throw transferError(url, error);
  }
  if (size === 0) throw new CaptionfleetError('IMAGE_EMPTY', `host ${url.hostname} answered without any bytes`);
  return { bytes: Buffer.concat(chunks, size), sha256: hash.digest('hex') };
}

const retryableStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

function responseProblem(
  url: URL,
  status: number,
  headers: Dispatcher.ResponseData['headers'],
): CaptionfleetError | undefined {
  if (status >= 400 && status < 500 && !retryableStatuses.has(status)) {
    return new CaptionfleetError('SOURCE_NOT_FOUND', `host ${url.hostname} answered ${status}`);
  }
  if (status < 200 || status > 299) {
    return new CaptionfleetError('SOURCE_UNAVAILABLE', `host ${url.hostname} answered ${status}`);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    return new CaptionfleetError(
      'IMAGE_FORMAT_UNKNOWN',
      `host ${url.hostname} sent the image in a content-encoding, although it was asked for none`,
    );
  }
  return Number(headers['content-length'] ?? 0) > imageLimits.bytes ? tooLarge(url) : undefined;
}

const tooLarge = (url: URL): CaptionfleetError =>
  new CaptionfleetError('IMAGE_TOO_LARGE', `host ${url.hostname} sent more than ${imageLimits.bytes} bytes`);

/** What a host did, by the code or else the name of the error that undici or Node gives for it. */
const transferFailures: readonly (readonly [code: RegExp, what: string])[] = [
  [/^ECONNREFUSED$/, 'refused the connection'],
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, `accepted no connection within ${transferLimits.connectMs} ms`],
  [/^UND_ERR_HEADERS_TIMEOUT$/, `did not begin to answer within ${transferLimits.headersMs} ms`],
  [/^UND_ERR_BODY_TIMEOUT$/, `sent nothing more for ${transferLimits.silenceMs} ms`],
  [
    /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/,
    'closed the connection before the image was whole',
  ],
  [/^(HPE_|HTTPParserError$)/, 'answered with something that is not HTTP'],
  [/^UND_ERR_HEADERS_OVERFLOW$/, 'sent more headers than are read'],
  [/^E(HOST|NET)(UNREACH|DOWN)$/, 'cannot be reached from here'],
  [/^EAI_AGAIN$/, 'could not be looked up: the name server does not answer'],
  [/CERT|^UNABLE_TO_|^ERR_TLS_|^ERR_SSL_|^EPROTO$/, 'failed the TLS handshake'],
];

/** The name does not exist, for the resolver's answer; every other failure of a transfer may pass. */
function transferError(url: URL, cause: unknown): CaptionfleetError {
  if (cause instanceof CaptionfleetError) return cause;
  const { code = '', name = '' } = cause as { code?: string; name?: string };
  if (code === 'ENOTFOUND') {
    return new CaptionfleetError('SOURCE_NOT_FOUND', `there is no host ${url.hostname}`, { cause });
  }
  const [, what = 'failed to send the image'] = transferFailures.find(([pattern]) => pattern.test(code || name)) ?? [];
  return new CaptionfleetError('SOURCE_UNAVAILABLE', `host ${url.hostname} ${what}`, { cause });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';

/** Bounds of everything that waits for the hub or reads from it. */
export const hubLimits = {
  /** Milliseconds until an answer begins, and of silence within one, unless the caller says otherwise. */
  silenceMs: 30_000,
  /** Milliseconds of one whole pull. */
  pullMs: 6 * 60 * 60_000,
  /** Times in a row that a request may fail without bringing a byte. */
  tries: 5,
  /** Milliseconds: the longest possible first pause before another try; it doubles with each. */
  firstPauseMs: 500,
  redirects: 5,
  /** Bytes of a document: a listing's page, a configuration, a tokenizer, an index. */
  documentBytes: 64 * 1024 * 1024,
} as const;

export interface HubClient {
  /** Without a slash at its end; it may have a path. */
  readonly endpoint: string;
  /** `host:port` of the endpoint, for messages. */
  readonly host: string;
  /**
   * What `@huggingface/hub` and downloads call instead of fetch. The body of the answer ends with an error after a long
   * silence or more than `maxBytes`. Throws `Interrupted` for what may pass and MODEL_DOWNLOAD_FAILED for every other
   * status that is not 2xx.
   */
  fetch(url: string, request: HubRequest): Promise<Response>;
}

export interface HubRequest {
  readonly headers?: RequestInit['headers'];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** A failure that may be gone at the next try. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface HubClientOptions {
  readonly endpoint: string;
  readonly token?: string | undefined;
  /** What the requests are about, for messages. */
  readonly id: string;
  readonly revision: string;
  readonly silenceMs?: number | undefined;
}

/**
 * Opens a client for one repository.
 *
 * The token is a header of requests to the endpoint's own origin and of no others: neither where a file's redirect leads
 * nor where a listing's next page claims to be.
 *
 * @throws CONFIG_INVALID for an endpoint that is no http(s) URL
 */
export function openHubClient(options: HubClientOptions): HubClient {
  const { token, silenceMs = hubLimits.silenceMs } = options;
  const base = parseEndpoint(options.endpoint);
  const refused = (url: URL, response: Response): Error => {
    const status = response.status;
    const who = `${url.host} answered ${status}`;
    // What a file's storage refuses is an address that expired; the next try asks the hub for another.
    const isStorage = url.origin !== base.origin;
    if (isStorage || status >= 500 || retryableStatuses.has(status)) return new Interrupted(who);
    const reason = refusalReason(response, options);
    return new CaptionfleetError('MODEL_DOWNLOAD_FAILED', `${who}: ${reason}`);
  };
  const request = (url: URL, headers: Headers, signal: AbortSignal): Promise<Response> => {
    if (token !== undefined && url.origin === base.origin) headers.set('authorization', `Bearer ${token}`);
    else headers.delete('authorization');
    // Compressed bytes have another length and other ranges.
    headers.set('accept-encoding', 'identity');
    return fetch(url, { headers, signal, redirect: 'manual' });
  };
  return {
    endpoint: base.href.replace(/\/+$/, ''),
    host: base.host,
    fetch: async (text, { headers, ...limits }) => {
      let url = new URL(text);
      for (let redirects = 0; redirects <= hubLimits.redirects; redirects += 1) {
        const send = (guarded: AbortSignal) => request(url, new Headers(headers), guarded);
        const response = await guardAnswer(url, { ...limits, silenceMs }, send);
        if (response.ok) return response;
        await response.body?.cancel();
        if (!redirectStatuses.has(response.status)) throw refused(url, response);
        url = redirectTarget(url, response);
      }
      const message = `${base.host} redirected more than ${hubLimits.redirects} times`;
      throw new CaptionfleetError('MODEL_DOWNLOAD_FAILED', message);
    },
  };
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const retryableStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

function parseEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint);
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === null || !isHttp || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    // The text is not repeated: it may hold a password.
    throw new CaptionfleetError('CONFIG_INVALID', 'HF_ENDPOINT must be a URL such as https://huggingface.co');
  }
  return url;
}

/** The hub answers 401 for what does not exist, too, so that nobody can tell private repositories from missing ones. */
function refusalReason({ status, headers }: Response, { id, revision, token }: HubClientOptions): string {
  const code = headers.get('x-error-code');
  if (code === 'RevisionNotFound') return `${id} has no revision ${revision}`;
  if (status === 401 || status === 403) {
    const remedy =
      token !== undefined ? 'the token in HF_TOKEN may not read it' : 'set HF_TOKEN to a token that may read it';
    return code === 'GatedRepo'
      ? `${id} is gated: accept its terms on the hub; ${remedy}`
      : `${id} does not exist or is private: ${remedy}`;
  }
  if (code === 'EntryNotFound') return `${id}@${revision} lacks the file`;
  return status === 404 ? `${id} does not exist there` : `it refused to give ${id}@${revision}`;
}

function redirectTarget(from: URL, response: Response): URL {
  const url = URL.parse(response.headers.get('location') ?? '', from.href);
  if (url === null || !/^https?:$/.test(url.protocol) || (from.protocol === 'https:' && url.protocol === 'http:')) {
    const message = `${from.host} redirected to something that is no URL or less safe than https`;
    throw new CaptionfleetError('MODEL_DOWNLOAD_FAILED', message);
  }
  return url;
}

/** Sends a request that is given up after `silenceMs` without an answer or, later, without a byte of its body. */
async function guardAnswer(
  url: URL,
  { maxBytes, silenceMs, signal }: HubRequest & { readonly silenceMs: number },
  send: (signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const silence = new AbortController();
  const timer = setTimeout(
    () => silence.abort(new Interrupted(`${url.host} was silent for ${silenceMs / 1000} s`)),
    silenceMs,
  ).unref();
  const failure = (what: string, error: unknown): unknown => {
    signal.throwIfAborted();
    return error instanceof CaptionfleetError || error instanceof Interrupted
      ? error
      : new Interrupted(`${url.host} ${what}`, { cause: error });
  };
  async function* guardBody(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    let received = 0;
    try {
      for await (const chunk of body) {
        timer.refresh();
        received += chunk.length;
        if (received > maxBytes) {
          throw new CaptionfleetError('MODEL_DOWNLOAD_FAILED', `${url.host} sent more than ${maxBytes} bytes`);
        }
        yield chunk;
      }
    } catch (error) {
      throw failure('broke off its answer', error);
    } finally {
      clearTimeout(timer);
    }
  }
  try {
    const { status, statusText, headers, body } = await send(AbortSignal.any([signal, silence.signal]));
    if (body === null) clearTimeout(timer);
    const guarded = body === null ? null : ReadableStream.from(guardBody(body));
    return new Response(guarded, { status, statusText, headers });
  } catch (error) {
    clearTimeout(timer);
    throw failure('could not be reached', error);
  }
}

/**
 * Runs `operation` until it succeeds, fails for good, or has failed `tries` times in a row without `progress` growing.
 * Pauses are drawn between zero and their bound (full jitter).
 *
 * @throws what `operation` threw when that is a CaptionfleetError, MODEL_DOWNLOAD_FAILED after the last try, and the
 * signal's reason when it aborts
 */
export async function withTries<T>(
  operation: () => Promise<T>,
  { progress, signal }: { readonly progress: () => number; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    const before = progress();
    try {
      return await operation();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Interrupted)) throw error;
      if (progress() > before) failures = 1;
      if (failures >= hubLimits.tries) {
        const message = `${error.message} (${failures} tries)`;
        throw new CaptionfleetError('MODEL_DOWNLOAD_FAILED', message, { cause: error });
      }
      await sleep(Math.random() * hubLimits.firstPauseMs * 2 ** (failures - 1), undefined, { signal }).catch(() =>
        signal.throwIfAborted(),
      );
    }
  }
}

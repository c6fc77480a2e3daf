import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { request } from 'undici';
import { guardedAgent, type Resolve, resolveBySystem } from './guarded-agent.ts';

import { hostAndPort, parseCallerUrl } from './url-guard.ts';

export interface WebhookSenderConfig {
  /** `host:port` pairs that receivers may have although they are private, without TLS or on another port. @defaultValue none */
  readonly allowPrivateHosts?: readonly string[];
  /** Milliseconds until the receiver must have answered. @defaultValue 15 000 */
  readonly deadlineMs?: number;
  /** @defaultValue the resolver of the operating system */
  readonly resolve?: Resolve;
}

export interface WebhookAnswer {
  /** What the receiver answered; absent when it did not. */
  readonly status?: number;
  /** Seconds of its Retry-After. */
  readonly retryAfter?: number;
  /** Why there is no answer, in our words. */
  readonly reason?: string;
}

/** Sends webhooks to URLs of callers, through the guard that images of callers come through. */
export interface WebhookSender extends AsyncDisposable {
  /** @throws URL_REFUSED for what will never be called, by its text alone */
  check(url: string): void;
  /** Posts; redirects are not followed and what the receiver says is not read. Throws the signal's reason, and nothing else. */
  post(
    url: string,
    message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
    signal: AbortSignal,
  ): Promise<WebhookAnswer>;
}

const longestRetrySeconds = 24 * 60 * 60;

export function openWebhookSender(config: WebhookSenderConfig = {}): WebhookSender {
  const { deadlineMs = 15_000 } = config;
  const exempt = new Set(config.allowPrivateHosts);
  const agent = guardedAgent(exempt, config.resolve ?? resolveBySystem, { headersMs: deadlineMs });

  const parse = (text: string): URL => {
    const url = parseCallerUrl(text, exempt);
    if (url.protocol === 'https:' || exempt.has(hostAndPort(url))) return url;
    throw new CaptionfleetError('URL_REFUSED', `the URL of a webhook begins with https`);
  };

  return {
    check: (url) => void parse(url),
    async post(text, { headers, body }, signal) {
      const deadline = AbortSignal.timeout(deadlineMs);
      try {
        const url = parse(text);
        const response = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { ...headers, 'user-agent': 'captionfleet' },
          body,
          signal: AbortSignal.any([signal, deadline]),
        });
        // Enough for the connection to be used again; more of it is cut off, and nobody waits.
        response.body.dump({ limit: 4_096 }).catch(() => undefined);
        const seconds = Number(response.headers['retry-after']);
        const retryAfter = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, longestRetrySeconds) : undefined;
        return { status: response.statusCode, ...(retryAfter === undefined ? {} : { retryAfter }) };
      } catch (error) {
        signal.throwIfAborted();
        if (deadline.aborted) return { reason: `no answer within ${deadlineMs} ms` };
        if (error instanceof CaptionfleetError) return { reason: error.message };
        return { reason: `the call failed: ${codeOf(error)}` };
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}

/** The code that undici or Node gives an error: never its message, which may name what is inside this network. */
function codeOf(error: unknown): string {
  const { code, name } = error as { code?: string; name?: string };
  return code ?? name ?? 'unknown';
}

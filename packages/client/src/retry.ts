import { type Deadline, pause } from './deadline.ts';
import { errorOfAnswer, FleetError } from './fleet-error.ts';

/** How often a call is sent at most, whatever time it has. */
const maxAttempts = 8;
/** Milliseconds before the second attempt at most, where the fleet says nothing; doubled for each further one. */
const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** What a pause that the fleet named is lengthened by at most, so that callers refused together do not return together. */
const spread = 0.25;

/** An answer as openapi-fetch gives it. */
interface Answer<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * Sends until there is a success, an error that may not be repeated, or no time left. `send` makes its request anew each time.
 *
 * @throws FleetError: that of the last attempt when the next one would come too late; the signal's reason
 */
export async function withRetries<Data>(
  send: (signal: AbortSignal) => Promise<Answer<Data>>,
  deadline: Deadline,
  mayRepeat = (failure: FleetError): boolean => failure.retryable,
): Promise<{ data: Data; response: Response }> {
  for (let attempt = 1; ; attempt += 1) {
    const { failure, retryAfterMs, ...success } = await tryOnce(send, deadline.signal);
    if (failure === undefined) return success as { data: Data; response: Response };
    const pauseMs = pauseBefore(attempt, retryAfterMs);
    if (!mayRepeat(failure) || attempt === maxAttempts || pauseMs >= deadline.remainingMs()) throw failure;
    await pause(pauseMs, deadline.signal);
  }
}

type Attempt<Data> =
  | {
      readonly data: Data;
      readonly response: Response;
      readonly failure?: undefined;
      readonly retryAfterMs?: undefined;
    }
  | { readonly failure: FleetError; readonly retryAfterMs: number | undefined };

async function tryOnce<Data>(
  send: (signal: AbortSignal) => Promise<Answer<Data>>,
  signal: AbortSignal,
): Promise<Attempt<Data>> {
  signal.throwIfAborted();
  try {
    const { data, error, response } = await send(signal);
    if (response.ok && data !== undefined) return { data, response };
    return { failure: errorOfAnswer(response.status, error), retryAfterMs: retryAfter(response.headers) };
  } catch (cause) {
    // What fetch throws says little of its own; an abort has the reason of the signal.
    signal.throwIfAborted();
    const failure = new FleetError({ code: 'NETWORK', message: 'the fleet did not answer', retryable: true, cause });
    return { failure, retryAfterMs: undefined };
  }
}

function pauseBefore(attempt: number, retryAfterMs: number | undefined): number {
  if (retryAfterMs !== undefined) return retryAfterMs * (1 + spread * Math.random());
  return Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)) * Math.random();
}

/** Milliseconds that a Retry-After asks for, in seconds or as a date. */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

import type { components } from './openapi-types.ts';

export type Problem = components['schemas']['Problem'];

/**
 * Codes of the fleet's table, and what a client finds by itself: no answer (NETWORK), an answer that is none of the fleet's
 * (ANSWER_UNKNOWN), no end before the deadline of a call (DEADLINE).
 */
export type FleetErrorCode = Problem['code'] | 'NETWORK' | 'ANSWER_UNKNOWN' | 'DEADLINE';

interface FleetErrorDetails {
  readonly code: FleetErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly status?: number | undefined;
  readonly problem?: Problem | undefined;
  readonly id?: string | undefined;
  readonly cause?: unknown;
}

/** What a call of the client rejects with, unless its own signal aborted it: then with the signal's reason. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: FleetErrorCode;
  /** Whether the same call may succeed later; the client has tried until its deadline then. */
  readonly retryable: boolean;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** The fleet's answer (RFC 9457): what was wrong field by field, and the id of the exchange in its log. */
  readonly problem: Problem | undefined;
  /** The request that was accepted and is not finished: it can be waited for again. */
  readonly id: string | undefined;

  constructor({ code, message, retryable, status, problem, id, cause }: FleetErrorDetails) {
    super(message, { cause });
    this.code = code;
    this.retryable = retryable;
    this.status = status;
    this.problem = problem;
    this.id = id;
  }
}

/** Statuses that proxies answer with when the same request may succeed later. */
const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** The error of an answer that is none of success. */
export function errorOfAnswer(status: number, body: unknown): FleetError {
  if (isProblem(body)) {
    const { code, detail, retryable } = body;
    return new FleetError({ code, message: `${code}: ${detail}`, retryable, status, problem: body });
  }
  const retryable = retryableStatuses.has(status);
  return new FleetError({
    code: 'ANSWER_UNKNOWN',
    message: `the answer was ${status} and no problem`,
    retryable,
    status,
  });
}

const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && 'detail' in body && 'retryable' in body;

/** What a wait ends with: of an error that may pass, one that says which request goes on. */
export function unfinished(cause: unknown, what: string, id: string): unknown {
  if (!(cause instanceof FleetError && cause.retryable)) return cause;
  return new FleetError({ ...cause, message: `${what}: ${cause.message}`, id, cause });
}

import { setTimeout as sleep } from 'node:timers/promises';

/** Bounds of an operation that is tried again. */
export interface RetryLimits {
  readonly tries: number;
  /** Milliseconds of one try. */
  readonly tryMs: number;
  /** Milliseconds of all tries and the pauses between them. */
  readonly totalMs: number;
  /** Milliseconds: the longest possible first pause; it doubles with each try. */
  readonly firstPauseMs: number;
}

interface RetryOptions {
  readonly limits: RetryLimits;
  readonly isTransient: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `operation` until it succeeds, fails for good, or a limit is reached; then throws the last error. Pauses are drawn
 * between zero and their bound (full jitter), so that many processes that failed together do not return together.
 * When `signal` aborts, its reason is thrown.
 */
export async function retry<T>(operation: (signal: AbortSignal) => Promise<T>, options: RetryOptions): Promise<T> {
  const { limits, isTransient, signal } = options;
  const total = AbortSignal.timeout(limits.totalMs);
  const stop = signal === undefined ? total : AbortSignal.any([signal, total]);
  for (let tried = 1; ; tried += 1) {
    signal?.throwIfAborted();
    const oneTry = AbortSignal.timeout(limits.tryMs);
    try {
      return await operation(AbortSignal.any([stop, oneTry]));
    } catch (error) {
      signal?.throwIfAborted();
      const again = oneTry.aborted || isTransient(error);
      if (!again || tried >= limits.tries || stop.aborted) throw error;
      await pause(Math.random() * limits.firstPauseMs * 2 ** (tried - 1), stop);
    }
  }
}

/** Ends early, without an error, when `signal` aborts: the loop then says why. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

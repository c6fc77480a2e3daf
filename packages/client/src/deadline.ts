import { FleetError } from './fleet-error.ts';

/** Until when a call may go on: the caller's signal, and the milliseconds that it has. */
export interface Deadline {
  /** Aborts with the reason of the caller's signal, or with DEADLINE. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left. */
  remainingMs(): number;
  /** The call has ended; nothing is left behind. */
  end(): void;
}

/** AbortSignal.any is younger than Node 18. */
export function startDeadline(milliseconds: number, outer: AbortSignal | undefined): Deadline {
  const ends = performance.now() + milliseconds;
  const controller = new AbortController();
  const abort = (): void => controller.abort(outer?.reason);
  const message = `the call had ${milliseconds} ms and did not end`;
  const timer = setTimeout(
    () => controller.abort(new FleetError({ code: 'DEADLINE', message, retryable: true })),
    milliseconds,
  );
  if (outer?.aborted === true) abort();
  outer?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, ends - performance.now()),
    end: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

/** Rejects with the signal's reason when it aborts before the time is over. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, milliseconds);
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
    });
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { type PreparedModel, type PrepareRequest, prepareModel } from './prepare-model.ts';

export interface DriftWatchOptions {
  /** Asks for the variant that is served. */
  readonly request: PrepareRequest;
  readonly everyMs: number;
  readonly onCheck: (outcome: 'passed' | 'failed' | 'undecided', detail: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Verifies the model again and asks it again what it said when it was built, every `everyMs`, in a process of its own. Resolves
 * with what is wrong once a check fails; a check that could not be made is tried again at the next turn.
 */
export async function watchDrift(options: DriftWatchOptions): Promise<CaptionfleetError> {
  const { request, everyMs, onCheck, signal } = options;
  for (;;) {
    await pause(everyMs, undefined, { signal, ref: false });
    try {
      assertServed(await prepareModel({ ...request, askAgain: true }, signal), request);
      onCheck('passed', 'the model answers as it did when it was built');
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = reportError(error);
      const isCertain = error instanceof CaptionfleetError && code.startsWith('MODEL_');
      onCheck(isCertain ? 'failed' : 'undecided', `${code}: ${message}`);
      if (isCertain) return error;
    }
  }
}

/** int8 that drifted gives way to fp32: what is served is then another variant than what would be chosen now. */
function assertServed({ choice }: PreparedModel, { variant }: PrepareRequest): void {
  if (choice.variant !== variant) throw new CaptionfleetError('MODEL_DRIFTED', choice.reason);
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { VariantChoice, VariantWish } from '@captionfleet/blip/variant-choice';
import { CaptionfleetError, type ErrorReport, errorFromReport } from '@captionfleet/protocol/errors';
import type { ModelCard } from '@captionfleet/protocol/worker-presence';

export interface PrepareRequest {
  readonly modelDirectory: string;
  readonly variant: VariantWish;
  /** Where the form that this machine runs is kept. */
  readonly cache: string;
  /** Asks the model what it said when it was built even if it was asked not long ago. @defaultValue false */
  readonly askAgain?: boolean;
}

export interface PreparedModel {
  /** Without a directory nothing could be prepared, and fp32 is opened from the model itself. */
  readonly choice: VariantChoice | { readonly variant: 'fp32'; readonly reason: string };
  /** Of the model. */
  readonly id: string;
  readonly card: ModelCard;
  readonly timings: { readonly verifyMs: number; readonly prepareMs: number };
}

export type FromPrepareProcess =
  | ({ readonly type: 'prepared' } & PreparedModel)
  | { readonly type: 'refused'; readonly error: ErrorReport };

/** Milliseconds for a model that this machine has never seen: it is read, optimised, written and measured. */
const prepareMs = 300_000;

const entryPoint = new URL('./prepare-process.ts', import.meta.url);

/**
 * Verifies and prepares a model in a process of its own, which ends afterwards.
 *
 * @throws MODEL_NOT_FOUND, MODEL_CORRUPT, MODEL_UNSUPPORTED; INFERENCE_FAILED when the process ends or takes too long
 */
export async function prepareModel(request: PrepareRequest, signal: AbortSignal): Promise<PreparedModel> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(prepareMs)]);
  const child = fork(entryPoint, { serialization: 'advanced' });
  const ended = once(child, 'exit');
  const died = ended.then(([code, killedBy]) => {
    const reason = `the process that prepares the model ended with ${killedBy ?? `exit code ${code}`}`;
    throw new CaptionfleetError('INFERENCE_FAILED', reason);
  });
  try {
    child.send(request);
    const answered = once(child, 'message', { signal: within }) as Promise<[FromPrepareProcess]>;
    const [message] = await Promise.race([answered, died]);
    if (message.type === 'refused') throw errorFromReport(message.error);
    return message;
  } finally {
    died.catch(() => undefined);
    child.kill('SIGKILL');
    await ended;
  }
}

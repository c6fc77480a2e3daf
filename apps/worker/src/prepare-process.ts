// A process that makes a model ready for this machine and ends: it compares the files with the manifest, chooses a variant,
// prepares it, and asks it what it said when it was built. Native code runs in it, so it is none of the worker's main process; see prepare-model.ts.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDrift } from '@captionfleet/blip/drift-check';
import { type ModelDirectory, readModelDirectory } from '@captionfleet/blip/model-directory';
import { CheckSchema, checkedNow, stillCounts } from '@captionfleet/blip/recent-check';
import { chooseVariant, type VariantChoice } from '@captionfleet/blip/variant-choice';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import type { ModelCard } from '@captionfleet/protocol/worker-presence';
import type { FromPrepareProcess, PreparedModel, PrepareRequest } from './prepare-model.ts';

// The main process let go, or died.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

const never = new AbortController().signal;
const passFile = 'drift-check.json';
const send = (message: FromPrepareProcess): void => void process.send?.(message);

const [request] = (await once(process, 'message')) as [PrepareRequest];
try {
  const started = performance.now();
  const model = await readModelDirectory(request.modelDirectory, { signal: never });
  const verifiedMs = performance.now() - started;
  const choice = await choose(model, request);
  send({
    type: 'prepared',
    id: model.manifest.id,
    choice,
    card: cardOf(model),
    timings: { verifyMs: verifiedMs, prepareMs: performance.now() - started - verifiedMs },
  });
} catch (error) {
  // What is not an error of the model is a defect: the process ends with it.
  if (!(error instanceof CaptionfleetError)) throw error;
  send({ type: 'refused', error: reportError(error) });
}

function cardOf({ manifest: { licence, source, card } }: ModelDirectory): ModelCard {
  return { licence, ...(source === undefined ? {} : { source }), ...card };
}

/** Without a cache that can be written the model is served all the same: it loads slower and its weights are not shared. */
async function choose(model: ModelDirectory, request: PrepareRequest): Promise<PreparedModel['choice']> {
  const { cache, variant, askAgain = false } = request;
  try {
    return await undrifted(
      model,
      await chooseVariant(model, variant, { cache, thorough: askAgain, signal: never }),
      request,
    );
  } catch (error) {
    if (!(error instanceof CaptionfleetError) || error.code !== 'CONFIG_INVALID') throw error;
    return { variant: 'fp32', reason: `nothing could be prepared: ${error.message}` };
  }
}

/** A variant that answers otherwise than when it was built is not served: int8 gives way to fp32, fp32 to nothing. */
async function undrifted(
  model: ModelDirectory,
  choice: VariantChoice,
  request: PrepareRequest,
): Promise<VariantChoice> {
  if (request.askAgain !== true && (await passedRecently(choice.directory))) return choice;
  const drift = await checkDrift(model, choice, never);
  if (drift === undefined || drift.accepted) {
    await writeFile(join(choice.directory, passFile), JSON.stringify(await checkedNow()), { flush: true });
    return choice;
  }
  const reason = `${choice.variant} answers otherwise than when it was built: ${drift.reason}`;
  if (choice.variant === 'fp32') throw new CaptionfleetError('MODEL_DRIFTED', reason);
  const fallback = await chooseVariant(model, 'fp32', { cache: request.cache, signal: never });
  return await undrifted(model, { ...fallback, reason }, request);
}

async function passedRecently(directory: string): Promise<boolean> {
  try {
    return await stillCounts(CheckSchema.parse(JSON.parse(await readFile(join(directory, passFile), 'utf8'))));
  } catch {
    return false;
  }
}

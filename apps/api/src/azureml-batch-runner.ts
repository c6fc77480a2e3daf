import { setTimeout as delay } from 'node:timers/promises';
import { reportError } from '@captionfleet/protocol/errors';
import type { RequestId } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { Lease } from '@captionfleet/storage/blob-store';
import type { OpenScoring } from '@captionfleet/storage/open-scoring';
import type { FastifyBaseLogger } from 'fastify';
import { runScoring, type ScoringRunConfig } from './azureml-batch-run.ts';

interface RunnerConfig extends ScoringRunConfig {
  readonly open: OpenScoring;
  readonly logger: FastifyBaseLogger;
}

export interface ScoringRunner extends AsyncDisposable {
  /** Looks for open jobs now: there is a new one. */
  wake(): void;
}

/** Jobs that one process works on; others wait for their turn, or for another process. */
const jobsAtOnce = 8;
/** Milliseconds between looks for jobs that nobody works on. */
const sweepMs = 5_000;

/**
 * Works on the open scoring jobs that no other process works on, until it is disposed of. Then it gives them back, and another
 * process goes on with them.
 */
export function startScoringRunner(config: RunnerConfig): ScoringRunner {
  const { open, logger } = config;
  const stopped = new AbortController();
  const running = new Map<string, Promise<void>>();
  let woken = new AbortController();

  const work = async (held: Lease, { tenant, id }: { readonly tenant: Tenant; readonly id: RequestId }) => {
    await using _held = held;
    const signal = AbortSignal.any([stopped.signal, held.signal]);
    try {
      const job = await config.scoring(tenant).readJob(id, { signal });
      const end = job && (await runScoring(job, config, signal));
      await held.remove();
      logger.info({ scoringJob: id, tenant, status: end?.status, counts: end?.counts }, 'scoring job ended');
    } catch (error) {
      if (stopped.signal.aborted) return;
      logger.warn(
        { scoringJob: id, tenant, err: error },
        `${reportError(error).code}: a scoring job will be taken up again`,
      );
    }
  };
  const sweep = async (): Promise<void> => {
    for (const job of await open.list({ signal: stopped.signal })) {
      if (running.size >= jobsAtOnce) return;
      if (running.has(job.id)) continue;
      const held = await open.hold(job, { signal: stopped.signal });
      if (held === undefined) continue;
      const done = work(held, job).finally(() => running.delete(job.id));
      running.set(job.id, done);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const wake = woken.signal;
      await sweep().catch((error: unknown) => {
        if (!stopped.signal.aborted) logger.warn({ err: error }, 'open scoring jobs cannot be looked for');
      });
      const waiting = AbortSignal.any([wake, stopped.signal]);
      await delay(sweepMs, undefined, { signal: waiting }).catch(() => undefined);
    }
  };
  const looping = loop();
  return {
    wake() {
      const before = woken;
      woken = new AbortController();
      before.abort();
    },
    async [Symbol.asyncDispose]() {
      stopped.abort(new Error('the process stops'));
      await looping;
      await Promise.all(running.values());
    },
  };
}

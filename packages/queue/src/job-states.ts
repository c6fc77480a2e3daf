import type { Redis } from 'ioredis';
import type { KeyOf } from './queue-counts.ts';

/** `queued` is also a job between two attempts, or one whose worker died and that nobody has taken up yet. */
export type JobState = 'queued' | 'running' | 'finished' | 'failed';

/**
 * Reads the states of jobs in one round trip; a job that the queue does not know is absent. The fields of each job are
 * enough: BullMQ's own getState searches the lists, which takes time proportional to the backlog.
 */
export async function readStates(
  redis: Redis,
  key: KeyOf,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, JobState>> {
  const entries = await Promise.all(
    jobIds.map(async (jobId) => {
      const [fields, locks] = await Promise.all([
        redis.hmget(key(jobId), 'timestamp', 'finishedOn', 'returnvalue'),
        redis.exists(key(`${jobId}:lock`)),
      ]);
      return [jobId, jobState(fields, locks > 0)] as const;
    }),
  );
  return new Map(entries.flatMap(([jobId, state]) => (state === undefined ? [] : [[jobId, state]])));
}

/** A finished job has a return value, a failed one has none; only a running one is locked. */
function jobState(
  [timestamp, finishedOn, returnValue]: readonly (string | null | undefined)[],
  isLocked: boolean,
): JobState | undefined {
  if (timestamp == null) return undefined;
  if (finishedOn != null) return returnValue == null ? 'failed' : 'finished';
  return isLocked ? 'running' : 'queued';
}

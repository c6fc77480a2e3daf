import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type ImageJob, jobId } from '@captionfleet/protocol/image-job';
import type { Pool } from '@captionfleet/protocol/queue-names';
import type { Task } from '@captionfleet/protocol/task';
import type { JobProducer, Places } from '@captionfleet/queue/producer';

/** What is asked for jobs together, as far as it decides which pool can do them, and which in time. */
export interface Demand {
  readonly tasks: readonly Task[];
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined;
}

/** A producer that may have several pools to choose from. */
export interface TaskProducer extends JobProducer {
  /** As a producer's; without a demand any pool is taken to be able. */
  reserve(jobs: number, least?: number, demand?: Demand): Promise<Places>;
}

/** The pools that can do the jobs, the best first. @throws QUEUE_UNAVAILABLE */
export type RankPools = (demand: Demand, images: number) => Promise<readonly Pool[]>;

/**
 * One producer in front of those of several pools. A pool is chosen once for the jobs of a reservation, and the next best takes them when
 * its queue is full. Whatever else is asked about a job is asked of all pools, and a job that one of them knows stays there, so
 * enqueueing again remains enqueueing once; two processes that enqueue a lost job at the same moment may put it into two pools,
 * and the first outcome counts.
 */
export function routeProducers(pools: ReadonlyMap<Pool, JobProducer>, rank: RankPools): TaskProducer {
  const producers = [...pools.values()];
  const places = new WeakMap<Places, JobProducer>();
  const everywhere = <Answer>(ask: (producer: JobProducer) => Promise<Answer>): Promise<Answer[]> =>
    Promise.all(producers.map(ask));

  const reserve: TaskProducer['reserve'] = async (jobs, least, demand = { tasks: [] }) => {
    let full: unknown = new CaptionfleetError(
      'TASK_UNSUPPORTED',
      'no pool of this fleet can do this task with its options',
    );
    for (const pool of await rank(demand, jobs)) {
      const producer = pools.get(pool);
      if (producer === undefined) continue;
      try {
        const promised = await producer.reserve(jobs, least);
        places.set(promised, producer);
        return promised;
      } catch (error) {
        if (!(error instanceof CaptionfleetError) || error.code !== 'QUEUE_FULL') throw error;
        full = error;
      }
    }
    throw full;
  };

  return {
    reserve,
    async enqueue(jobs, { signal, places: promised }) {
      signal.throwIfAborted();
      const known = await everywhere(async (producer) => ({
        producer,
        states: await producer.states(jobs.map(jobId)),
      }));
      const ownerOf = (job: ImageJob) => known.find(({ states }) => states.has(jobId(job)))?.producer;
      const fresh = jobs.filter((job) => ownerOf(job) === undefined);
      for (const { producer } of known) {
        const again = jobs.filter((job) => ownerOf(job) === producer);
        if (again.length > 0) await producer.enqueue(again, { signal, places: promised });
      }
      if (fresh.length === 0) return;
      const own = promised === undefined ? await reserve(fresh.length, fresh.length, demandOf(fresh)) : undefined;
      try {
        const kept = promised ?? own;
        const chosen = kept === undefined ? undefined : places.get(kept);
        await (chosen ?? producers[0])?.enqueue(fresh, { signal, places: kept });
      } finally {
        own?.[Symbol.dispose]();
      }
    },
    async withdraw(jobIds) {
      await everywhere((producer) => producer.withdraw(jobIds));
    },
    async states(jobIds) {
      return new Map((await everywhere((producer) => producer.states(jobIds))).flatMap((states) => [...states]));
    },
    async abandon(request, jobIds) {
      const held = await everywhere(async (producer) => {
        const states = await producer.states(jobIds);
        return await producer.abandon(
          request,
          jobIds.filter((id) => states.has(id)),
        );
      });
      return new Set(held.flatMap((ids) => [...ids]));
    },
    depth: async () => sum(await everywhere((producer) => producer.depth())),
    async counts() {
      const all = await everywhere((producer) => producer.counts());
      const total = (of: 'waiting' | 'active' | 'delayed' | 'failed') => sum(all.map((counts) => counts[of]));
      return { waiting: total('waiting'), active: total('active'), delayed: total('delayed'), failed: total('failed') };
    },
    drainSeconds(jobs) {
      const rates = producers.map((producer) => 1 / (producer.drainSeconds(1) ?? Number.POSITIVE_INFINITY));
      const rate = sum(rates);
      return rate === 0 ? undefined : jobs / rate;
    },
    retryAfter: (excess) => Math.min(...producers.map((producer) => producer.retryAfter(excess))),
    onFinished(listener) {
      const listening = new DisposableStack();
      for (const producer of producers) listening.use(producer.onFinished(listener));
      return listening;
    },
    async ping(options) {
      await everywhere((producer) => producer.ping(options));
    },
    async [Symbol.asyncDispose]() {
      for (const producer of producers) await producer[Symbol.asyncDispose]();
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function demandOf(jobs: readonly ImageJob[]): Demand {
  const deadlines = jobs.flatMap(({ deadline }) => deadline ?? []);
  return {
    tasks: jobs.map(({ task }) => task),
    ...(deadlines.length === 0 ? {} : { deadline: Math.min(...deadlines) }),
  };
}

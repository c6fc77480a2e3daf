import type { Lane, Pool } from '@captionfleet/protocol/queue-names';
import type { ModelTask, Task } from '@captionfleet/protocol/task';
import { choosePool, type PoolOffer } from '@captionfleet/scaling/pool-router';
import { type FleetLook, type PoolLook, ratePerWorker, workUpTo } from './pool-look.ts';
import { assumedStartSeconds, type PoolScalingSettings } from './pool-scaling.ts';
import type { Demand, RankPools } from './routed-producer.ts';

interface PoolChoiceConfig {
  /** In the order in which they are preferred where nothing else decides. */
  readonly pools: readonly Pool[];
  readonly look: () => Promise<FleetLook>;
  readonly settings: Readonly<Record<Pool, PoolScalingSettings>>;
}

/** Milliseconds for which a look at the fleet serves, as requests come faster than it changes. */
const freshMs = 1_000;

/** Ranks the pools for jobs of a lane and a head by what workers and queues are seen to be. */
export function openPoolChoice({
  pools,
  look,
  settings,
}: PoolChoiceConfig): (lane: Lane, head: ModelTask) => RankPools {
  let seen: Promise<FleetLook> | undefined;
  let seenAt = 0;
  /** Images that were sent to each pool since the last look, which does not show them. */
  const sent = new Map<Pool, number>();
  const recent = (): Promise<FleetLook> => {
    if (seen === undefined || performance.now() - seenAt > freshMs) {
      const fresh = look();
      fresh.catch(() => {
        if (seen === fresh) seen = undefined;
      });
      seen = fresh;
      seenAt = performance.now();
      sent.clear();
    }
    return seen;
  };
  return (lane, head) => async (demand, images) => {
    const { pools: looks } = await recent();
    const offers = pools.flatMap((pool) => {
      const own = looks.find((one) => one.pool === pool);
      return own === undefined
        ? []
        : offerOf(own, { lane, head, images: images + (sent.get(pool) ?? 0), demand }, settings[pool]);
    });
    const within = Math.min(
      ...pools.map((pool) => settings[pool].sloSeconds[lane]),
      demand.deadline === undefined ? Number.POSITIVE_INFINITY : (demand.deadline - Date.now()) / 1_000,
    );
    const order = ranked(offers, within);
    const [best] = order;
    if (best !== undefined) sent.set(best, (sent.get(best) ?? 0) + images);
    return order;
  };
}

function ranked(offers: readonly PoolOffer[], within: number): Pool[] {
  const best = choosePool(offers, within);
  if (best === undefined) return [];
  return [
    best,
    ...ranked(
      offers.filter(({ pool }) => pool !== best),
      within,
    ),
  ];
}

interface Jobs {
  readonly lane: Lane;
  readonly head: ModelTask;
  /** With those that were sent there just now. */
  readonly images: number;
  readonly demand: Demand;
}

function offerOf(
  { pool, queues, workers }: PoolLook,
  { lane, head, images, demand }: Jobs,
  { coldStartSeconds, assumedImagesPerSecond }: PoolScalingSettings,
): PoolOffer {
  const able = workers.filter((worker) => worker.lanes.includes(lane) && worker.tasks.includes(head));
  const work = images + workUpTo(queues, lane);
  const rate = Math.max(1, able.length) * (ratePerWorker(able) || assumedImagesPerSecond);
  const isPaused = queues.some((queue) => queue.lane === lane && queue.head === head && queue.paused);
  return {
    pool,
    isAble: pool === 'cpu' || demand.tasks.every(isGreedyCaption),
    readyWorkers: able.length,
    doneInSeconds: isPaused ? Number.POSITIVE_INFINITY : work / rate,
    coldStartSeconds: coldStartSeconds ?? assumedStartSeconds,
    usdPer1000: undefined,
  };
}

/** What the one graph of a GPU does: captions by greedy decoding without penalties. */
export function isGreedyCaption(task: Task): boolean {
  if (task.type !== 'caption') return false;
  const { num_beams = 1, do_sample = false, repetition_penalty = 1, no_repeat_ngram_size = 0 } = task.options;
  return num_beams === 1 && !do_sample && repetition_penalty === 1 && no_repeat_ngram_size === 0;
}

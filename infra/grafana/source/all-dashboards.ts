import { batch } from './batch.ts';
import { cost } from './cost.ts';
import type { Dashboard } from './dashboard.ts';
import { fleetOverview } from './fleet-overview.ts';
import { modelQuality } from './model-quality.ts';
import { queue } from './queue.ts';
import { worker } from './worker.ts';

/** By the name of the file that each is written to. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'fleet-overview': fleetOverview,
  queue,
  worker,
  batch,
  cost,
  'model-quality': modelQuality,
};

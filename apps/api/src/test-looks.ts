import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import type { QueueLook } from './pool-look.ts';

/** A worker of the cpu pool that captions in both lanes and has measured nothing, but for `part`. */
export const workerPresence = (part: Partial<WorkerPresence> = {}): WorkerPresence => ({
  id: 'one',
  model: { id: 'demo', revision: '1', variant: 'fp32' },
  card: { licence: 'bsd-3-clause' },
  tasks: ['caption'],
  lanes: ['interactive', 'bulk'],
  pool: 'cpu',
  machine: { platform: 'linux', architecture: 'x64', processor: 'test', cores: 2 },
  processes: 2,
  readySince: '2026-11-25T00:00:00.000Z',
  ...part,
});

/** The queue of interactive captions of the cpu pool, empty but for `part`. */
export const queueLook = (part: Partial<QueueLook> = {}): QueueLook => ({
  name: 'interactive-cpu',
  lane: 'interactive',
  head: 'caption',
  waiting: 0,
  active: 0,
  delayed: 0,
  failed: 0,
  overdue: 0,
  oldestWaitingSeconds: 0,
  oldestSeconds: 0,
  paused: false,
  arrivalsPerSecond: 0,
  ...part,
});

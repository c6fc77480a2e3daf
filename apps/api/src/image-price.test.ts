import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { pricePer1000 } from './image-price.ts';

const worker = (part: Partial<WorkerPresence>): WorkerPresence => ({
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

test('a thousand images cost what the workers of a size cost by what they do', () => {
  const prices = pricePer1000([
    worker({ size: 'Standard_D4as_v6', usdPerHour: 0.36, imagesPerSecond: 1 }),
    worker({ size: 'Standard_D4as_v6', usdPerHour: 0.36, imagesPerSecond: 3 }),
    worker({ usdPerHour: 3.6, imagesPerSecond: 10 }),
    worker({ size: 'Standard_D8as_v6', imagesPerSecond: 9 }),
    worker({ size: 'Standard_D8as_v6', usdPerHour: 1 }),
    worker({ size: 'Standard_D8as_v6', usdPerHour: 1, imagesPerSecond: 0 }),
  ]);
  const cents = [...prices].map(([size, usd]) => [size, Math.round(usd * 1_000) / 1_000]);
  assert.deepEqual(cents, [
    ['Standard_D4as_v6', 0.05],
    ['unknown', 0.1],
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pricePer1000 } from './image-price.ts';
import { workerPresence as worker } from './test-looks.ts';

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

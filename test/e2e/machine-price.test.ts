import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { CaptionRequestStatus } from '@captionfleet/protocol/image-outcome';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { startWorker } from '../../apps/cli/src/local-app.ts';
import { startFleet } from '../support/fleet.ts';
import { makePicture } from '../support/pictures.ts';

test('a worker with a price says it in results, metrics and /info; one on a forbidden size does not start', async () => {
  await using fleet = await startFleet({
    workers: 1,
    env: {
      CAPTIONFLEET_MACHINE_SIZE: 'standard_d4as_v6',
      CAPTIONFLEET_MACHINE_ZONE: '2',
      CAPTIONFLEET_MACHINE_PRIORITY: 'spot',
      CAPTIONFLEET_USD_PER_HOUR: '3600',
      CAPTIONFLEET_ALLOWED_SIZES: 'Standard_D4as_v6',
    },
  });
  const image = (await makePicture(1)).bytes.toString('base64');
  const answer = await fetch(`${fleet.api.url}/v1/captions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ images: [{ base64: image }] }),
  });
  const [outcome] = ((await answer.json()) as CaptionRequestStatus).images;
  assert.ok(outcome?.status === 'succeeded');
  const { timings, costUsd = Number.NaN } = outcome;
  // A dollar a second, and one inference process.
  const spent = (timings.preprocessMs + timings.inferenceMs) / 1_000;
  assert.ok(Math.abs(costUsd - spent) <= spent * 0.01, JSON.stringify(outcome));

  const info = (await (await fetch(`${fleet.api.url}/info`)).json()) as { workers: WorkerPresence[] };
  const { size, zone, priority, usdPerHour } = info.workers[0] ?? assert.fail();
  assert.deepEqual(
    { size, zone, priority, usdPerHour },
    { size: 'Standard_D4as_v6', zone: '2', priority: 'spot', usdPerHour: 3600 },
  );
  const metrics = await (await fetch(`${fleet.workers[0]?.url}/metrics`)).text();
  assert.match(metrics, /captionfleet_machine_usd_per_hour\{size="Standard_D4as_v6",priority="spot"\} 3600/);

  // The worker says its rate every five seconds.
  const price = /captionfleet_usd_per_1000_images\{pool="cpu",size="Standard_D4as_v6"\} \d/;
  const deadline = AbortSignal.timeout(30_000);
  while (!price.test(await (await fetch(`${fleet.api.adminUrl}/metrics`)).text())) {
    await pause(100, undefined, { signal: deadline });
  }

  const forbidden = { ...fleet.env, CAPTIONFLEET_MACHINE_SIZE: 'Standard_D8as_v6' };
  await assert.rejects(startWorker(forbidden, AbortSignal.timeout(60_000)), /this machine is a Standard_D8as_v6/);
});

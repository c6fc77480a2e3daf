// The dashboards of infra/grafana: what Grafana would ask, asked of a real Prometheus that scrapes a real fleet.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { metricTable } from '@captionfleet/telemetry/metrics';
import { dashboards } from '../../infra/grafana/source/all-dashboards.ts';
import { panelsOf } from '../../infra/grafana/source/dashboard.ts';
import { dashboardFiles } from '../../scripts/dashboards.ts';
import { goldenDirectory } from '../support/fleet.ts';
import { postCaptions, waitFor } from '../support/http.ts';
import { redisCommand } from '../support/redis-command.ts';
import { askable, drawDashboard } from './dashboard-picture.ts';
import { startObservedFleet } from './observed-fleet.ts';

const expressions = Object.entries(dashboards).flatMap(([name, dashboard]) =>
  panelsOf(dashboard).flatMap(({ title, queries }) =>
    queries.map(({ expr }) => ({ where: `${name}: ${title}`, expr })),
  ),
);

test('the files are what the code makes', () => {
  for (const { name, written, current } of dashboardFiles) {
    assert.equal(written(), current, `${name}: run npm run dashboards`);
  }
});

test('every metric of the fleet is on a dashboard', () => {
  const all = expressions.map(({ expr }) => expr).join('\n');
  /** By way of a recording rule. */
  const recorded = new Set([
    'captionfleet_workers',
    'captionfleet_drain_seconds',
    'captionfleet_queue_jobs',
    'captionfleet_redis_memory_bytes',
  ]);
  const missing = Object.keys(metricTable).filter((name) => !recorded.has(name) && !all.includes(name));
  assert.deepEqual(missing, []);
});

test('every query of every panel gives series, and a picture of them has a line in every panel', async () => {
  await using observed = await startObservedFleet({
    workers: 2,
    env: { CAPTIONFLEET_MACHINE_SIZE: 'Standard_D2as_v5', CAPTIONFLEET_USD_PER_HOUR: '0.1' },
  });
  const { fleet, prometheus } = observed;
  await redisCommand(fleet.redisUrl, 'config', 'set', 'maxmemory', '1gb');
  const photo = await readFile(join(goldenDirectory, 'images', '01-landscape.jpg'));
  const image = { base64: photo.toString('base64') };
  const corrupt = { base64: photo.subarray(0, 200).toString('base64') };
  const left = new Map(expressions.map(({ where, expr }) => [expr, where]));
  await waitFor('every query to give series', 60_000, async () => {
    await Promise.all([
      postCaptions(fleet.api.url, { images: [image, image, corrupt] }, { prefer: 'wait=20' }),
      postCaptions(fleet.api.url, { images: [image, image], lane: 'bulk' }, { prefer: 'wait=20' }),
    ]);
    for (const [expr, where] of left) {
      const found = await prometheus
        .query(askable(expr))
        .catch((error: Error) => assert.fail(`${where}: ${error.message}`));
      if (found.some(({ value }) => Number.isFinite(value))) left.delete(expr);
    }
    return left.size === 0;
  }).catch(() => undefined);
  assert.deepEqual([...left], [], 'these gave nothing');
  const end = Date.now() / 1000;
  for (const dashboard of Object.values(dashboards)) {
    const picture = await drawDashboard(dashboard, prometheus, { start: end - 15, end, step: 1 });
    for (const drawn of picture.split('<g ').slice(1)) assert.match(drawn, /<path d="M/, drawn);
  }
});

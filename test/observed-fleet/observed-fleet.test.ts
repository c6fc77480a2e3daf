// The rules on a real Prometheus that scrapes a real fleet. `npm run observe` goes on from here and breaks its parts.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRules } from '../support/alert-rules.ts';
import { goldenDirectory } from '../support/fleet.ts';
import { postCaptions, waitFor } from '../support/http.ts';
import { redisCommand } from '../support/redis-command.ts';
import { startObservedFleet } from './observed-fleet.ts';

const runbooks = new URL('../../docs/runbooks/', import.meta.url);
/** Of metrics that no process exports yet, or that need an hour. */
const withoutSeries = new Set(['captionfleet:usd_per_1000_images:rate1h']);

/** What the pages of docs/runbooks ask Prometheus. */
const runbookQueries = (): string[] =>
  globSync('*.md', { cwd: runbooks.pathname }).flatMap((page) =>
    [...readFileSync(new URL(page, runbooks), 'utf8').matchAll(/^promql '(.+)'$/gm)].map(
      ([, query]) => query as string,
    ),
  );

test('every rule is evaluated without an error, every recording gives series, and nothing fires in a healthy fleet', async () => {
  await using observed = await startObservedFleet({ workers: 1, quickenBy: 60 });
  const { fleet, prometheus } = observed;
  // A limit, so that there is a share of it.
  await redisCommand(fleet.redisUrl, 'config', 'set', 'maxmemory', '1gb');
  const image = { base64: (await readFile(join(goldenDirectory, 'images', '01-landscape.jpg'))).toString('base64') };
  const records = readRules().flatMap((rule) => ('record' in rule ? [rule.record] : []));
  const missing = async () => {
    const { status } = await postCaptions(fleet.api.url, { images: [image] }, { prefer: 'wait=20' });
    assert.equal(status, 200);
    const results = await Promise.all(records.map(async (name) => ({ name, found: await prometheus.query(name) })));
    const empty = results.filter(({ found }) => found.length === 0 || found.some(({ value }) => Number.isNaN(value)));
    return empty.map(({ name }) => name).filter((name) => !withoutSeries.has(name));
  };
  await waitFor('every recording to give series', 30_000, async () => {
    const empty = await missing();
    return empty.length === 0;
  });
  const rules = await prometheus.rules();
  assert.equal(rules.length, readRules().length);
  assert.deepEqual(
    rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`),
    [],
  );
  assert.deepEqual(
    await prometheus
      .query('ALERTS{alertstate="firing"}')
      .then((found) => found.map(({ labels }) => labels['alertname'])),
    [],
  );
  for (const query of runbookQueries()) await prometheus.query(query);
  const { start, end } = { start: Date.now() / 1000 - 10, end: Date.now() / 1000 };
  const [ready] = await prometheus.queryRange('captionfleet:ready_workers{pool="cpu"}', { start, end, step: 1 });
  assert.equal(ready?.values.at(-1)?.[1], 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createApiMetrics, createWorkerMetrics, type MetricDescription, metricTable } from './metrics.ts';

const table: Readonly<Record<string, MetricDescription>> = metricTable;

for (const [app, create] of [
  ['api', createApiMetrics],
  ['worker', createWorkerMetrics],
] as const) {
  test(`the ${app} exports its metrics of the table as the table describes them, and Node’s defaults`, async () => {
    const exported = await create().registry.getMetricsAsJSON();
    const ours = exported.filter(({ name }) => name.startsWith('captionfleet_'));
    assert.deepEqual(
      Object.fromEntries(ours.map(({ name, type, help }) => [name, { type, help }])),
      Object.fromEntries(
        Object.entries(table)
          .filter(([, description]) => description.app === app)
          .map(([name, { type, help }]) => [name, { type, help }]),
      ),
    );
    assert.ok(exported.some(({ name }) => name === 'process_resident_memory_bytes'));
  });
}

test('observations appear in the text that Prometheus reads, under the labels and buckets of the table', async () => {
  const metrics = createWorkerMetrics(new Registry());
  metrics.jobs.inc({ task: 'caption', outcome: 'failed', code: 'IMAGE_CORRUPT' });
  metrics.imagesInFlight.inc();
  metrics.stageSeconds.observe({ stage: 'inference' }, 0.03);
  metrics.batchImages.observe(20);
  const text = await metrics.registry.metrics();
  for (const line of [
    'captionfleet_jobs_total{task="caption",outcome="failed",code="IMAGE_CORRUPT"} 1',
    'captionfleet_images_in_flight 1',
    'captionfleet_stage_seconds_bucket{le="0.025",stage="inference"} 0',
    'captionfleet_stage_seconds_bucket{le="0.05",stage="inference"} 1',
    'captionfleet_batch_images_bucket{le="16"} 0',
    'captionfleet_batch_images_bucket{le="24"} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} is missing`);
  }
});

test('two sets of metrics in one process do not touch each other', async () => {
  const [one, other] = [createWorkerMetrics(), createWorkerMetrics()];
  one.imagesInFlight.set(3);
  assert.match(await one.registry.metrics(), /^captionfleet_images_in_flight 3$/m);
  assert.match(await other.registry.metrics(), /^captionfleet_images_in_flight 0$/m);
});

test('names carry their unit: counters end in _total, histograms in what they count', () => {
  for (const [name, { type, buckets = [] }] of Object.entries(table)) {
    assert.equal(type === 'counter', name.endsWith('_total'), name);
    if (type !== 'histogram') continue;
    assert.match(name, /_(seconds|images|tokens)$/);
    assert.deepEqual(
      buckets,
      [...new Set(buckets)].sort((a, b) => a - b),
      name,
    );
  }
});

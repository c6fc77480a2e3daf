import type { Dashboard } from './dashboard.ts';

export const worker: Dashboard = {
  uid: 'captionfleet-worker',
  title: 'workers',
  about: 'What a worker does, stage by stage, and what it uses.',
  hasWorkers: true,
  rows: {
    Work: [
      {
        title: 'Images a second',
        about: 'Of each worker, those that ended well.',
        unit: 'ops',
        kind: 'areas',
        queries: [
          {
            legend: '{{instance}}',
            expr: 'sum by (instance) (rate(captionfleet_jobs_total{outcome="succeeded", instance=~"$worker"}[$__rate_interval]))',
          },
        ],
      },
      {
        title: 'Images in flight',
        about: 'Taken from the queue and not settled yet.',
        unit: 'short',
        kind: 'lines',
        queries: [{ legend: '{{instance}}', expr: 'captionfleet_images_in_flight{instance=~"$worker"}' }],
      },
      {
        title: 'Stages of an image, 95th percentile',
        about: 'Inference should be nearly all. A long fetch is the image’s host; a long batch wait is a full worker.',
        unit: 's',
        kind: 'lines',
        queries: [
          {
            legend: '{{stage}}',
            expr: 'histogram_quantile(0.95, sum by (le, stage) (rate(captionfleet_stage_seconds_bucket{instance=~"$worker"}[$__rate_interval])))',
          },
        ],
      },
      {
        title: 'Where the time goes',
        about: 'Seconds of each stage per second: which stage the images spend their time in.',
        unit: 's',
        kind: 'areas',
        queries: [
          {
            legend: '{{stage}}',
            expr: 'sum by (stage) (rate(captionfleet_stage_seconds_sum{instance=~"$worker"}[$__rate_interval]))',
          },
        ],
      },
      {
        title: 'Images of a batch',
        about: 'Mean of the batches that ran.',
        unit: 'short',
        kind: 'lines',
        queries: [
          {
            legend: '{{instance}}',
            expr: 'sum by (instance) (rate(captionfleet_batch_images_sum{instance=~"$worker"}[$__rate_interval])) / sum by (instance) (rate(captionfleet_batch_images_count{instance=~"$worker"}[$__rate_interval]))',
          },
        ],
      },
      {
        title: 'Inference processes',
        about: 'By state. `starting` for long means that the model does not load.',
        unit: 'short',
        kind: 'areas',
        queries: [
          { legend: '{{state}}', expr: 'sum by (state) (captionfleet_inference_processes{instance=~"$worker"})' },
        ],
      },
    ],
    'The process itself': [
      {
        title: 'Restarts of inference processes',
        about: 'In the last hour, by what ended the one before.',
        unit: 'short',
        kind: 'lines',
        limits: { bad: 3 },
        queries: [
          {
            legend: '{{reason}}',
            expr: 'sum by (reason) (increase(captionfleet_inference_process_restarts_total{instance=~"$worker"}[1h]))',
          },
        ],
      },
      {
        title: 'Event loop, 99th percentile of its delay',
        about: 'Of the main process, which renews the locks of jobs: at seconds, jobs are lost to other workers.',
        unit: 's',
        kind: 'lines',
        limits: { warning: 0.05, bad: 1 },
        queries: [{ legend: '{{instance}}', expr: 'nodejs_eventloop_lag_p99_seconds{instance=~"$worker"}' }],
      },
      {
        title: 'Memory of the main process',
        about: 'Resident bytes, without the inference processes.',
        unit: 'bytes',
        kind: 'lines',
        queries: [
          {
            legend: '{{instance}}',
            expr: 'process_resident_memory_bytes{job="captionfleet-worker", instance=~"$worker"}',
          },
        ],
      },
      {
        title: 'Cores of the main process',
        about: 'CPU seconds a second, without the inference processes.',
        unit: 'short',
        kind: 'lines',
        queries: [
          {
            legend: '{{instance}}',
            expr: 'rate(process_cpu_seconds_total{job="captionfleet-worker", instance=~"$worker"}[$__rate_interval])',
          },
        ],
      },
    ],
  },
};

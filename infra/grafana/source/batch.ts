import type { Dashboard } from './dashboard.ts';

export const batch: Dashboard = {
  uid: 'captionfleet-batch',
  title: 'bulk and batches',
  about: 'The bulk lane: bulk requests, batches of files, scoring jobs. Is it getting on, and when will it be done?',
  rows: {
    Progress: [
      {
        title: 'Images a second, bulk',
        about: 'Images of the bulk lane that came to an end.',
        unit: 'ops',
        kind: 'lines',
        queries: [
          { legend: 'bulk', expr: 'sum(rate(captionfleet_image_seconds_count{lane="bulk"}[$__rate_interval]))' },
        ],
      },
      {
        title: 'Bulk jobs that wait',
        about: 'By queue. Feeders keep this near its bound while there is more to come.',
        unit: 'short',
        kind: 'areas',
        queries: [{ legend: '{{queue}}', expr: 'captionfleet:queue_jobs{state="waiting", queue=~"bulk-.*"}' }],
      },
      {
        title: 'Seconds until the bulk lane is empty',
        about: 'Of what is in the queue now, at the measured rate; interactive images go first.',
        unit: 's',
        kind: 'lines',
        queries: [{ legend: '{{pool}}', expr: 'captionfleet:drain_seconds{lane="bulk"} < Inf' }],
      },
      {
        title: 'From enqueueing to outcome, bulk',
        about: 'Median and 95th percentile; hours are no fault here.',
        unit: 's',
        kind: 'lines',
        queries: [0.5, 0.95].map((quantile) => ({
          legend: `p${100 * quantile}`,
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(captionfleet_image_seconds_bucket{lane="bulk"}[$__rate_interval])))`,
        })),
      },
    ],
    'What went wrong': [
      {
        title: 'Images that failed, by code',
        about: 'In the last hour. docs/reference/errors.md says what each code means.',
        unit: 'short',
        kind: 'bars',
        queries: [
          { legend: '{{code}}', expr: 'sum by (code) (increase(captionfleet_jobs_total{outcome="failed"}[1h]))' },
        ],
      },
      {
        title: 'Size of batches in the workers',
        about: 'How full the batches ran: p50 and p95 of their images. Bulk should fill them.',
        unit: 'short',
        kind: 'lines',
        queries: [0.5, 0.95].map((quantile) => ({
          legend: `p${100 * quantile}`,
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(captionfleet_batch_images_bucket[$__rate_interval])))`,
        })),
      },
    ],
  },
};

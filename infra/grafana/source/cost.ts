import type { Dashboard } from './dashboard.ts';

export const cost: Dashboard = {
  uid: 'captionfleet-cost',
  title: 'cost',
  about:
    'What the machines cost that run, and what a thousand images cost on them. Empty while no worker knows its price.',
  rows: {
    Now: [
      {
        title: 'Machines, USD an hour',
        about: 'Sum of the prices of the workers that run, by size and whether they are spot machines.',
        unit: 'currencyUSD',
        kind: 'areas',
        queries: [
          { legend: '{{size}} {{priority}}', expr: 'sum by (size, priority) (captionfleet_machine_usd_per_hour)' },
        ],
      },
      {
        title: '1,000 images, by size',
        about:
          'Price of a machine over the images that it measured in the last minute of work: what the next thousand cost there.',
        unit: 'currencyUSD',
        kind: 'lines',
        queries: [{ legend: '{{pool}} {{size}}', expr: 'max by (pool, size) (captionfleet_usd_per_1000_images)' }],
      },
      {
        title: '1,000 images, with idle time',
        about:
          'All machines that ran over all images that ended well: what the bill says. Far above the line beside it, machines idle.',
        unit: 'currencyUSD',
        kind: 'lines',
        queries: [
          {
            legend: 'all',
            expr: '1000 * sum(captionfleet_machine_usd_per_hour) / 3600 / (sum(rate(captionfleet_jobs_total{outcome="succeeded"}[$__rate_interval])) > 0)',
          },
        ],
      },
      {
        title: 'Workers: wanted and ready',
        about: 'What the policy asks the autoscaler for, and what is there.',
        unit: 'short',
        kind: 'lines',
        queries: [
          { legend: '{{pool}} wanted', expr: 'max by (pool) (captionfleet_desired_replicas)' },
          { legend: '{{pool}} ready', expr: 'captionfleet:ready_workers' },
        ],
      },
    ],
  },
};

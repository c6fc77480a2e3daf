import type { Dashboard } from './dashboard.ts';

export const queue: Dashboard = {
  uid: 'captionfleet-queue',
  title: 'queues',
  about: 'What waits, how long, and what is refused at the door.',
  rows: {
    Waiting: [
      {
        title: 'Waiting jobs',
        about: 'By queue. A queue is a lane, a pool and a head of the model.',
        unit: 'short',
        kind: 'areas',
        queries: [{ legend: '{{queue}}', expr: 'captionfleet:queue_jobs{state="waiting"}' }],
      },
      {
        title: 'Oldest job',
        about: 'Seconds that the oldest job of each queue has waited.',
        unit: 's',
        kind: 'lines',
        queries: [{ legend: '{{queue}}', expr: 'max by (queue) (captionfleet_oldest_job_seconds)' }],
      },
      {
        title: 'In work, to be retried, failed',
        about: 'Jobs of all queues by state. Failed ones are kept for a week.',
        unit: 'short',
        kind: 'lines',
        queries: [{ legend: '{{state}}', expr: 'sum by (state) (captionfleet:queue_jobs{state!="waiting"})' }],
      },
      {
        title: 'Overdue retries',
        about:
          'Delayed jobs whose time has come. They stay so while no worker looks: a pool at zero must wake for them.',
        unit: 'short',
        kind: 'lines',
        queries: [{ legend: '{{queue}}', expr: 'max by (queue) (captionfleet_overdue_jobs)' }],
      },
      {
        title: 'Wait of an attempt',
        about: 'From enqueueing a job to the start of an attempt at it.',
        unit: 's',
        kind: 'lines',
        queries: [0.5, 0.95, 0.99].map((quantile) => ({
          legend: `p${100 * quantile}`,
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(captionfleet_queue_wait_seconds_bucket[$__rate_interval])))`,
        })),
      },
      {
        title: 'Paused queues',
        about: '1 while a queue is paused: its jobs wait whoever is ready.',
        unit: 'short',
        kind: 'bars',
        limits: { bad: 1 },
        queries: [{ legend: '{{queue}}', expr: 'max by (queue) (captionfleet_queue_paused)' }],
      },
      {
        title: 'Rate of the pools',
        about: 'Images a second that the ready workers of a pool measured over their last minute of work.',
        unit: 'ops',
        kind: 'lines',
        queries: [{ legend: '{{pool}}', expr: 'max by (pool) (captionfleet_pool_images_per_second)' }],
      },
    ],
    'At the door': [
      {
        title: 'Refusals',
        about: 'Requests a second that were refused for the state of the fleet: no room, no time, a part away.',
        unit: 'reqps',
        kind: 'lines',
        queries: [
          { legend: '{{code}}', expr: 'sum by (code) (rate(captionfleet_admission_refused_total[$__rate_interval]))' },
        ],
      },
      {
        title: 'Memory of Redis',
        about: 'Above 70 % of its limit nothing more is accepted.',
        unit: 'percentunit',
        kind: 'lines',
        limits: { warning: 0.55, bad: 0.7 },
        queries: [{ legend: 'used', expr: 'captionfleet:redis_memory:share' }],
      },
      {
        title: 'Webhook deliveries',
        about: 'Attempts a second by outcome.',
        unit: 'ops',
        kind: 'lines',
        queries: [
          {
            legend: '{{outcome}}',
            expr: 'sum by (outcome) (rate(captionfleet_webhook_attempts_total[$__rate_interval]))',
          },
        ],
      },
    ],
  },
};

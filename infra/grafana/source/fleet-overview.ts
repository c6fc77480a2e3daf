import type { Dashboard } from './dashboard.ts';

export const fleetOverview: Dashboard = {
  uid: 'captionfleet-overview',
  title: 'overview',
  about: 'Is it well, and if not, which part: the first look of who is on call.',
  rows: {
    Now: [
      {
        title: 'Alerts that fire',
        about: 'Each has a runbook of its name in docs/runbooks.',
        unit: 'short',
        kind: 'number',
        limits: { bad: 1 },
        queries: [
          { legend: 'firing', expr: 'count(ALERTS{alertname=~"Captionfleet.+", alertstate="firing"}) or vector(0)' },
        ],
      },
      {
        title: 'Late interactive images',
        about:
          'Share that took more than 10 s from enqueueing to its outcome, over five minutes. The objective allows 5 %.',
        unit: 'percentunit',
        kind: 'number',
        limits: { warning: 0.05, bad: 0.3 },
        queries: [{ legend: 'late', expr: 'captionfleet:image_late:ratio_rate5m' }],
      },
      {
        title: "Failures by the fleet's fault",
        about: 'Share of images over five minutes. The objective allows 0.5 %; a corrupt image is its caller’s.',
        unit: 'percentunit',
        kind: 'number',
        limits: { warning: 0.005, bad: 0.03 },
        queries: [{ legend: 'failed', expr: 'captionfleet:image_error:ratio_rate5m' }],
      },
      {
        title: 'Oldest interactive job',
        about: 'How long the oldest job of the interactive lane has waited.',
        unit: 's',
        kind: 'number',
        limits: { warning: 10, bad: 60 },
        queries: [{ legend: 'oldest', expr: 'max(captionfleet_oldest_job_seconds{queue=~"interactive-.*"})' }],
      },
      {
        title: 'Ready workers',
        about: 'Workers that have loaded their model and said so in the last 15 seconds.',
        unit: 'short',
        kind: 'number',
        queries: [{ legend: 'ready', expr: 'sum(captionfleet:ready_workers)' }],
      },
      {
        title: 'Images a second',
        about: 'Images that came to an end well.',
        unit: 'ops',
        kind: 'number',
        queries: [
          { legend: 'succeeded', expr: 'sum(rate(captionfleet_jobs_total{outcome="succeeded"}[$__rate_interval]))' },
        ],
      },
    ],
    'What callers see': [
      {
        title: 'From enqueueing to outcome, interactive',
        about: 'Median, 95th and 99th percentile of interactive images.',
        unit: 's',
        kind: 'lines',
        limits: { bad: 10 },
        queries: [0.5, 0.95, 0.99].map((quantile) => ({
          legend: `p${100 * quantile}`,
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(captionfleet_image_seconds_bucket{lane="interactive"}[$__rate_interval])))`,
        })),
      },
      {
        title: 'How images end',
        about: 'Attempts a second by how they ended; `retried` ones come back.',
        unit: 'ops',
        kind: 'areas',
        queries: [
          { legend: '{{outcome}}', expr: 'sum by (outcome) (rate(captionfleet_jobs_total[$__rate_interval]))' },
        ],
      },
      {
        title: 'HTTP answers',
        about: 'Answers of the API a second by status. 429 and 503 are refusals, 5xx beyond them are defects.',
        unit: 'reqps',
        kind: 'areas',
        queries: [
          {
            legend: '{{status}}',
            expr: 'sum by (status) (rate(captionfleet_http_request_seconds_count[$__rate_interval]))',
          },
        ],
      },
      {
        title: 'HTTP answers, 95th percentile',
        about: 'By route; routes that wait for a caption take as long as it does.',
        unit: 's',
        kind: 'lines',
        queries: [
          {
            legend: '{{method}} {{route}}',
            expr: 'histogram_quantile(0.95, sum by (le, method, route) (rate(captionfleet_http_request_seconds_bucket[$__rate_interval])))',
          },
        ],
      },
    ],
    'Work and workers': [
      {
        title: 'Seconds until the backlog is empty',
        about: 'At the rate that the ready workers measured. Without a ready worker there is no end, and no line.',
        unit: 's',
        kind: 'lines',
        queries: [{ legend: '{{lane}} {{pool}}', expr: 'captionfleet:drain_seconds < Inf' }],
      },
      {
        title: 'Jobs by state',
        about: 'Waiting, in work, and waiting for another attempt. `failed` are kept for a week to be looked at.',
        unit: 'short',
        kind: 'areas',
        queries: [{ legend: '{{state}}', expr: 'sum by (state) (captionfleet:queue_jobs)' }],
      },
    ],
  },
};

import type { Dashboard } from './dashboard.ts';

export const modelQuality: Dashboard = {
  uid: 'captionfleet-model',
  title: 'model',
  about: 'Which model answers, in which form, and whether it still answers as it did when it was built.',
  rows: {
    'Which model': [
      {
        title: 'Models that are served',
        about:
          'Workers by model, revision and variant. Two rows of one model are a roll-out, or one that stopped half way.',
        unit: 'short',
        kind: 'table',
        queries: [{ legend: '{{id}} {{variant}}', expr: 'count by (id, revision, variant) (captionfleet_model_info)' }],
      },
      {
        title: 'Drift checks',
        about: 'By outcome, since the workers started. One that failed ends its worker.',
        unit: 'short',
        kind: 'bars',
        queries: [{ legend: '{{outcome}}', expr: 'sum by (outcome) (captionfleet_drift_checks_total)' }],
      },
    ],
    'What it says': [
      {
        title: 'Tokens of a caption',
        about: 'Median and 95th percentile. A sudden change means other images, other options, or another model.',
        unit: 'short',
        kind: 'lines',
        queries: [0.5, 0.95].map((quantile) => ({
          legend: `p${100 * quantile}`,
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(captionfleet_caption_tokens_bucket[$__rate_interval])))`,
        })),
      },
      {
        title: 'Inference of an image',
        about: 'Median and 95th percentile of the stage alone.',
        unit: 's',
        kind: 'lines',
        queries: [0.5, 0.95].map((quantile) => ({
          legend: `p${100 * quantile}`,
          expr: `histogram_quantile(${quantile}, sum by (le) (rate(captionfleet_stage_seconds_bucket{stage="inference"}[$__rate_interval])))`,
        })),
      },
      {
        title: 'By task',
        about: 'Images a second that ended well, by what was asked of them.',
        unit: 'ops',
        kind: 'areas',
        queries: [
          {
            legend: '{{task}}',
            expr: 'sum by (task) (rate(captionfleet_jobs_total{outcome="succeeded"}[$__rate_interval]))',
          },
        ],
      },
      {
        title: 'Images in quarantine',
        about: 'Images of the last hour that were refused because they ended an inference process twice.',
        unit: 'short',
        kind: 'number',
        width: 12,
        limits: { bad: 1 },
        queries: [
          {
            legend: 'refused',
            expr: 'sum(increase(captionfleet_jobs_total{code="IMAGE_QUARANTINED"}[1h])) or vector(0)',
          },
        ],
      },
    ],
  },
};

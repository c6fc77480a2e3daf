// `npm run dashboards` writes infra/grafana/dashboards from infra/grafana/source; a test compares them.
import { readFileSync, writeFileSync } from 'node:fs';
import { dashboards } from '../infra/grafana/source/all-dashboards.ts';
import { grafanaForm } from '../infra/grafana/source/dashboard.ts';

const fileOf = (name: string): URL => new URL(`../infra/grafana/dashboards/${name}.json`, import.meta.url);

export const dashboardFiles = Object.entries(dashboards).map(([name, dashboard]) => ({
  name,
  written: () => readFileSync(fileOf(name), 'utf8'),
  current: `${JSON.stringify(grafanaForm(dashboard), null, 2)}\n`,
}));

if (import.meta.main) {
  for (const { name, current } of dashboardFiles) writeFileSync(fileOf(name), current);
}

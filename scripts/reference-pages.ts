// `npm run docs` writes the pages of docs/reference that come from code; a test compares them.
import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable } from '@captionfleet/protocol/errors';
import { metricTable } from '@captionfleet/telemetry/metrics';
import { readAlerts } from '../test/support/alert-rules.ts';

const generated = 'This page is written by `npm run docs`; a test holds it against the code.';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(([code, { status, retryable, meaning }]) => [
    `\`${code}\``,
    String(status),
    retryable ? 'yes' : 'no',
    meaning,
  ]);
  return `# Errors

${generated}

Every error that leaves the fleet has one of these codes: in a problem+json body, in the outcome of an image, in a log line,
on the command line. *Retry* says whether the same request may succeed later.

${table(['code', 'HTTP status', 'retry', 'meaning'], rows)}
`;
}

function metricsPage(): string {
  const rows = Object.entries(metricTable).map(([name, { app, type, labels, help }]) => [
    `\`${name}\``,
    app,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return `# Metrics

${generated}

The API and each worker answer \`GET /metrics\` in the text format of Prometheus: the API on its listener for operators
(\`CAPTIONFLEET_ADMIN_HOST\`, \`_PORT\`), not on the one for callers. Beside these, each process has the default
metrics of Node.

${table(['name', 'of', 'type', 'labels', 'meaning'], rows)}
`;
}

function alertsPage(): string {
  const rows = readAlerts().map(({ alert, expr, for: wait, labels, annotations }) => [
    `[${alert}](../runbooks/${alert}.md)`,
    labels['severity'] ?? '',
    wait === '0m' ? 'at once' : wait,
    annotations.summary.replaceAll(/\{\{ \$(?:labels\.)?(\w+)[^}]*\}\}/g, '*$1*'),
    `\`${expr.replaceAll(/\s+/g, ' ').trim()}\``,
  ]);
  return `# Alerts

${generated}

The rules lie in \`infra/prometheus\`, the tests of each beside them. A page wakes somebody, a ticket waits for the morning. Each
alert has a [runbook](../runbooks/README.md). The jobs of Prometheus must be called \`captionfleet-api\` and
\`captionfleet-worker\`; \`redis_evicted_keys_total\` comes from redis_exporter.

${table(['alert', 'severity', 'after', 'says', 'when'], rows)}
`;
}

export const referencePages: Readonly<Record<string, () => string>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/alerts.md': alertsPage,
};

const root = new URL('../', import.meta.url);
export const readPage = (path: string): string => readFileSync(new URL(path, root), 'utf8');

if (import.meta.main) {
  for (const [path, write] of Object.entries(referencePages)) writeFileSync(new URL(path, root), write());
}

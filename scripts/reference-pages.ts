// `npm run docs` writes the pages of docs/reference that come from code; a test compares them.
import { readFileSync, writeFileSync } from 'node:fs';
import { errorTable } from '@captionfleet/protocol/errors';
import { metricTable } from '@captionfleet/telemetry/metrics';
import { spanTable } from '@captionfleet/telemetry/span-table';
import { readAlerts } from '../test/support/alert-rules.ts';
import { machineSizesPage } from './machine-sizes-page.ts';
import { markdownTable } from './markdown-table.ts';

const generated = 'This page is written by `npm run docs`; a test holds it against the code.';

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

${markdownTable(['code', 'HTTP status', 'retry', 'meaning'], rows)}
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

${markdownTable(['name', 'of', 'type', 'labels', 'meaning'], rows)}
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

${markdownTable(['alert', 'severity', 'after', 'says', 'when'], rows)}
`;
}

function tracingPage(): string {
  const rows = Object.values(spanTable).map(({ name, app, kind, meaning, attributes }) => [
    `\`${name}\``,
    app,
    kind,
    meaning,
    attributes.map((attribute) => `\`${attribute}\``).join(', '),
  ]);
  return `# Traces

${generated}

With \`OTEL_EXPORTER_OTLP_ENDPOINT\` the API and the workers send spans to a collector of OpenTelemetry, by OTLP over HTTP in JSON;
[configuration.md](configuration.md#traces) has all variables. Without it nothing of OpenTelemetry's SDK is loaded. Switch it on
when all processes are of a version that has it.

One request is one trace: it goes on from the caller's \`traceparent\`, through the queue, to the outcome in Blob storage and the
webhook. Probes are not traced, and images of bulk requests, batches and scoring jobs are each a trace of its own. A collector that is away
or slow costs spans and nothing else: at most \`OTEL_BSP_MAX_QUEUE_SIZE\` wait, and a stop waits 3 seconds for them.

${markdownTable(['span', 'of', 'kind', 'meaning', 'attributes'], rows)}

\`error.type\` is a code of [errors.md](errors.md), for a webhook the status of its receiver. \`captionfleet.outcome\` of a delivery is the
image's (\`succeeded\`, \`failed\`, \`aborted\`, \`canceled\`), or \`retried\`, \`handed-back\` (the worker was stopping), \`postponed\`
(Blob storage was away), \`lost\` (the lock was), \`done-before\`. \`captionfleet.attempt\` counts what is charged, \`captionfleet.delivery\` every
delivery. Image URLs, queries, bodies and headers are in no span.

## From one to the other

- From a log line: \`trace_id\` and \`span_id\` are in every line of a request or a delivery, beside \`reqId\` (the caller's \`X-Request-Id\`),
  \`requestId\` and \`jobId\`. Look the trace up by \`trace_id\`.
- To the log lines: search for \`trace_id\`, or \`captionfleet.request.id\` and \`messaging.message.id\` of its spans as \`requestId\` and \`jobId\`.
- From an answer: \`traceresponse\` has the ids, but not in the forms of Azure AI Vision and AzureML.
- From a metric: the buckets of histograms have the last sampled trace as an exemplar. \`/metrics\` has them in OpenMetrics only, which
  Prometheus asks for by itself; it keeps them with \`--enable-feature=exemplar-storage\`.
`;
}

export const referencePages: Readonly<Record<string, () => string>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/tracing.md': tracingPage,
  'docs/reference/alerts.md': alertsPage,
  'docs/reference/machine-sizes.md': () => machineSizesPage(generated),
};

const root = new URL('../', import.meta.url);
export const readPage = (path: string): string => readFileSync(new URL(path, root), 'utf8');

if (import.meta.main) {
  for (const [path, write] of Object.entries(referencePages)) writeFileSync(new URL(path, root), write());
}

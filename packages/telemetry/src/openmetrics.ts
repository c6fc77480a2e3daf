import { type OpenMetricsContentType, Registry } from 'prom-client';

export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

/**
 * The metrics as a scraper wants them: OpenMetrics, which has exemplars, where `Accept` names it before plain text, as
 * Prometheus does; else the text format.
 */
export async function scrape(registry: Registry, accept: string | undefined): Promise<Scrape> {
  if (!wantsOpenMetrics(accept)) return { contentType: registry.contentType, body: await registry.metrics() };
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  // Through objects of their own: prom-client takes `_total` off a counter's name for good when it writes OpenMetrics.
  for (const metric of registry.getMetricsAsArray()) open.registerMetric(Object.create(metric));
  return { contentType: open.contentType, body: await open.metrics() };
}

function wantsOpenMetrics(accept = ''): boolean {
  const [open = 0, plain = 0] = ['application/openmetrics-text', 'text/plain'].map((type) =>
    Math.max(
      0,
      ...accept
        .toLowerCase()
        .split(',')
        .map((range) => range.split(';').map((part) => part.trim()))
        .filter(([name]) => name === type)
        .map((parts) => Number(parts.find((part) => part.startsWith('q='))?.slice(2) ?? 1)),
    ),
  );
  return open > 0 && open >= plain;
}

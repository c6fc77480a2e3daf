// Runs on the API's machines of a fleet of scale sets, once a minute: Azure's autoscaler reads no Prometheus. It has no imports of
// the fleet's, as it is installed alone.

/** What is published when work waits and nobody works it off, which is infinite: a day. */
const noWorker = 86_400;

/**
 * The longest drain time of a pool's lanes in a text of metrics, in seconds; undefined where it says nothing of the pool.
 * captionfleet_drain_seconds{lane="interactive",pool="cpu"} 12.5
 */
export function drainSeconds(metrics: string, pool: string): number | undefined {
  const values = [...metrics.matchAll(/^captionfleet_drain_seconds\{([^}]*)\} (\S+)/gm)]
    .filter(([, labels = '']) => labels.split(',').includes(`pool="${pool}"`))
    .map(([, , value = '']) => (value === '+Inf' ? noWorker : Math.min(Number(value), noWorker)))
    .filter((value) => value >= 0);
  return values.length === 0 ? undefined : Math.max(...values);
}

/** A custom metric as Azure Monitor takes it. */
export const customMetric = (seconds: number, time: Date) => ({
  time: time.toISOString(),
  data: {
    baseData: {
      metric: 'DrainSeconds',
      namespace: 'Captionfleet',
      dimNames: ['Pool'],
      series: [{ dimValues: ['cpu'], min: seconds, max: seconds, sum: seconds, count: 1 }],
    },
  },
});

async function answerOf(response: Response): Promise<Response> {
  if (!response.ok)
    throw new Error(`${new URL(response.url).host} answered ${response.status}: ${await response.text()}`);
  return response;
}

export interface Surroundings {
  readonly metricsUrl: string;
  readonly clientId: string;
  readonly region: string;
  readonly scaleSets: readonly string[];
  /** Others than Azure's in tests. */
  readonly identityUrl?: string;
  readonly monitorUrl?: string;
}

/** Reads the drain time and publishes it for every scale set. @throws Error where one of the three does not answer so. */
export async function publish(surroundings: Surroundings): Promise<number | undefined> {
  const { metricsUrl, clientId, region, scaleSets } = surroundings;
  const { identityUrl = 'http://169.254.169.254', monitorUrl = `https://${region}.monitoring.azure.com` } =
    surroundings;
  const signal = AbortSignal.timeout(40_000);
  const seconds = drainSeconds(await (await answerOf(await fetch(metricsUrl, { signal }))).text(), 'cpu');
  if (seconds === undefined) return undefined;
  const query = new URLSearchParams({
    'api-version': '2018-02-01',
    client_id: clientId,
    resource: 'https://monitoring.azure.com/',
  });
  const identity = await fetch(`${identityUrl}/metadata/identity/oauth2/token?${query}`, {
    headers: { metadata: 'true' },
    signal,
  });
  const { access_token: token } = (await (await answerOf(identity)).json()) as { access_token: string };
  for (const scaleSet of scaleSets) {
    const response = await fetch(`${monitorUrl}${scaleSet}/metrics`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(customMetric(seconds, new Date())),
      signal,
    });
    await answerOf(response);
  }
  return seconds;
}

if (import.meta.main) {
  const { METRICS_URL = '', AZURE_CLIENT_ID = '', REGION = '', SCALE_SETS = '' } = process.env;
  const seconds = await publish({
    metricsUrl: METRICS_URL,
    clientId: AZURE_CLIENT_ID,
    region: REGION,
    scaleSets: SCALE_SETS.split(','),
  });
  console.log(seconds === undefined ? 'no drain time yet' : `${seconds} s`);
}

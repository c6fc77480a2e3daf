// `npm run observe [-- TEXT...]`: breaks a real fleet under a changing load, one fault after the other, and prints how long its
// alerts took to fire and to clear on a real Prometheus; each TEXT chooses faults by a part of their names.
import { readRules } from '../support/alert-rules.ts';
import { waitFor } from '../support/http.ts';
import { redisCommand } from '../support/redis-command.ts';
import { type Fault, faults } from './faults.ts';
import { type Load, startLoad, startSlowHost } from './load.ts';
import { type ObservedFleet, startObservedFleet } from './observed-fleet.ts';

/** Windows and waits of the rules are this much shorter than in production: an hour is two minutes. */
const quickenBy = 30;
/** Seconds. Longer than the API waits for a Redis that does not answer, which a scrape must outlast. */
const intervalSeconds = 3;
const fireMs = 150_000;
const clearMs = 180_000;

export interface Observation {
  readonly fault: string;
  readonly alert: string;
  /** From the fault to the alert, and from the repair to its end. */
  readonly fireSeconds: number;
  readonly clearSeconds: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Without the slow windows of the SLOs: what they saw they see for hours, here for 12 minutes. promtool tests them. */
const firingNow = 'ALERTS{alertstate="firing", window!~"6h|3d"}';

const firing = async ({ prometheus }: ObservedFleet): Promise<Set<string>> =>
  new Set((await prometheus.query(firingNow)).map(({ labels }) => labels['alertname'] ?? ''));

/** Breaks, waits for every alert of the fault, repairs, and waits until they are over. @throws when one is not in time */
export async function observeFault(fault: Fault, observed: ObservedFleet, load: Load): Promise<Observation[]> {
  const seconds = (since: number) => (performance.now() - since) / 1000;
  const broken = performance.now();
  const repair = await fault.inject(observed, load);
  const fired = new Map<string, number>();
  await waitFor(`${fault.alerts} to fire (${fault.name})`, fireMs, async () => {
    for (const alert of await firing(observed)) if (!fired.has(alert)) fired.set(alert, seconds(broken));
    return fault.alerts.every((alert) => fired.has(alert));
  });
  const repaired = performance.now();
  await repair();
  const cleared = new Map<string, number>();
  await waitFor(`${[...fired.keys()]} to clear (${fault.name})`, clearMs, async () => {
    const still = await firing(observed);
    for (const alert of fired.keys()) {
      if (still.has(alert)) cleared.delete(alert);
      else if (!cleared.has(alert)) cleared.set(alert, seconds(repaired));
    }
    return still.size === 0;
  });
  return [...fired].map(([alert, fireSeconds]) => ({
    fault: fault.name,
    alert,
    fireSeconds,
    clearSeconds: cleared.get(alert) ?? Number.NaN,
  }));
}

async function observe(chosen: readonly Fault[]): Promise<void> {
  await using slow = await startSlowHost();
  await using observed = await startObservedFleet({
    workers: 2,
    quickenBy,
    intervalSeconds,
    env: {
      CAPTIONFLEET_WEBHOOK_PRIVATE_HOSTS: '127.0.0.1:9',
      CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: slow.host,
      // No autoscaler runs here: what it is told to have is what there is.
      CAPTIONFLEET_SCALING_MAX_REPLICAS: '2',
    },
  });
  await redisCommand(observed.fleet.redisUrl, 'config', 'set', 'maxmemory', '1gb');
  await using load = await startLoad(observed.fleet.api.url, slow.host);
  say(`API ${observed.fleet.api.url}, Prometheus ${observed.prometheus.url}, Redis ${observed.fleet.redisUrl}`);
  say(
    `the rules' windows and waits are ${quickenBy} times shorter than in production, scrapes every ${intervalSeconds} s\n`,
  );
  const missing = ['captionfleet:images:rate5m', 'captionfleet:drain_seconds', 'captionfleet:image_late:ratio_rate5m'];
  await waitFor('the first series', 60_000, async () => {
    const found = await Promise.all(missing.map((name) => observed.prometheus.query(name)));
    return found.every(({ length }) => length > 0);
  });
  say('fault | alert | s to fire | s to clear');
  for (const fault of chosen) {
    for (const { alert, fireSeconds, clearSeconds } of await observeFault(fault, observed, load)) {
      const expected = fault.alerts.includes(alert) ? '' : ' (follows)';
      say(`${fault.name} | ${alert}${expected} | ${fireSeconds.toFixed(0)} | ${clearSeconds.toFixed(0)}`);
    }
  }
  const rules = await observed.prometheus.rules();
  const broken = rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`);
  if (broken.length > 0) throw new Error(`rules that could not be evaluated: ${broken.join('; ')}`);
  say(`\n${rules.length} of ${readRules().length} rules evaluated without an error`);
}

const wanted = process.argv.slice(2);
if (import.meta.main) {
  await observe(faults.filter(({ name }) => wanted.length === 0 || wanted.some((text) => name.includes(text))));
}

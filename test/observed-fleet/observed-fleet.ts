import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LocalApp, startWorker } from '../../apps/cli/src/local-app.ts';
import { quicken, ruleFiles } from '../support/alert-rules.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { startPrometheus, type TestPrometheus } from '../support/prometheus.ts';

const demoCheckpoint = new URL('../../models/demo/checkpoint/', import.meta.url).pathname;

export interface ObservedFleet extends AsyncDisposable {
  readonly fleet: TestFleet;
  readonly prometheus: TestPrometheus;
  /** The workers that Prometheus is told of, also those that are dead. */
  readonly workers: readonly LocalApp[];
  /** Starts a worker beside the others, and tells Prometheus of it. */
  addWorker(env?: Readonly<Record<string, string>>): Promise<LocalApp>;
  /** Ends what is left of a worker, and takes it off Prometheus' list. */
  removeWorker(worker: LocalApp): Promise<void>;
}

interface ObservedFleetOptions {
  readonly workers: number;
  /** How much shorter the windows and waits of the rules are than those of production. @defaultValue 1 */
  readonly quickenBy?: number;
  /** Seconds between scrapes. @defaultValue 1 */
  readonly intervalSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A fleet of real processes with the demo model, watched by a real Prometheus with the rules of infra/prometheus. */
export async function startObservedFleet(options: ObservedFleetOptions): Promise<ObservedFleet> {
  const { quickenBy = 1, intervalSeconds = 1, env = {} } = options;
  await using parts = new AsyncDisposableStack();
  const fleet = parts.use(await startFleet({ workers: options.workers, checkpoint: demoCheckpoint, env }));
  const workers = [...fleet.workers];
  const targets = join(fleet.scratch, 'workers.json');
  // Prometheus sees a changed file at once and reads it.
  const tellPrometheus = () => writeFile(targets, JSON.stringify([{ targets: workers.map(hostOf) }]));
  await tellPrometheus();
  const rules = Object.entries(ruleFiles()).map(([name, text]) => [
    name,
    quicken(text, quickenBy, 4 * intervalSeconds),
  ]);
  const prometheus = parts.use(
    await startPrometheus({ config: configOf(fleet, targets), files: Object.fromEntries(rules), intervalSeconds }),
  );
  const own = parts.move();
  return {
    fleet,
    prometheus,
    workers,
    async addWorker(more = {}) {
      const worker = own.use(await startWorker({ ...fleet.env, ...more }, AbortSignal.timeout(120_000)));
      workers.push(worker);
      await tellPrometheus();
      return worker;
    },
    async removeWorker(worker) {
      workers.splice(workers.indexOf(worker), 1);
      await tellPrometheus();
      await worker[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

const hostOf = ({ url }: { readonly url: string }): string => new URL(url).host;

const configOf = ({ api }: TestFleet, targets: string): string => `
rule_files: ["*.rules.yaml"]
scrape_configs:
  - job_name: captionfleet-api
    static_configs: [{ targets: ["${new URL(api.adminUrl).host}"] }]
  - job_name: captionfleet-worker
    file_sd_configs: [{ files: ["${targets}"], refresh_interval: 1s }]
`;

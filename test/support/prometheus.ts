import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, startLocalProcess, waitUntilReady } from '../../apps/cli/src/local-process.ts';
import { installPackage } from './system-package.ts';

const answers = (command: string): boolean =>
  spawnSync(command, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;

/** Installs Debian's Prometheus, which brings promtool, where there is none and this process may. */
export function needPrometheus(): void {
  const isThere = () => answers('prometheus') && answers('promtool');
  if (isThere()) return;
  installPackage('prometheus');
  if (isThere()) return;
  throw new Error('no Prometheus was found: install it (Debian: apt-get install prometheus) and run the test again');
}

/** Runs promtool and returns its exit status and all that it printed. */
export async function promtool(...toolArguments: readonly string[]): Promise<{ status: number; output: string }> {
  const child = spawn('promtool', toolArguments, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const [status] = await once(child, 'close');
  return { status: status ?? 1, output };
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970, and the value then. */
  readonly values: readonly (readonly [number, number])[];
}

export interface RuleState {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  /** `ok`, `err`, or `unknown` before the first evaluation. */
  readonly health: string;
  readonly lastError?: string;
  readonly alerts?: readonly { readonly state: 'pending' | 'firing'; readonly labels: Record<string, string> }[];
}

export interface TestPrometheus extends AsyncDisposable {
  readonly url: string;
  /** What an expression gives now. @throws with Prometheus' words when it is not valid */
  query(promql: string): Promise<Sample[]>;
  /** What an expression gave from `start` to `end`, both in seconds since 1970, every `step` seconds. */
  queryRange(promql: string, range: { start: number; end: number; step: number }): Promise<Series[]>;
  rules(): Promise<RuleState[]>;
  /** Reads the files of targets and rules again. */
  reload(): Promise<void>;
}

interface PrometheusOptions {
  /** Contents of a prometheus.yml without `global`. */
  readonly config: string;
  /** Other files beside it, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Seconds between two scrapes, and between two evaluations of rules. */
  readonly intervalSeconds: number;
}

/** A Prometheus of its own on loopback, whose data go with it. */
export async function startPrometheus({ config, files, intervalSeconds }: PrometheusOptions): Promise<TestPrometheus> {
  needPrometheus();
  const parts = new AsyncDisposableStack();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'captionfleet-prometheus-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    const every = `${intervalSeconds}s`;
    const global = `global:\n  scrape_interval: ${every}\n  scrape_timeout: ${every}\n  evaluation_interval: ${every}\n`;
    await Promise.all(
      Object.entries({ ...files, 'prometheus.yml': `${global}\n${config}` }).map(([name, text]) =>
        writeFile(join(directory, name), text),
      ),
    );
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const lastLines: string[] = [];
    const server = parts.use(
      startLocalProcess({
        name: 'Prometheus',
        command: 'prometheus',
        arguments: [
          `--config.file=${join(directory, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(directory, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--web.enable-lifecycle',
          '--log.level=warn',
        ],
        onLine(line) {
          lastLines.push(line);
          if (lastLines.length > 5) lastLines.shift();
        },
      }),
    );
    const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok ?? false;
    await waitUntilReady(server, 'Prometheus', isReady, { deadlineMs: 60_000, lastLines });
    return { ...client(url), [Symbol.asyncDispose]: () => parts.disposeAsync() };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

function client(url: string): Omit<TestPrometheus, typeof Symbol.asyncDispose> {
  const ask = async (path: string, parameters: Record<string, string> = {}) => {
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`, { signal });
    // biome-ignore lint/suspicious/noExplicitAny: Prometheus' own form, a different one of each question
    const answer = (await response.json()) as any;
    if (answer.status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${answer.error}`);
    return answer.data;
  };
  return {
    url,
    async query(promql) {
      const { resultType, result } = await ask('query', { query: promql });
      if (resultType === 'scalar') return [{ labels: {}, value: Number(result[1]) }];
      return result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => ({
        labels: metric,
        value: Number(value[1].replace('Inf', 'Infinity')),
      }));
    },
    async queryRange(promql, { start, end, step }) {
      const range = { start: String(start), end: String(end), step: String(step) };
      const { result } = await ask('query_range', { query: promql, ...range });
      return result.map(({ metric, values }: { metric: Record<string, string>; values: [number, string][] }) => ({
        labels: metric,
        values: values.map(([at, value]) => [at, Number(value.replace('Inf', 'Infinity'))] as const),
      }));
    },
    async rules() {
      const { groups } = await ask('rules');
      return groups.flatMap((group: { rules: RuleState[] }) => group.rules);
    },
    async reload() {
      const response = await fetch(`${url}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(10_000) });
      if (!response.ok) throw new Error(`Prometheus did not reload: ${await response.text()}`);
    },
  };
}

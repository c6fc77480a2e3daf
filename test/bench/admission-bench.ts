// References through the bulk route, beside BullMQ's own addBulk on the same Redis: what admission costs.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { startApi } from '../../apps/cli/src/local-app.ts';
import { findFreePort } from '../../apps/cli/src/local-process.ts';
import { startLocalRedis } from '../../apps/cli/src/local-redis.ts';
import { addRawJobs } from '../../packages/queue/src/bench-queue.ts';
import { startAzurite } from '../support/azurite.ts';
import { type Figure, figureOf } from './statistics.ts';

export interface AdmissionFigures {
  /** Items a second. */
  readonly raw: Figure;
  readonly bulk: Figure;
  /** Of the two in the same round. */
  readonly ratio: Figure;
  /** Resident memory of the API in MiB: before, at its greatest, and after each round. */
  readonly memory: { readonly before: number; readonly greatest: number; readonly after: readonly number[] };
}

/** Lines that are written at a time. */
const linesAtOnce = 500;
const url = (index: number): string => `https://images.example.org/some/folder/${index}.jpg`;

export async function measureAdmission(plan: {
  readonly items: number;
  readonly rounds: number;
}): Promise<AdmissionFigures> {
  await using redis = await startLocalRedis();
  await using azurite = await startAzurite();
  const env = {
    ...process.env,
    REDIS_URL: redis.url,
    AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString,
    CAPTIONFLEET_CONTAINER: `bench-${randomUUID()}`,
    CAPTIONFLEET_MAX_WAITING: '10000000',
  };
  await using api = await startApi(await findFreePort(), env, AbortSignal.timeout(60_000));
  const warmUp = Math.ceil(plan.items / 20);
  await addRawJobs(redis.url, warmUp);
  await addThroughApi(api.url, warmUp);
  const before = await residentMemory(api.pid);
  let greatest = before;
  const measured = new AbortController();
  const watching = (async () => {
    while (!measured.signal.aborted) {
      greatest = Math.max(greatest, await residentMemory(api.pid));
      await delay(100, undefined, { signal: measured.signal }).catch(() => undefined);
    }
  })();
  const rounds: { raw: number; bulk: number }[] = [];
  const after: number[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    const raw = await addRawJobs(redis.url, plan.items);
    rounds.push({ raw, bulk: await addThroughApi(api.url, plan.items) });
    after.push(await residentMemory(api.pid));
  }
  measured.abort();
  await watching;
  return {
    raw: figureOf(rounds.map(({ raw }) => raw)),
    bulk: figureOf(rounds.map(({ bulk }) => bulk)),
    ratio: figureOf(rounds.map(({ raw, bulk }) => bulk / raw)),
    memory: { before, greatest, after },
  };
}

/** Items a second, from the first byte sent to the last answer. */
async function addThroughApi(apiUrl: string, items: number): Promise<number> {
  const { hostname, port } = new URL(apiUrl);
  const started = performance.now();
  const headers = { 'content-type': 'application/x-ndjson' };
  const call = httpRequest({ hostname, port, method: 'POST', path: '/v1/bulk/captions', headers });
  const accepted = new Promise<number>((resolve, reject) => {
    call.once('error', reject);
    call.once('response', (response) => {
      let count = 0;
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (data: string) => {
        const lines = (rest + data).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.endsWith('"status":"accepted"}')) count += 1;
      });
      response.once('end', () => resolve(count));
      response.once('error', reject);
    });
  });
  for (let start = 0; start < items; start += linesAtOnce) {
    const lines = Array.from({ length: Math.min(linesAtOnce, items - start) }, (_, place) => {
      const index = start + place;
      return `{"custom_id":"${index}","image":{"url":"${url(index)}"}}\n`;
    });
    if (!call.write(lines.join(''))) await new Promise((resolve) => call.once('drain', resolve));
  }
  call.end();
  const count = await accepted;
  if (count !== items) throw new Error(`${count} of ${items} items were accepted`);
  return items / ((performance.now() - started) / 1000);
}

async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

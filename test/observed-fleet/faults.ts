import { spawnSync } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { recordReference } from '@captionfleet/blip/drift-check';
import { type ModelManifest, readModelDirectory, sealManifest } from '@captionfleet/blip/model-directory';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import type { LocalApp } from '../../apps/cli/src/local-app.ts';
import { postCaptions, waitFor } from '../support/http.ts';
import { redisCommand } from '../support/redis-command.ts';
import type { Load } from './load.ts';
import type { ObservedFleet } from './observed-fleet.ts';

export interface Fault {
  readonly name: string;
  /** The alerts that must fire while it lasts, and clear after it. */
  readonly alerts: readonly string[];
  /** Breaks something, and returns what repairs it. */
  inject(observed: ObservedFleet, load: Load): Promise<() => Promise<unknown>>;
}

const queueKey = (part: string): string => `{captionfleet}:interactive-cpu:${part}`;

/** One after the other, each on what the one before left whole. */
export const faults: readonly Fault[] = [
  {
    name: 'a worker is killed (SIGKILL)',
    alerts: ['CaptionfleetWorkerDown'],
    async inject(observed) {
      const [first] = observed.workers as [LocalApp];
      await kill(first);
      return async () => {
        await observed.removeWorker(first);
        await observed.addWorker();
      };
    },
  },
  {
    name: 'both workers are killed while work waits',
    alerts: ['CaptionfleetNoReadyWorkers', 'CaptionfleetWorkersMissing'],
    async inject(observed) {
      const gone = [...observed.workers];
      await Promise.all(gone.map(kill));
      return async () => {
        for (const worker of gone) await observed.removeWorker(worker);
        for (const _ of gone) await observed.addWorker();
      };
    },
  },
  {
    name: 'the queue is paused',
    alerts: ['CaptionfleetQueuePaused', 'CaptionfleetOldestJob'],
    async inject({ fleet: { redisUrl } }) {
      await redisCommand(redisUrl, 'hset', queueKey('meta'), 'paused', '1');
      // As the runbook says.
      return async () => {
        await redisCommand(redisUrl, 'hdel', queueKey('meta'), 'paused');
        await redisCommand(redisUrl, 'zadd', queueKey('marker'), '0', '0');
      };
    },
  },
  {
    name: 'Redis is full (maxmemory a little over what it uses)',
    alerts: ['CaptionfleetRedisMemoryNear', 'CaptionfleetRedisMemoryFull', 'CaptionfleetAdmissionRefuses'],
    async inject({ fleet: { redisUrl } }) {
      const used = Number(/^used_memory:(\d+)/m.exec(await redisCommand(redisUrl, 'info', 'memory'))?.[1]);
      await redisCommand(redisUrl, 'config', 'set', 'maxmemory', String(Math.round(used * 1.25)));
      return () => redisCommand(redisUrl, 'config', 'set', 'maxmemory', '1gb');
    },
  },
  {
    name: 'callers send damaged images',
    alerts: ['CaptionfleetImagesFail'],
    async inject(_, load) {
      load.damaged = true;
      return async () => {
        load.damaged = false;
      };
    },
  },
  {
    name: 'more comes than is worked off, from a host that is slow',
    alerts: ['CaptionfleetBacklog', 'CaptionfleetLatencyBudgetBurn'],
    async inject({ fleet: { api } }, load) {
      const ids: string[] = [];
      for (let request = 0; request < 60; request += 1) {
        const { body } = await postCaptions(api.url, { images: Array.from({ length: 64 }, () => load.slowImage()) });
        ids.push(CaptionRequestStatusSchema.parse(body).id);
      }
      return async () => {
        for (const id of ids) await fetch(`${api.url}/v1/captions/${id}/cancel`, { method: 'POST' });
      };
    },
  },
  {
    name: 'inference processes die again and again',
    alerts: ['CaptionfleetInferenceRestarts'],
    async inject({ workers }) {
      const [{ pid, url }] = workers as [LocalApp];
      let settled = 0;
      // A process that dies again before it settled an image would soon end the worker.
      const killWorkingOnes = async () => {
        const metrics = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) })).text();
        const now = Number(/^captionfleet_image_seconds_count\{lane="interactive"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
        if (now === settled) return;
        settled = now;
        spawnSync('pkill', ['-KILL', '-P', String(pid), '-f', 'inference-process']);
      };
      const timer = setInterval(() => void killWorkingOnes().catch(() => undefined), 1_000);
      return async () => clearInterval(timer);
    },
  },
  {
    name: 'the receiver of webhooks is gone',
    alerts: ['CaptionfleetWebhooksFail'],
    async inject(_, load) {
      load.webhook = { url: 'http://127.0.0.1:9/' };
      return async () => {
        load.webhook = undefined;
      };
    },
  },
  {
    name: 'a model answers otherwise than when it was built',
    alerts: ['CaptionfleetModelDrifted'],
    async inject(observed) {
      const { modelDirectory, scratch } = observed.fleet;
      const directory = join(scratch, 'drifting');
      await cp(modelDirectory, directory, { recursive: true });
      const signal = AbortSignal.timeout(60_000);
      const model = await readModelDirectory(directory, { signal });
      const manifest = await recordReference(model, { intraOpThreads: 1, signal });
      const worker = await observed.addWorker({
        CAPTIONFLEET_MODEL_DIR: directory,
        CAPTIONFLEET_CACHE_DIR: join(scratch, 'drifting-prepared'),
        CAPTIONFLEET_DRIFT_CHECK_HOURS: '0.002',
      });
      await recordAnotherAnswer(directory, manifest);
      return () => observed.removeWorker(worker);
    },
  },
  {
    name: 'Redis hangs (CLIENT PAUSE)',
    alerts: ['CaptionfleetRedisUnreachable'],
    async inject({ fleet: { redisUrl } }) {
      await redisCommand(redisUrl, 'client', 'pause', '25000', 'ALL');
      return () => waitFor('Redis to answer', 60_000, async () => (await pong(redisUrl)) === 'PONG');
    },
  },
  {
    name: 'the API hangs (SIGSTOP)',
    alerts: ['CaptionfleetApiDown'],
    async inject({ fleet: { api } }) {
      api.child.kill('SIGSTOP');
      return async () => api.child.kill('SIGCONT');
    },
  },
];

const pong = (redisUrl: string): Promise<string> => redisCommand(redisUrl, 'ping').catch(() => '');

async function kill({ child, ended }: LocalApp): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

/** Writes other reference answers into a model's manifest: what its weights give is drift then. */
async function recordAnotherAnswer(directory: string, { checksum: _, ...facts }: ModelManifest): Promise<void> {
  const { captions = [], matches = [] } = facts.references?.fp32 ?? {};
  const others = captions.map((caption) => ({ ...caption, tokens: caption.tokens.map(() => 7) }));
  await sealManifest(directory, { ...facts, references: { fp32: { captions: others, matches } } });
}

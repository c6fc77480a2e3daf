// What an autoscaler is told, held against what Redis and the process table say, through all states that a fleet comes into.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '@captionfleet/protocol/problem';
import type { PoolScaling } from '../../apps/api/src/pool-scaling.ts';
import { startWorker } from '../../apps/cli/src/local-app.ts';
import { goldenDirectory, startFleet } from '../support/fleet.ts';
import { postCaptions } from '../support/http.ts';
import { redisCommand } from '../support/redis-command.ts';

type Behaviour = 'hold' | 'fail' | 'serve';

/** A host of one image that holds its answers back, fails, or gives them. */
async function startMoodyHost() {
  const image = await readFile(join(goldenDirectory, 'images', '01-landscape.jpg'));
  let behaviour: Behaviour = 'hold';
  const server = createServer((_, response: ServerResponse) => {
    if (behaviour === 'serve') response.end(image);
    if (behaviour === 'fail') response.writeHead(503).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    become(next: Behaviour) {
      behaviour = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const images = 40;

test('KEDA and Prometheus are told the truth: empty, waiting, paused, busy, dead workers, overdue retries, idle, no Redis', async () => {
  await using host = await startMoodyHost();
  const env = {
    CAPTIONFLEET_SCALING_SLO_SECONDS: 'interactive=30,bulk=600',
    CAPTIONFLEET_SCALING_COLD_START_SECONDS: '10',
    CAPTIONFLEET_SCALING_DOWN_AFTER_SECONDS: '0',
    CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: host.host,
  };
  await using fleet = await startFleet({ workers: 0, env });
  const workerEnv = {
    ...process.env,
    ...env,
    CAPTIONFLEET_HOME: fleet.scratch,
    REDIS_URL: fleet.redisUrl,
    AZURE_STORAGE_CONNECTION_STRING: fleet.connectionString,
    CAPTIONFLEET_CONTAINER: fleet.container,
    CAPTIONFLEET_MODEL_DIR: fleet.modelDirectory,
    CAPTIONFLEET_CACHE_DIR: join(fleet.scratch, 'prepared'),
    CAPTIONFLEET_INFERENCE_PROCESSES: '1',
  };
  const start = () => startWorker(workerEnv, AbortSignal.timeout(120_000));
  const redis = (...command: string[]) => redisCommand(fleet.redisUrl, ...command);
  const key = (part: string) => `{captionfleet}:interactive-cpu:${part}`;

  /** What Redis holds, asked by redis-cli. */
  const truth = async () => {
    const due = String((Date.now() + 1) * 4096);
    const [waiting, active, delayed, overdue, paused] = await Promise.all([
      redis('LLEN', key('wait')),
      redis('LLEN', key('active')),
      redis('ZCARD', key('delayed')),
      redis('ZCOUNT', key('delayed'), '0', due),
      redis('HEXISTS', key('meta'), 'paused'),
    ]);
    return {
      waiting: Number(waiting),
      active: Number(active),
      delayed: Number(delayed),
      overdue: Number(overdue),
      paused: paused === '1',
    };
  };
  const ask = async () => {
    const answer = await fetch(`${fleet.api.adminUrl}/scaling/cpu`, { signal: AbortSignal.timeout(10_000) });
    assert.equal(answer.status, 200);
    const { desiredReplicas, reason, observation } = (await answer.json()) as PoolScaling;
    const { waiting, active, overdue, paused } = observation.lanes[0] ?? assert.fail('there is no lane');
    return { waiting, active, overdue, paused, ready: observation.readyReplicas, desiredReplicas, reason };
  };
  const metric = async (name: string): Promise<string | undefined> => {
    const body = await (await fetch(`${fleet.api.adminUrl}/metrics`)).text();
    return body.match(new RegExp(`^${name.replaceAll(/[{}]/g, '\\$&')} (.+)$`, 'm'))?.[1];
  };
  const until = async (what: string, check: () => Promise<boolean>, seconds = 90): Promise<void> => {
    const deadline = performance.now() + seconds * 1_000;
    while (!(await check())) {
      if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
      await delay(20);
    }
  };
  const rows: string[] = [];
  /** Holds an answer against the truth; asked again while the state moves. */
  const compare = async (state: string, alive: number) => {
    let answer = await ask();
    let real = await truth();
    await until(`the answer to be the truth: ${state}`, async () => {
      const earlier = await truth();
      answer = await ask();
      real = await truth();
      const isStill = JSON.stringify(earlier) === JSON.stringify(real);
      const { waiting, active, overdue, paused } = answer;
      const { delayed: _, ...expected } = real;
      // A lane in which nothing waits has nothing to pause.
      const isPaused = expected.paused && expected.waiting + expected.overdue > 0;
      const isSame =
        JSON.stringify({ waiting, active, overdue, paused }) ===
        JSON.stringify({
          waiting: expected.waiting,
          active: expected.active,
          overdue: expected.overdue,
          paused: isPaused,
        });
      return isStill && isSame && answer.ready === alive;
    });
    const drain = await metric('captionfleet_drain_seconds{lane="interactive",pool="cpu"}');
    const desired = await metric('captionfleet_desired_replicas{pool="cpu"}');
    rows.push(
      `${state.padEnd(34)} truth: wait ${real.waiting} active ${real.active} overdue ${real.overdue}${real.paused ? ' paused' : ''} workers ${alive}` +
        ` | answer: ${answer.waiting} ${answer.active} ${answer.overdue}${answer.paused ? ' paused' : ''} ${answer.ready}` +
        ` desired ${answer.desiredReplicas} drain ${drain} (${answer.reason})`,
    );
    return { ...answer, drain, desired };
  };

  const empty = await compare('empty', 0);
  assert.deepEqual([empty.desiredReplicas, empty.drain, empty.desired], [0, '0', '0']);

  const sources = Array.from({ length: images }, (_, index) => ({ url: `http://${host.host}/${index}.jpg` }));
  const posted = await postCaptions(fleet.api.url, { images: sources });
  assert.equal(posted.status, 202, JSON.stringify(posted.body));
  const waiting = await compare(`${images} wait, no worker`, 0);
  assert.equal(waiting.waiting, images);
  // At one image a second: 40 in 30 s, less 10 s for a start, need at least two.
  assert.ok(waiting.desiredReplicas >= 2 && waiting.desiredReplicas <= 10, String(waiting.desiredReplicas));
  assert.equal(waiting.drain, '+Inf');
  assert.ok(Number(await metric('captionfleet_oldest_job_seconds{queue="interactive-cpu"}')) > 0);

  await redis('HSET', key('meta'), 'paused', '1');
  const paused = await compare('paused, no worker', 0);
  assert.deepEqual([paused.desiredReplicas, paused.drain], [0, '+Inf']);
  assert.equal(await metric('captionfleet_queue_paused{queue="interactive-cpu"}'), '1');
  await redis('HDEL', key('meta'), 'paused');

  const first = await start();
  await until('a busy worker', async () => (await truth()).active > 0);
  const busy = await compare('a busy worker', 1);
  assert.ok(busy.active > 0 && busy.desiredReplicas >= 1);
  assert.equal(await metric('captionfleet_workers{pool="cpu",state="ready"}'), '1');

  await redis('HSET', key('meta'), 'paused', '1');
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const dead = await compare('worker killed, its queue paused', 0);
  // Nothing else would ever bring its jobs back into line.
  assert.ok(dead.active > 0 && dead.desiredReplicas >= 1, JSON.stringify(dead));
  assert.equal(dead.drain, '+Inf');
  await redis('HDEL', key('meta'), 'paused');
  const orphaned = await compare('worker killed', 0);
  assert.ok(orphaned.active > 0 && orphaned.desiredReplicas >= 1);

  host.become('fail');
  const second = await start();
  await until('retries to be delayed and nothing else to be left', async () => {
    const { waiting, active, delayed } = await truth();
    return waiting + active === 0 && delayed > 0;
  });
  process.kill(second.pid, 'SIGKILL');
  await second.ended;
  await until('retries to be due', async () => (await truth()).overdue > 0);
  await until('all of them', async () => {
    const { delayed, overdue } = await truth();
    return delayed === overdue;
  });
  const overdue = await compare('overdue retries, worker killed', 0);
  assert.ok(overdue.overdue > 0 && overdue.desiredReplicas >= 1);
  assert.equal(overdue.drain, '+Inf');

  host.become('serve');
  await using third = await start();
  await until('the end of the work', async () => {
    const { waiting, active, delayed } = await truth();
    return waiting + active + delayed === 0;
  });
  assert.ok((await ask()).ready === 1);
  // What arrived in the last minute speaks for more to come.
  await until('no replica to be wanted', async () => (await ask()).desiredReplicas === 0, 120);
  const idle = await compare('idle', 1);
  assert.deepEqual([idle.desiredReplicas, idle.drain], [0, '0']);
  await third[Symbol.asyncDispose]();
  const zero = await compare('back to zero', 0);
  assert.deepEqual([zero.desiredReplicas, zero.desired], [0, '0']);

  await redis('SHUTDOWN', 'NOSAVE').catch(() => undefined);
  const away = await fetch(`${fleet.api.adminUrl}/scaling/cpu`);
  assert.equal(away.status, 503);
  assert.equal(((await away.json()) as Problem).code, 'QUEUE_UNAVAILABLE');
  assert.equal(await metric('captionfleet_desired_replicas{pool="cpu"}'), undefined);
  assert.equal(await metric('captionfleet_drain_seconds{lane="interactive",pool="cpu"}'), undefined);
  rows.push('Redis away                         truth: unknown | answer: 503 QUEUE_UNAVAILABLE, gauges absent');
  process.stderr.write(`${rows.join('\n')}\n`);
});

import type { Redis } from 'ioredis';
import { type QueueCounts, readMemory } from './queue-counts.ts';
import { becomesReady, connectFailingFast, queueUnavailable } from './redis-client.ts';

/**
 * What a queue holds. `active` jobs may be those of a worker that has died: they come back only when another worker looks.
 */
export interface QueueBacklog extends QueueCounts {
  /** Delayed jobs whose time has come. A worker that looks moves them; without one they stay where they are. */
  readonly overdue: number;
  /** Seconds since the oldest job that waits or is overdue was enqueued; 0 when there is none. */
  readonly oldestWaitingSeconds: number;
  /** The same of the oldest job in any state but finished and failed. */
  readonly oldestSeconds: number;
  /** Nothing of the queue is delivered until somebody resumes it. */
  readonly paused: boolean;
  /** Jobs added a second over the last minute or two; 0 while nobody has looked before. */
  readonly arrivalsPerSecond: number;
}

export interface BacklogReading {
  /** Seconds since the epoch on Redis' clock, which all who ask have in common. */
  readonly atSeconds: number;
  readonly queues: ReadonlyMap<string, QueueBacklog>;
  /** Bytes that Redis uses, and its limit; a limit of 0 is none. */
  readonly memory: { readonly used: number; readonly limit: number };
}

export interface BacklogReader extends AsyncDisposable {
  /** Takes time that does not depend on how much waits. @throws QUEUE_UNAVAILABLE */
  read(): Promise<BacklogReading>;
}

export interface BacklogReaderOptions {
  readonly redisUrl: string;
  /** Common start of all keys. */
  readonly prefix: string;
  /** Names of the queues: `queueName()` of the protocol. */
  readonly queues: readonly string[];
}

/**
 * Jobs at the head of a queue whose age is looked at. Where tenants take turns, each that waits has a job among the first
 * as many as there are tenants; with more tenants than this the oldest may be missed.
 */
const headsLookedAt = 16;
/** Milliseconds between two notes of how many jobs were added so far, and after which a note is too old. */
const noteMs = 5_000;
const noteLivesMs = 60_000;

/**
 * One look at all queues, at one moment. A queue's counter of added jobs (BullMQ's `id`, which also counts the jobs that it
 * knew already) is noted every few seconds in a list that all API processes have in common, so that they agree on the rate.
 * A full Redis refuses the note alone. The score of a delayed job is its time in milliseconds times 4096, plus a counter.
 *
 * KEYS[1...] of each queue: wait, prioritized, active, delayed, meta, id, failed, notes
 * ARGV[1] heads to look at, ARGV[2] ms between notes, ARGV[3] ms that a note lives, ARGV[4...] start of the keys of each queue's jobs
 */
const readScript = `
local heads, noteMs, noteLivesMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function noteOf(text)
  local at, count = string.match(text, '^(%d+):(%d+)$')
  return tonumber(at), tonumber(count)
end

local answer = {now}
for i = 0, #KEYS / 8 - 1 do
  local wait, prioritized, active, delayed, meta, id, failed, notes = unpack(KEYS, 8 * i + 1, 8 * i + 8)
  local jobs = ARGV[4 + i]
  local due = (now + 1) * 0x1000 - 1
  local function oldestOf(...)
    local oldest = now
    for _, ids in ipairs({...}) do
      for _, job in ipairs(ids) do
        oldest = math.min(oldest, tonumber(redis.call('HGET', jobs .. job, 'timestamp')) or now)
      end
    end
    return oldest
  end
  local oldestWaiting = oldestOf(
    redis.call('LRANGE', wait, -heads, -1),
    redis.call('ZRANGE', prioritized, 0, heads - 1),
    redis.call('ZRANGEBYSCORE', delayed, 0, due, 'LIMIT', 0, heads)
  )
  local oldest = math.min(oldestWaiting, oldestOf(
    redis.call('LRANGE', active, -heads, -1),
    redis.call('ZRANGE', delayed, 0, heads - 1)
  ))

  local added = tonumber(redis.call('GET', id)) or 0
  local last = redis.call('LINDEX', notes, -1)
  local first = redis.call('LINDEX', notes, 0)
  if not last or now - noteOf(last) >= noteMs then
    redis.pcall('RPUSH', notes, string.format('%.0f:%.0f', now, added))
    redis.pcall('PEXPIRE', notes, 10 * noteLivesMs)
  end
  local second = redis.call('LINDEX', notes, 1)
  while second and now - noteOf(second) >= noteLivesMs do
    redis.pcall('LPOP', notes)
    first = second
    second = redis.call('LINDEX', notes, 1)
  end
  local since, before = now, added
  if first then since, before = noteOf(first) end

  answer[#answer + 1] = {
    redis.call('LLEN', wait) + redis.call('ZCARD', prioritized),
    redis.call('LLEN', active),
    redis.call('ZCARD', delayed),
    redis.call('ZCARD', failed),
    redis.call('ZCOUNT', delayed, 0, due),
    now - oldestWaiting,
    now - oldest,
    redis.call('HEXISTS', meta, 'paused'),
    math.max(0, added - before),
    now - since,
  }
end
return answer
`;

type QueueAnswer = readonly [
  waiting: number,
  active: number,
  delayed: number,
  failed: number,
  overdue: number,
  oldestWaitingMs: number,
  oldestMs: number,
  paused: number,
  added: number,
  addedInMs: number,
];

interface ReadingClient {
  readBacklogs(...keysAndArguments: (string | number)[]): Promise<[number, ...QueueAnswer[]]>;
}

/** Returns when Redis is connected, or after two seconds without it. */
export async function openBacklogReader({ redisUrl, prefix, queues }: BacklogReaderOptions): Promise<BacklogReader> {
  const redis = connectFailingFast(redisUrl);
  await becomesReady(redis);
  const parts = ['wait', 'prioritized', 'active', 'delayed', 'meta', 'id', 'failed', 'scaling:added'];
  const keys = queues.flatMap((queue) => parts.map((part) => `${prefix}:${queue}:${part}`));
  const jobs = queues.map((queue) => `${prefix}:${queue}:`);
  redis.defineCommand('readBacklogs', { numberOfKeys: keys.length, lua: readScript });
  const client = redis as Redis & ReadingClient;
  return {
    async read() {
      try {
        const [[now, ...answers], memory] = await Promise.all([
          client.readBacklogs(...keys, headsLookedAt, noteMs, noteLivesMs, ...jobs),
          readMemory(redis),
        ]);
        const named = answers.map((answer, position) => [queues[position] ?? '', backlogOf(answer)] as const);
        return { atSeconds: now / 1_000, queues: new Map(named), memory };
      } catch (error) {
        throw queueUnavailable(error);
      }
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

function backlogOf(answer: QueueAnswer): QueueBacklog {
  const [waiting, active, delayed, failed, overdue, oldestWaitingMs, oldestMs, paused, added, addedInMs] = answer;
  return {
    waiting,
    active,
    delayed,
    failed,
    overdue,
    oldestWaitingSeconds: oldestWaitingMs / 1_000,
    oldestSeconds: oldestMs / 1_000,
    paused: paused === 1,
    // Of less than half a minute a second full of jobs would be a rate that no minute has.
    arrivalsPerSecond: (added * 1_000) / Math.max(addedInMs, 30_000),
  };
}

import { defaultTenant } from '@captionfleet/protocol/tenant';
import type { Redis } from 'ioredis';
import type { KeyOf } from './queue-counts.ts';

/**
 * Start-time fair queueing (Goyal, Vin and Cheng, 1996) on the priorities of BullMQ's jobs, which are whole numbers that it
 * serves from the lowest. A job's priority is its tag: the round in which it is its tenant's turn. A tenant's next tag is one above
 * that of its last waiting job, and at least that of the job which is served next, so that tenants alternate job by job
 * and one that was idle has neither lost nor saved up anything.
 */

/**
 * The priority of a job that is added and has no tag yet, behind all that have one. One below BullMQ's highest: its score is
 * 2^32 times the priority, plus a counter, and above 2^53 neighbours would have the same.
 */
export const untagged = 2_097_151;

/** Jobs that are tagged in one call; a producer adds at most half as many between two calls. */
const taggedAtOnce = 1_000;
/** Jobs at the head that may have been delivered before, and kept old tags, until one is found that tells the round. */
const headsLookedAt = 32;
/** Seconds after a tenant's last enqueueing for which its list is kept: longer than a job waits. */
const listSeconds = 24 * 60 * 60;
/** Jobs, waiting or delayed, up to which the tags are given anew at the end of their range. For so many Redis is busy for 0.7 s. */
const renumberedAtOnce = 100_000;

/**
 * Gives every job that has no tag one, in the order in which they were added, whichever producer added them.
 *
 * KEYS[1] prioritized, KEYS[2] active, KEYS[3] delayed, KEYS[4] the highest tag given so far
 * ARGV[1] start of the keys of jobs, ARGV[2] start of the keys of the tenants' lists, ARGV[3] the priority of untagged jobs,
 * ARGV[4] the tenant of ids without one, ARGV[5] jobs at once, ARGV[6] heads to look at, ARGV[7] seconds to keep lists,
 * ARGV[8] jobs that are given new tags at most, ARGV[9...] ids that were just added
 *
 * A tenant's list has the ids of its tagged jobs in their order. Those that no longer wait are taken off its ends, so its last one
 * tells the tenant's last tag also after jobs were withdrawn.
 */
const tagScript = `
local prioritized, active, delayed, highestKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local jobs, lists, untagged, noTenant = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local unit = 0x100000000
local highest = tonumber(redis.call('GET', highestKey)) or 0

local function tagOf(score) return math.floor(tonumber(score) / unit) end

-- The round before that of the job which is served next.
local function currentRound()
  local heads = redis.call('ZRANGE', prioritized, 0, ARGV[6] - 1, 'WITHSCORES')
  local round
  for i = 1, #heads, 2 do
    local tag = tagOf(heads[i + 1])
    if tag >= untagged then break end
    round = tag - 1
    if (tonumber(redis.call('HGET', jobs .. heads[i], 'ats')) or 0) == 0 then break end
  end
  return round or highest
end

-- Takes as many rounds off all tags.
local function renumber(rounds)
  local function lower(id, tag)
    local left = math.max(1, tag - rounds)
    redis.call('HSET', jobs .. id, 'priority', left)
    return left
  end
  local waiting = redis.call('ZRANGE', prioritized, 0, -1, 'WITHSCORES')
  for i = 1, #waiting, 2 do
    local id, score = waiting[i], waiting[i + 1]
    local tag = tagOf(score)
    if tag < untagged then redis.call('ZADD', prioritized, score - (tag - lower(id, tag)) * unit, id) end
  end
  for _, ids in ipairs({redis.call('LRANGE', active, 0, -1), redis.call('ZRANGE', delayed, 0, -1)}) do
    for _, id in ipairs(ids) do
      local tag = tonumber(redis.call('HGET', jobs .. id, 'priority')) or 0
      if tag > 0 and tag < untagged then lower(id, tag) end
    end
  end
  highest = highest - rounds
end

local function lastTag(list)
  while true do
    local id = redis.call('LINDEX', list, -1)
    if not id then return 0 end
    local score = redis.call('ZSCORE', prioritized, id)
    if score and tagOf(score) < untagged then return tagOf(score) end
    redis.call('RPOP', list)
  end
end

local fresh = redis.call('ZRANGEBYSCORE', prioritized, untagged * unit, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[5])
local round = currentRound()
if highest + #fresh / 2 >= untagged and round * 2 >= untagged
  and redis.call('ZCARD', prioritized) + redis.call('ZCARD', delayed) <= tonumber(ARGV[8]) then
  renumber(round)
  round = 0
end

local last, added, isFresh, scores = {}, {}, {}, {}
for i = 1, #fresh, 2 do
  local id, score = fresh[i], fresh[i + 1]
  local list = lists .. (string.match(id, '^(.+)%.') or noTenant)
  if not last[list] then last[list] = math.max(round, lastTag(list)) end
  last[list] = math.min(last[list] + 1, untagged - 1)
  redis.call('HSET', jobs .. id, 'priority', last[list])
  scores[#scores + 1] = score - (untagged - last[list]) * unit
  scores[#scores + 1] = id
  added[list] = added[list] or {}
  table.insert(added[list], id)
  highest = math.max(highest, last[list])
  isFresh[id] = true
end
if #scores > 0 then redis.call('ZADD', prioritized, unpack(scores)) end
redis.call('SET', highestKey, highest)

for list, ids in pairs(added) do
  redis.call('RPUSH', list, unpack(ids))
  redis.call('EXPIRE', list, ARGV[7])
  for _ = 1, 2 * #ids + 16 do
    if redis.call('ZSCORE', prioritized, redis.call('LINDEX', list, 0)) then break end
    redis.call('LPOP', list)
  end
end

-- Those that a worker took before they had a tag get one for the case that they come back.
for i = 9, #ARGV do
  local id = ARGV[i]
  if not isFresh[id] and tonumber(redis.call('HGET', jobs .. id, 'priority')) == untagged
    and not redis.call('ZSCORE', prioritized, id) then
    redis.call('HSET', jobs .. id, 'priority', round + 1)
  end
end
return #fresh / 2
`;

interface TaggingClient {
  tagJobs(...keysAndArguments: (string | number)[]): Promise<number>;
}

/** Returns what tags the jobs of a queue, to be called when some were added, with their ids. */
export function fairTags(redis: Redis, key: KeyOf): (jobIds: readonly string[]) => Promise<void> {
  redis.defineCommand('tagJobs', { numberOfKeys: 4, lua: tagScript });
  const client = redis as Redis & TaggingClient;
  const keys = [key('prioritized'), key('active'), key('delayed'), key('fair:highest')];
  const lists = key('fair:tenant:');
  const limits = [untagged, defaultTenant, taggedAtOnce, headsLookedAt, listSeconds, renumberedAtOnce];
  return async (jobIds) => {
    await client.tagJobs(...keys, key(''), lists, ...limits, ...jobIds);
  };
}

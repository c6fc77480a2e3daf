import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { becomesReady, connectFailingFast } from './redis-client.ts';

export interface RateLimit {
  /** What is counted, as it stands in messages and keys: `requests`. */
  readonly unit: string;
  /** How many of it a window has. */
  readonly limit: number;
  /** Length of a window in seconds; the next begins with the first use after its end. */
  readonly seconds: number;
}

/** What is left of a window. */
export interface Budget extends RateLimit {
  readonly remaining: number;
  /** Seconds, rounded up, until the window ends. */
  readonly resetSeconds: number;
}

/** A refusal that knows the limit it is about. */
export class RateLimited extends CaptionfleetError {
  readonly budget: Budget;

  constructor(budget: Budget) {
    const { unit, limit, seconds, resetSeconds: retryAfterSeconds } = budget;
    super('RATE_LIMITED', `more than ${limit} ${unit} in ${seconds} s; go on in ${retryAfterSeconds} s`, {
      retryAfterSeconds,
    });
    this.budget = budget;
  }
}

export interface RateLimiter {
  /**
   * Takes `points` of the current window of `who`; what is refused takes nothing.
   *
   * @throws RateLimited
   */
  spend(who: string, points?: number): Promise<Budget>;
}

export interface RateLimits extends AsyncDisposable {
  limiter(limit: RateLimit): RateLimiter;
}

/**
 * KEYS[1] the count of a window; ARGV[1] points, ARGV[2] its seconds, ARGV[3] its limit. Returns what the count would be with
 * the points, and the milliseconds to the window's end; counts only what fits.
 */
const spendScript = `
redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local wanted = tonumber(redis.call('get', KEYS[1])) + tonumber(ARGV[1])
if wanted <= tonumber(ARGV[3]) then redis.call('incrby', KEYS[1], ARGV[1]) end
return {wanted, redis.call('pttl', KEYS[1])}
`;

/**
 * Limits that all API processes keep together, counted in Redis. While it does not answer each process counts for itself, so
 * callers are then neither refused nor without a limit. Returns when Redis is connected, or after two seconds without it.
 */
export async function openRateLimits(redisUrl: string, prefix: string): Promise<RateLimits> {
  const redis = connectFailingFast(redisUrl);
  await becomesReady(redis);
  return {
    limiter({ unit, limit, seconds }) {
      const window = { points: limit, duration: seconds, keyPrefix: `${prefix}:rate:${unit}` };
      const counts = new RateLimiterRedis({
        ...window,
        storeClient: redis,
        rejectIfRedisNotReady: true,
        customIncrTtlLuaScript: spendScript,
        insuranceLimiter: new RateLimiterMemory(window),
      });
      return {
        async spend(who, points = 1) {
          try {
            const { remainingPoints: remaining, msBeforeNext } = await counts.consume(who, points);
            return { unit, limit, seconds, remaining, resetSeconds: wholeSeconds(msBeforeNext) };
          } catch (refusal) {
            if (!(refusal instanceof RateLimiterRes)) throw refusal;
            throw new RateLimited({
              unit,
              limit,
              seconds,
              remaining: 0,
              resetSeconds: wholeSeconds(refusal.msBeforeNext),
            });
          }
        },
      };
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

const wholeSeconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1_000));

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { defaultQueuePrefix } from '@captionfleet/protocol/queue-names';
import { z } from 'zod';

/** An empty variable, as compose files and shells make them, counts as one that is not set. */
const unsetWhenEmpty = (value: unknown): unknown => (value === '' ? undefined : value);
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(unsetWhenEmpty, schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: string) =>
  z.preprocess((given) => unsetWhenEmpty(given) ?? value, schema);

const port = z.coerce.number<string>('must be a number').int().min(0).max(65535);
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a URL such as redis://127.0.0.1:6379' });
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** The settings of the API; docs/reference/configuration.md lists them. */
const ApiConfigSchema = z
  .object({
    HOST: withDefault(z.string(), '127.0.0.1'),
    /** 0 takes any free port. */
    PORT: withDefault(port, '8080'),
    REDIS_URL: withDefault(redisUrl, 'redis://127.0.0.1:6379'),
    CAPTIONFLEET_QUEUE_PREFIX: withDefault(z.string(), defaultQueuePrefix),
    CAPTIONFLEET_LANE: withDefault(z.enum(['interactive', 'bulk']), 'interactive'),
    CAPTIONFLEET_POOL: withDefault(z.enum(['cpu', 'gpu']), 'cpu'),
    /** Jobs that may wait in the queue; a request that would exceed them is refused with 429. */
    CAPTIONFLEET_MAX_WAITING: withDefault(z.coerce.number<string>('must be a number').int().min(1), '10000'),
    AZURE_STORAGE_CONNECTION_STRING: optional(z.string()),
    CAPTIONFLEET_STORAGE_ACCOUNT_URL: optional(httpUrl),
    CAPTIONFLEET_CONTAINER: withDefault(z.string(), 'captionfleet'),
    /** Where callers reach this API, when it is not what they write into the Host header. */
    CAPTIONFLEET_PUBLIC_URL: optional(httpUrl),
    LOG_LEVEL: withDefault(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info'),
  })
  .transform((settings, context) => {
    const { AZURE_STORAGE_CONNECTION_STRING: connectionString, CAPTIONFLEET_STORAGE_ACCOUNT_URL: accountUrl } =
      settings;
    if ((connectionString === undefined) === (accountUrl === undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['AZURE_STORAGE_CONNECTION_STRING'],
        message: 'set either this or CAPTIONFLEET_STORAGE_ACCOUNT_URL',
      });
      return z.NEVER;
    }
    return {
      host: settings.HOST,
      port: settings.PORT,
      redisUrl: settings.REDIS_URL,
      queuePrefix: settings.CAPTIONFLEET_QUEUE_PREFIX,
      lane: settings.CAPTIONFLEET_LANE,
      pool: settings.CAPTIONFLEET_POOL,
      maxWaiting: settings.CAPTIONFLEET_MAX_WAITING,
      blobAccount: connectionString === undefined ? { accountUrl: accountUrl ?? '' } : { connectionString },
      container: settings.CAPTIONFLEET_CONTAINER,
      publicUrl: settings.CAPTIONFLEET_PUBLIC_URL?.replace(/\/+$/, ''),
      logLevel: settings.LOG_LEVEL,
    };
  });
export type ApiConfig = z.infer<typeof ApiConfigSchema>;

/** @throws CONFIG_INVALID, naming every variable that is wrong and never a value: some of them are secrets. */
export function readConfig(env: NodeJS.ProcessEnv): ApiConfig {
  const parsed = ApiConfigSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new CaptionfleetError('CONFIG_INVALID', problems.join('; '));
}

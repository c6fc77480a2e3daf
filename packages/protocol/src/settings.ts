import { z } from 'zod';
import { CaptionfleetError } from './errors.ts';
import { ContainerNameSchema } from './image-reference.ts';
import { defaultQueuePrefix } from './queue-names.ts';

/** An empty variable, as compose files and shells make them, counts as one that is not set. */
const unsetWhenEmpty = (value: unknown): unknown => (value === '' ? undefined : value);

export const optional = <T extends z.ZodType>(schema: T) => z.preprocess(unsetWhenEmpty, schema.optional());

export const withDefault = <T extends z.ZodType>(schema: T, value: string) =>
  z.preprocess((given) => unsetWhenEmpty(given) ?? value, schema);

/** Items with commas between them; not set: none. */
export const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((given) => (unsetWhenEmpty(given) === undefined ? [] : String(given).split(',')), z.array(item));

export function wholeNumber(minimum: number, maximum: number) {
  const form = `must be a whole number from ${minimum} to ${maximum}`;
  return z.coerce.number<string>(form).int(form).min(minimum, form).max(maximum, form);
}

export const hostAndPort = z
  .string()
  .regex(
    /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/,
    'must be host:port pairs such as images.intranet:8080,127.0.0.1:9000',
  );

export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
/** A name without a port, for lists of names that a listener is called by. */
export const hostName = z
  .string()
  .regex(/^[\w.-]+$/, 'must be host names such as api, without ports')
  .toLowerCase();
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a URL such as redis://127.0.0.1:6379' });

/** Host and port of a Redis, for messages: the rest of its URL may be secret. */
export function redisAddress(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}

/** The environment variables that every app of a fleet reads; docs/reference/configuration.md lists them. */
export const fleetVariables = {
  REDIS_URL: withDefault(redisUrl, 'redis://127.0.0.1:6379'),
  CAPTIONFLEET_QUEUE_PREFIX: withDefault(z.string(), defaultQueuePrefix),
  CAPTIONFLEET_POOL: withDefault(z.enum(['cpu', 'gpu']), 'cpu'),
  AZURE_STORAGE_CONNECTION_STRING: optional(z.string()),
  CAPTIONFLEET_STORAGE_ACCOUNT_URL: optional(httpUrl),
  CAPTIONFLEET_CONTAINER: withDefault(ContainerNameSchema, 'captionfleet'),
  LOG_LEVEL: withDefault(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info'),
};
type FleetVariables = z.infer<z.ZodObject<typeof fleetVariables>>;

/** The part of an app's configuration that these variables make, for use in a transform; an issue when two disagree. */
export function fleetConfig(variables: FleetVariables, context: z.core.$RefinementCtx) {
  const { AZURE_STORAGE_CONNECTION_STRING: connectionString, CAPTIONFLEET_STORAGE_ACCOUNT_URL: accountUrl } = variables;
  if ((connectionString === undefined) === (accountUrl === undefined)) {
    context.addIssue({
      code: 'custom',
      path: ['AZURE_STORAGE_CONNECTION_STRING'],
      message: 'set either this or CAPTIONFLEET_STORAGE_ACCOUNT_URL',
    });
  }
  return {
    redisUrl: variables.REDIS_URL,
    queuePrefix: variables.CAPTIONFLEET_QUEUE_PREFIX,
    pool: variables.CAPTIONFLEET_POOL,
    blobAccount: connectionString === undefined ? { accountUrl: accountUrl ?? '' } : { connectionString },
    container: variables.CAPTIONFLEET_CONTAINER,
    logLevel: variables.LOG_LEVEL,
  };
}

/** @throws CONFIG_INVALID, naming every variable that is wrong and never a value: some of them are secrets. */
export function readSettings<T extends z.ZodType>(schema: T, env: NodeJS.ProcessEnv): z.infer<T> {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new CaptionfleetError('CONFIG_INVALID', problems.join('; '));
}

const FleetConfigSchema = z.object(fleetVariables).transform(fleetConfig);

/** What every app of a fleet is told, without what is an app's own. @throws CONFIG_INVALID */
export const readFleetConfig = (env: NodeJS.ProcessEnv): z.infer<typeof FleetConfigSchema> =>
  readSettings(FleetConfigSchema, env);

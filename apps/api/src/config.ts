import { imageLimits } from '@captionfleet/protocol/image-reference';
import { type Pool, pools } from '@captionfleet/protocol/queue-names';
import {
  fleetConfig,
  fleetVariables,
  hostAndPort,
  hostName,
  httpUrl,
  list,
  optional,
  readSettings,
  wholeNumber,
  withDefault,
} from '@captionfleet/protocol/settings';
import { modelTasks } from '@captionfleet/protocol/task';
import { tracingConfig, tracingVariables } from '@captionfleet/protocol/tracing-settings';
import { z } from 'zod';
import { azuremlConfig, azuremlVariables } from './azureml-config.ts';
import { entraConfig, entraVariables } from './entra-config.ts';
import { isLoopback } from './loopback.ts';
import { scalingConfig, scalingVariables } from './scaling-config.ts';

/** The settings that decide who may call. */
const callerVariables = {
  HOST: withDefault(z.string(), '127.0.0.1'),
  /** Who may call: anyone, or who has an API key, a token of Microsoft Entra ID, or either. */
  CAPTIONFLEET_AUTH: withDefault(z.enum(['off', 'keys', 'entra', 'keys,entra']), 'off'),
  /** Needed to let anyone call from beyond this machine. */
  CAPTIONFLEET_ALLOW_UNAUTHENTICATED: withDefault(z.enum(['true', 'false']), 'false'),
  ...entraVariables,
  ...azuremlVariables,
};

const originName = httpUrl.refine((text) => new URL(text).origin === text, {
  error: 'must be origins such as https://app.example.org, without a path',
});

/** The settings of the API; docs/reference/configuration.md lists them. */
const ApiConfigSchema = z
  .object({
    ...fleetVariables,
    ...tracingVariables,
    /** 0 takes any free port. */
    PORT: withDefault(wholeNumber(0, 65535), '8080'),
    ...callerVariables,
    /** Requests of one caller in a second; 0: no limit. Callers that are not told apart have none. */
    CAPTIONFLEET_REQUESTS_PER_SECOND: withDefault(wholeNumber(0, 1_000_000), '50'),
    /** Images of one tenant in a minute; 0: no limit. */
    CAPTIONFLEET_IMAGES_PER_MINUTE: withDefault(
      wholeNumber(0, 100_000_000).refine(
        (images) => images === 0 || images >= imageLimits.perRequest,
        `must be 0 or at least ${imageLimits.perRequest}, the images of one request`,
      ),
      '0',
    ),
    /** Pools that jobs may go to, with commas between them; not set: CAPTIONFLEET_POOL alone. */
    CAPTIONFLEET_POOLS: list(z.enum(pools)),
    /** Where operators find /metrics; callers of the API should not reach it. */
    CAPTIONFLEET_ADMIN_HOST: withDefault(z.string(), '127.0.0.1'),
    /** 0 takes any free port. */
    CAPTIONFLEET_ADMIN_PORT: withDefault(wholeNumber(0, 65535), '9401'),
    /** Names that operators call that listener by, with commas between them. */
    CAPTIONFLEET_ADMIN_NAMES: list(hostName),
    /** Jobs that may wait in the queue; a request that would exceed them is refused with 429. */
    CAPTIONFLEET_MAX_WAITING: withDefault(wholeNumber(1, 10_000_000), '10000'),
    /** What the fleet's workers have models for, with commas between them; anything else is refused at the door. */
    CAPTIONFLEET_TASKS: withDefault(list(z.enum(modelTasks)), 'caption'),
    /** `host:port` pairs that webhooks may be sent to although they are private or without TLS, with commas between them. */
    CAPTIONFLEET_WEBHOOK_PRIVATE_HOSTS: list(hostAndPort),
    ...scalingVariables,
    /** Where callers reach this API, when it is not what they write into the Host header. */
    CAPTIONFLEET_PUBLIC_URL: optional(httpUrl),
    /** Origins whose pages may call this API from a browser, with commas between them; none without. */
    CAPTIONFLEET_CORS_ORIGINS: list(originName),
  })
  .transform((settings, context) => ({
    ...fleetConfig(settings, context),
    tracing: tracingConfig(settings, context),
    host: settings.HOST,
    port: settings.PORT,
    pools: poolsOf(settings),
    tasks: settings.CAPTIONFLEET_TASKS,
    maxWaiting: settings.CAPTIONFLEET_MAX_WAITING,
    auth: authConfig(settings, context),
    requestsPerSecond: settings.CAPTIONFLEET_REQUESTS_PER_SECOND,
    imagesPerMinute: settings.CAPTIONFLEET_IMAGES_PER_MINUTE,
    admin: {
      host: settings.CAPTIONFLEET_ADMIN_HOST,
      port: settings.CAPTIONFLEET_ADMIN_PORT,
      allowedHosts: settings.CAPTIONFLEET_ADMIN_NAMES,
    },
    webhookPrivateHosts: settings.CAPTIONFLEET_WEBHOOK_PRIVATE_HOSTS,
    publicUrl: settings.CAPTIONFLEET_PUBLIC_URL?.replace(/\/+$/, ''),
    corsOrigins: settings.CAPTIONFLEET_CORS_ORIGINS,
    scaling: scalingConfig(settings, context),
    azureml: azuremlConfig(
      settings,
      { fleetHasKeys: settings.CAPTIONFLEET_AUTH !== 'off', container: settings.CAPTIONFLEET_CONTAINER },
      context,
    ),
  }));
const poolsOf = ({
  CAPTIONFLEET_POOLS: named,
  CAPTIONFLEET_POOL: pool,
}: {
  readonly CAPTIONFLEET_POOLS: readonly Pool[];
  readonly CAPTIONFLEET_POOL: Pool;
}): Pool[] => (named.length === 0 ? [pool] : [...new Set(named)]);

/** What is accepted from callers; neither is anyone. An issue when anyone could call from beyond this machine. */
function authConfig(settings: z.infer<z.ZodObject<typeof callerVariables>>, context: z.core.$RefinementCtx) {
  const ways = settings.CAPTIONFLEET_AUTH.split(',');
  const isOff = ways.includes('off');
  if (isOff && !isLoopback(settings.HOST) && settings.CAPTIONFLEET_ALLOW_UNAUTHENTICATED !== 'true') {
    context.addIssue({
      code: 'custom',
      path: ['CAPTIONFLEET_AUTH'],
      message:
        'is off, so anyone who reaches HOST could call; set it to keys or entra, or CAPTIONFLEET_ALLOW_UNAUTHENTICATED to true',
    });
  }
  if (
    settings.CAPTIONFLEET_AZUREML === 'container' &&
    !isLoopback(settings.HOST) &&
    settings.CAPTIONFLEET_ALLOW_UNAUTHENTICATED !== 'true'
  ) {
    context.addIssue({
      code: 'custom',
      path: ['CAPTIONFLEET_AZUREML'],
      message:
        'is container, which asks for no key, so anyone who reaches HOST could call; set it to frontend, or CAPTIONFLEET_ALLOW_UNAUTHENTICATED to true',
    });
  }
  return { keys: ways.includes('keys'), entra: ways.includes('entra') ? entraConfig(settings, context) : undefined };
}

export type ApiConfig = z.infer<typeof ApiConfigSchema>;

/** @throws CONFIG_INVALID naming the variables that are wrong */
export const readConfig = (env: NodeJS.ProcessEnv): ApiConfig => readSettings(ApiConfigSchema, env);

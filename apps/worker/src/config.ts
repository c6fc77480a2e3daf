import { availableParallelism } from 'node:os';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { BlobReferenceSchema } from '@captionfleet/protocol/image-reference';
import { defaultQueuePrefix } from '@captionfleet/protocol/queue-names';
import { z } from 'zod';

/** An empty variable, as compose files and shells make them, counts as one that is not set. */
const unsetWhenEmpty = (value: unknown): unknown => (value === '' ? undefined : value);
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(unsetWhenEmpty, schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: string) =>
  z.preprocess((given) => unsetWhenEmpty(given) ?? value, schema);
const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((given) => (unsetWhenEmpty(given) === undefined ? [] : String(given).split(',')), z.array(item));

const whole = (minimum: number, maximum: number) =>
  z.coerce.number<string>('must be a number').int().min(minimum).max(maximum);
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a URL such as redis://127.0.0.1:6379' });
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const hostAndPort = z
  .string()
  .regex(
    /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/,
    'must be host:port pairs such as images.intranet:8080,127.0.0.1:9000',
  );
const containerName = BlobReferenceSchema.shape.blob.shape.container;
const affinity = z
  .string()
  .regex(/^(?:off|auto|\d+(?:,\d+)*)$/, 'must be off, auto, or cores such as 0,1')
  .transform((text): 'off' | 'auto' | readonly number[] =>
    text === 'off' || text === 'auto' ? text : text.split(',').map(Number),
  );

const minuteMs = 60_000;

/** The settings of a worker; docs/reference/configuration.md lists them. */
const WorkerConfigSchema = z
  .object({
    REDIS_URL: withDefault(redisUrl, 'redis://127.0.0.1:6379'),
    CAPTIONFLEET_QUEUE_PREFIX: withDefault(z.string(), defaultQueuePrefix),
    CAPTIONFLEET_LANE: withDefault(z.enum(['interactive', 'bulk']), 'interactive'),
    CAPTIONFLEET_POOL: withDefault(z.enum(['cpu', 'gpu']), 'cpu'),
    /** What `captionfleet model build` or `model pull` made. */
    CAPTIONFLEET_MODEL_DIR: z.preprocess(
      unsetWhenEmpty,
      z.string('must be a model directory, as `captionfleet model build` makes one'),
    ),
    /** Default: one a core. */
    CAPTIONFLEET_INFERENCE_PROCESSES: withDefault(whole(1, 256), String(availableParallelism())),
    /** Threads of ONNX Runtime in each inference process. */
    CAPTIONFLEET_THREADS_PER_PROCESS: withDefault(whole(1, 256), '1'),
    /** Which cores the inference processes are kept on: off, auto (spread over all), or a list. Linux only. */
    CAPTIONFLEET_CPU_AFFINITY: withDefault(affinity, 'off'),
    /** Images that are captioned together at most. */
    CAPTIONFLEET_BATCH_MAX_IMAGES: withDefault(whole(1, 64), '8'),
    /** Milliseconds that an image waits for others to be captioned with. */
    CAPTIONFLEET_BATCH_MAX_WAIT_MS: withDefault(whole(0, minuteMs), '10'),
    /** Milliseconds for what runs when the worker is told to stop. */
    CAPTIONFLEET_DRAIN_MS: withDefault(whole(0, 60 * minuteMs), '25000'),
    /** Milliseconds for one batch in an inference process, its fetches included; then the process is replaced. */
    CAPTIONFLEET_INFERENCE_TIMEOUT_MS: withDefault(whole(100, 60 * minuteMs), '120000'),
    AZURE_STORAGE_CONNECTION_STRING: optional(z.string()),
    CAPTIONFLEET_STORAGE_ACCOUNT_URL: optional(httpUrl),
    CAPTIONFLEET_CONTAINER: withDefault(containerName, 'captionfleet'),
    /** Other containers of the storage account whose blobs may be captioned, with commas between them. */
    CAPTIONFLEET_IMAGE_CONTAINERS: list(containerName),
    /** `host:port` pairs that image URLs may name although they are private, with commas between them. */
    CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: list(hostAndPort),
    CAPTIONFLEET_HEALTH_HOST: withDefault(z.string(), '127.0.0.1'),
    /** 0 takes any free port. */
    CAPTIONFLEET_HEALTH_PORT: withDefault(whole(0, 65535), '9400'),
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
      redisUrl: settings.REDIS_URL,
      queuePrefix: settings.CAPTIONFLEET_QUEUE_PREFIX,
      lane: settings.CAPTIONFLEET_LANE,
      pool: settings.CAPTIONFLEET_POOL,
      modelDirectory: settings.CAPTIONFLEET_MODEL_DIR,
      inferenceProcesses: settings.CAPTIONFLEET_INFERENCE_PROCESSES,
      threadsPerProcess: settings.CAPTIONFLEET_THREADS_PER_PROCESS,
      cpuAffinity: settings.CAPTIONFLEET_CPU_AFFINITY,
      batchMaxImages: settings.CAPTIONFLEET_BATCH_MAX_IMAGES,
      batchMaxWaitMs: settings.CAPTIONFLEET_BATCH_MAX_WAIT_MS,
      drainMs: settings.CAPTIONFLEET_DRAIN_MS,
      inferenceTimeoutMs: settings.CAPTIONFLEET_INFERENCE_TIMEOUT_MS,
      blobAccount: connectionString === undefined ? { accountUrl: accountUrl ?? '' } : { connectionString },
      container: settings.CAPTIONFLEET_CONTAINER,
      imageContainers: settings.CAPTIONFLEET_IMAGE_CONTAINERS,
      allowPrivateHosts: settings.CAPTIONFLEET_ALLOW_PRIVATE_HOSTS,
      healthHost: settings.CAPTIONFLEET_HEALTH_HOST,
      healthPort: settings.CAPTIONFLEET_HEALTH_PORT,
      logLevel: settings.LOG_LEVEL,
    };
  });
export type WorkerConfig = z.infer<typeof WorkerConfigSchema>;

/** @throws CONFIG_INVALID, naming every variable that is wrong and never a value: some of them are secrets. */
export function readConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = WorkerConfigSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new CaptionfleetError('CONFIG_INVALID', problems.join('; '));
}

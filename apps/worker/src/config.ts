import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { ContainerNameSchema } from '@captionfleet/protocol/image-reference';
import { LaneSchema } from '@captionfleet/protocol/queue-names';
import {
  fleetConfig,
  fleetVariables,
  hostAndPort,
  hostName,
  list,
  readSettings,
  wholeNumber,
  withDefault,
} from '@captionfleet/protocol/settings';
import { tracingConfig, tracingVariables } from '@captionfleet/protocol/tracing-settings';
import { z } from 'zod';
import { machineConfig, machineVariables } from './machine-config.ts';
import type { MetadataEndpoint } from './metadata-client.ts';

const driftForm = 'must be a number of hours from 0 to 168';

const affinity = z
  .string()
  .regex(/^(?:off|auto|\d+(?:,\d+)*)$/, 'must be off, auto, or cores such as 0,1')
  .transform((text): 'off' | 'auto' | readonly number[] =>
    text === 'off' || text === 'auto' ? text : text.split(',').map(Number),
  );

const metadataForm = 'must be off, auto, or a URL such as http://127.0.0.1:9000 to this machine';

/** Only what answers to this machine alone is trusted to say when it ends: loopback, or the link-local address of Azure. */
const azureMetadata = z.string().transform((text, context): MetadataEndpoint | undefined => {
  if (text === 'off') return undefined;
  if (text === 'auto') return { url: 'http://169.254.169.254', isExpected: false };
  const url = URL.parse(text);
  const isHere = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|169\.254(?:\.\d{1,3}){2})$/.test(url?.hostname ?? '');
  if (isHere && url !== null && text.replace(/\/$/, '') === url.origin && url.protocol === 'http:')
    return { url: url.origin, isExpected: true };
  context.addIssue({ code: 'custom', message: metadataForm });
  return z.NEVER;
});

const minuteMs = 60_000;

/** The settings of a worker; docs/reference/configuration.md lists them. */
const WorkerConfigSchema = z
  .object({
    ...fleetVariables,
    ...tracingVariables,
    ...machineVariables,
    /** Whose queues it serves; interactive goes before bulk. */
    CAPTIONFLEET_LANES: withDefault(list(LaneSchema).pipe(z.array(LaneSchema).nonempty()), 'interactive,bulk'),
    /** What `captionfleet model build` or `model pull` made. */
    CAPTIONFLEET_MODEL_DIR: z
      .string('must be a model directory, as `captionfleet model build` makes one')
      .min(1, 'must be a model directory, as `captionfleet model build` makes one'),
    /** auto: int8 where it passed the parity gate and is worth it on this machine, else fp32. */
    CAPTIONFLEET_VARIANT: withDefault(z.enum(['auto', 'fp32', 'int8']), 'auto'),
    /** Where the form of the model that this machine runs is kept; it can be made again. */
    CAPTIONFLEET_CACHE_DIR: withDefault(z.string(), join(homedir(), '.cache', 'captionfleet')),
    /** Hours between two checks that the model still answers as it did when it was built; 0: only at the start. */
    CAPTIONFLEET_DRIFT_CHECK_HOURS: withDefault(
      z.coerce.number<string>(driftForm).min(0, driftForm).max(168, driftForm),
      '6',
    ),
    /** Default: one a core. */
    CAPTIONFLEET_INFERENCE_PROCESSES: withDefault(wholeNumber(1, 256), String(availableParallelism())),
    /** Threads of ONNX Runtime in each inference process. */
    CAPTIONFLEET_THREADS_PER_PROCESS: withDefault(wholeNumber(1, 256), '1'),
    /** Which cores the inference processes are kept on: off, auto (spread over all), or a list. Linux only. */
    CAPTIONFLEET_CPU_AFFINITY: withDefault(affinity, 'off'),
    /** Images that are captioned together at most. */
    CAPTIONFLEET_BATCH_MAX_IMAGES: withDefault(wholeNumber(1, 64), '8'),
    /** Milliseconds that an image waits for others to be captioned with. */
    CAPTIONFLEET_BATCH_MAX_WAIT_MS: withDefault(wholeNumber(0, minuteMs), '10'),
    /** Milliseconds for what runs when the worker is told to stop. */
    CAPTIONFLEET_DRAIN_MS: withDefault(wholeNumber(0, 60 * minuteMs), '25000'),
    /** Whether Azure is asked where this worker runs and what is to happen to its machine: off, auto, or where to ask. */
    CAPTIONFLEET_AZURE_METADATA: withDefault(azureMetadata, 'auto'),
    /** Milliseconds for one batch in an inference process, its fetches included; then the process is replaced. */
    CAPTIONFLEET_INFERENCE_TIMEOUT_MS: withDefault(wholeNumber(100, 60 * minuteMs), '120000'),
    /** Other containers of the storage account whose blobs may be captioned, with commas between them. */
    CAPTIONFLEET_IMAGE_CONTAINERS: list(ContainerNameSchema),
    /** `host:port` pairs that image URLs may name although they are private, with commas between them. */
    CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: list(hostAndPort),
    CAPTIONFLEET_HEALTH_HOST: withDefault(z.string(), '127.0.0.1'),
    /** 0 takes any free port. */
    CAPTIONFLEET_HEALTH_PORT: withDefault(wholeNumber(0, 65535), '9400'),
    /** Names that operators call that listener by, with commas between them. */
    CAPTIONFLEET_HEALTH_NAMES: list(hostName),
  })
  .transform((settings, context) => ({
    ...fleetConfig(settings, context),
    tracing: tracingConfig(settings, context),
    machine: machineConfig(settings),
    lanes: settings.CAPTIONFLEET_LANES,
    modelDirectory: settings.CAPTIONFLEET_MODEL_DIR,
    variant: settings.CAPTIONFLEET_VARIANT,
    cacheDirectory: settings.CAPTIONFLEET_CACHE_DIR,
    driftCheckHours: settings.CAPTIONFLEET_DRIFT_CHECK_HOURS,
    inferenceProcesses: settings.CAPTIONFLEET_INFERENCE_PROCESSES,
    threadsPerProcess: settings.CAPTIONFLEET_THREADS_PER_PROCESS,
    cpuAffinity: settings.CAPTIONFLEET_CPU_AFFINITY,
    batchMaxImages: settings.CAPTIONFLEET_BATCH_MAX_IMAGES,
    batchMaxWaitMs: settings.CAPTIONFLEET_BATCH_MAX_WAIT_MS,
    drainMs: settings.CAPTIONFLEET_DRAIN_MS,
    azureMetadata: settings.CAPTIONFLEET_AZURE_METADATA,
    inferenceTimeoutMs: settings.CAPTIONFLEET_INFERENCE_TIMEOUT_MS,
    imageContainers: settings.CAPTIONFLEET_IMAGE_CONTAINERS,
    allowPrivateHosts: settings.CAPTIONFLEET_ALLOW_PRIVATE_HOSTS,
    healthHost: settings.CAPTIONFLEET_HEALTH_HOST,
    healthPort: settings.CAPTIONFLEET_HEALTH_PORT,
    healthNames: settings.CAPTIONFLEET_HEALTH_NAMES,
  }));
export type WorkerConfig = z.infer<typeof WorkerConfigSchema>;

/** @throws CONFIG_INVALID naming the variables that are wrong */
export const readConfig = (env: NodeJS.ProcessEnv): WorkerConfig => readSettings(WorkerConfigSchema, env);

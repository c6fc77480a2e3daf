import { setTimeout as pause } from 'node:timers/promises';
import { reportError } from '@captionfleet/protocol/errors';
import type { Logger } from '@captionfleet/telemetry/logger';
import { z } from 'zod';
import { type MetadataClient, type MetadataEndpoint, malformed } from './metadata-client.ts';

const name = z.string().min(1).max(256);
const nameOrEmpty = z
  .string()
  .max(256)
  .optional()
  .transform((text) => (text === '' ? undefined : text));

/** The part of `/metadata/instance/compute` that a worker wants to know. Azure leaves a text empty that does not apply. */
const InstanceSchema = z
  .object({
    name,
    vmId: name,
    vmSize: name,
    location: name,
    zone: nameOrEmpty,
    vmScaleSetName: nameOrEmpty,
    priority: z.string().max(32).optional(),
    resourceId: z.string().min(1).max(2048),
  })
  .transform(({ vmScaleSetName: scaleSet, zone, priority, ...rest }) => ({
    ...rest,
    ...(zone === undefined ? {} : { zone }),
    ...(scaleSet === undefined ? {} : { scaleSet }),
    // Low is what Spot was called before.
    priority: priority === 'Spot' || priority === 'Low' ? ('Spot' as const) : ('Regular' as const),
  }));

/** The virtual machine of Azure that this worker runs on. */
export type Instance = Readonly<z.infer<typeof InstanceSchema>>;

export interface InstanceQuestion {
  /** What came in the first second; undefined: nothing. A start may wait for it. */
  readonly early: Promise<Instance | undefined>;
  /** Resolves when it is known, which may be never. */
  readonly known: Promise<Instance>;
}

const instanceMs = { early: 1_000, again: 60_000 } as const;

/**
 * Asks where this worker runs, at once and then every minute until there is an answer: a machine may begin work before its
 * metadata service does. Both promises never reject.
 */
export function askInstance(
  client: MetadataClient,
  { isExpected }: Pick<MetadataEndpoint, 'isExpected'>,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): InstanceQuestion {
  const early = askOnce();
  return { early, known: knowInTheEnd() };

  async function askOnce(): Promise<Instance | undefined> {
    try {
      const instance = await readInstance(client, { signal });
      logger.info({ instance }, `runs on ${describe(instance)}`);
      return instance;
    } catch (error) {
      if (signal.aborted) return undefined;
      const { code, message } = reportError(error);
      logger[isExpected ? 'warn' : 'debug']({ code }, `${code}: ${message}; asked again in a minute`);
      return undefined;
    }
  }

  async function knowInTheEnd(): Promise<Instance> {
    for (let instance = await early; !signal.aborted; instance = await askOnce()) {
      if (instance !== undefined) return instance;
      await pause(instanceMs.again, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return await new Promise<never>(() => undefined);
  }
}

/** @throws METADATA_UNAVAILABLE within a second; the signal's reason */
export async function readInstance(
  client: MetadataClient,
  { signal }: { readonly signal: AbortSignal },
): Promise<Instance> {
  const question = { path: '/metadata/instance/compute', apiVersion: '2021-02-01', timeoutMs: instanceMs.early };
  const { success, data, error } = InstanceSchema.safeParse(await client({ ...question, signal }));
  if (!success) throw malformed('an instance', error);
  return data;
}

const describe = ({ name, vmSize, location, zone, priority, scaleSet }: Instance): string =>
  [
    `${name}, a ${vmSize} (${priority}) in ${location}`,
    zone === undefined ? '' : `, zone ${zone}`,
    scaleSet === undefined ? '' : `, of scale set ${scaleSet}`,
  ].join('');

import { lanes, type Pool, pools } from '@captionfleet/protocol/queue-names';
import { optional, wholeNumber, withDefault } from '@captionfleet/protocol/settings';
import { z } from 'zod';
import type { PoolScalingSettings } from './pool-scaling.ts';

/** `name=number` pairs with commas between them, or one number for all names. */
function numberEach<Name extends string>(names: readonly Name[], form: string, isNumber: (value: number) => boolean) {
  return z.string().transform((text, context): Record<Name, number> => {
    const pairs = new Map(
      text.includes('=')
        ? text.split(',').map((pair) => [pair.split('=')[0], pair.slice(pair.indexOf('=') + 1)] as const)
        : names.map((name) => [name, text] as const),
    );
    const isForm = (value: string): boolean => /^\d+(?:\.\d+)?$/.test(value) && isNumber(Number(value));
    if (pairs.size !== names.length || !names.every((name) => isForm(pairs.get(name) ?? ''))) {
      context.addIssue(form);
      return z.NEVER;
    }
    return Object.fromEntries(names.map((name) => [name, Number(pairs.get(name))])) as Record<Name, number>;
  });
}

const replicas = (least: number) =>
  numberEach(
    pools,
    `must be a whole number from ${least} to 10000, or one for each pool such as cpu=10,gpu=2`,
    (value) => Number.isInteger(value) && value >= least && value <= 10_000,
  );

/** What the answers for an autoscaler are made from; docs/reference/scaling.md explains them. */
export const scalingVariables = {
  CAPTIONFLEET_SCALING_MIN_REPLICAS: withDefault(replicas(0), '0'),
  CAPTIONFLEET_SCALING_MAX_REPLICAS: withDefault(replicas(1), '10'),
  /** Seconds from the enqueueing of an image to its end that are promised. */
  CAPTIONFLEET_SCALING_SLO_SECONDS: withDefault(
    numberEach(
      lanes,
      'must be numbers of seconds such as interactive=30,bulk=3600',
      (value) => value > 0 && value <= 7 * 86_400,
    ),
    'interactive=30,bulk=3600',
  ),
  /** Seconds from the wish for a worker to its first image; not set: what workers were seen to take. */
  CAPTIONFLEET_SCALING_COLD_START_SECONDS: optional(wholeNumber(0, 86_400)),
  /** Images a second of a worker, while none has measured any. */
  CAPTIONFLEET_SCALING_ASSUMED_IMAGES_PER_SECOND: withDefault(
    numberEach(pools, 'must be a number above 0, or one for each pool such as cpu=1,gpu=40', (value) => value > 0),
    'cpu=1,gpu=20',
  ),
  /** Seconds for which fewer workers must have been enough. */
  CAPTIONFLEET_SCALING_DOWN_AFTER_SECONDS: withDefault(wholeNumber(0, 86_400), '120'),
};

export function scalingConfig(
  settings: z.infer<z.ZodObject<typeof scalingVariables>>,
  context: z.core.$RefinementCtx,
): Record<Pool, PoolScalingSettings> {
  const least = settings.CAPTIONFLEET_SCALING_MIN_REPLICAS;
  const most = settings.CAPTIONFLEET_SCALING_MAX_REPLICAS;
  if (pools.some((pool) => least[pool] > most[pool])) {
    context.addIssue({
      code: 'custom',
      path: ['CAPTIONFLEET_SCALING_MIN_REPLICAS'],
      message: 'is more than CAPTIONFLEET_SCALING_MAX_REPLICAS',
    });
  }
  const of = (pool: Pool): PoolScalingSettings => ({
    minReplicas: least[pool],
    maxReplicas: most[pool],
    sloSeconds: settings.CAPTIONFLEET_SCALING_SLO_SECONDS,
    coldStartSeconds: settings.CAPTIONFLEET_SCALING_COLD_START_SECONDS,
    assumedImagesPerSecond: settings.CAPTIONFLEET_SCALING_ASSUMED_IMAGES_PER_SECOND[pool],
    scaleDownAfterSeconds: settings.CAPTIONFLEET_SCALING_DOWN_AFTER_SECONDS,
  });
  return { cpu: of('cpu'), gpu: of('gpu') };
}

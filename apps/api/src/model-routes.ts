import { ModelIdentitySchema } from '@captionfleet/protocol/image-outcome';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { LaneSchema, lanes } from '@captionfleet/protocol/queue-names';
import { type ModelTask, modelTasks, textLimits } from '@captionfleet/protocol/task';
import { ModelCardSchema, type WorkerPresence, WorkerPresenceSchema } from '@captionfleet/protocol/worker-presence';
import type { WorkerRegister } from '@captionfleet/queue/worker-register';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { accessCodes, problems } from './openapi.ts';

export interface ModelRoutesConfig {
  /** Absent: this API does not know the workers. */
  readonly workers?: Pick<WorkerRegister, 'list'> | undefined;
  /** What the fleet is configured to have models for. */
  readonly tasks: readonly ModelTask[];
  /** Jobs that may wait in each queue. */
  readonly maxWaiting?: number | undefined;
}

const { revision, variant } = ModelIdentitySchema.shape;

/** A model as OpenAI's list has it, and what this fleet knows of it. */
const ModelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('Seconds since the epoch since which a worker has served it without a break.'),
  owned_by: z.string(),
  revision,
  variant,
  tasks: z.array(z.enum(modelTasks)),
  lanes: z.array(LaneSchema),
  ...ModelCardSchema.shape,
  workers: z.int(),
  imagesPerSecond: z
    .number()
    .optional()
    .describe('Of all its workers together, as each measured it when it last worked.'),
});
const ModelsSchema = z.object({ object: z.literal('list'), data: z.array(ModelSchema) });

const InfoSchema = z.object({
  name: z.literal('captionfleet'),
  tasks: z.array(z.enum(modelTasks)).describe('What is accepted here.'),
  lanes: z.array(LaneSchema),
  limits: z.object({
    images: z.record(z.string(), z.number()).describe('Bytes and characters at most.'),
    texts: z.record(z.string(), z.number()),
    maxWaiting: z.int().optional().describe('Images that may wait in each queue.'),
    waitSeconds: z.int().describe('The longest `Prefer: wait`.'),
  }),
  models: z.array(ModelSchema),
  workers: z.array(WorkerPresenceSchema.omit({ card: true })),
});

const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { 'application/json': { schema } },
});

/** `/v1/models` and `/info`: what is served, by what workers that are alive say of themselves. */
export const modelRoutes: FastifyPluginCallbackZod<ModelRoutesConfig> = (app, config, done) => {
  const listWorkers = async () => (await config.workers?.list()) ?? [];

  app.get(
    '/v1/models',
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId: 'listModels',
        summary: 'The models that workers serve now, with their cards',
        response: {
          200: json("A list in the form of OpenAI's.", ModelsSchema),
          ...problems(...accessCodes, 'QUEUE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async () => ({ object: 'list' as const, data: modelsOf(await listWorkers()) }),
  );

  app.get(
    '/info',
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId: 'getInfo',
        summary: 'What this fleet can do, how much it takes, and how fast it is',
        response: {
          200: json('Models, limits and workers.', InfoSchema),
          ...problems(...accessCodes, 'QUEUE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async () => {
      const workers = await listWorkers();
      return {
        name: 'captionfleet' as const,
        tasks: [...config.tasks],
        lanes: [...lanes],
        limits: { images: imageLimits, texts: textLimits, maxWaiting: config.maxWaiting, waitSeconds: 60 },
        models: modelsOf(workers),
        workers: workers.map(({ card: _, ...worker }) => worker),
      };
    },
  );
  done();
};

/** One entry for each model, revision and variant. */
export function modelsOf(workers: readonly WorkerPresence[]): z.infer<typeof ModelSchema>[] {
  const groups = Map.groupBy(workers, ({ model }) => `${model.id}@${model.revision} ${model.variant}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { id, ...identity } = first.model;
    const rates = group.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
    const since = Math.min(...group.map(({ readySince }) => Date.parse(readySince)));
    return {
      id,
      object: 'model' as const,
      created: Math.floor(since / 1_000),
      owned_by: id.includes('/') ? (id.split('/')[0] ?? id) : 'captionfleet',
      ...identity,
      tasks: unique(group.flatMap(({ tasks }) => tasks)),
      lanes: unique(group.flatMap((worker) => worker.lanes)),
      ...first.card,
      workers: group.length,
      ...(rates.length === 0 ? {} : { imagesPerSecond: round(rates.reduce((sum, rate) => sum + rate, 0)) }),
    };
  });
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];
const round = (rate: number): number => Math.round(rate * 100) / 100;

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import { type RequestRecord, type RequestStatus, RequestStatusSchemas } from '@captionfleet/protocol/image-outcome';
import { headOf, type TaskType, taskTypes } from '@captionfleet/protocol/task';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problems } from './openapi.ts';
import { followRequest, isFinished, statusDocument } from './request-status.ts';
import { type SubmissionConfig, submit } from './submission.ts';
import { taskOf, taskRequestSchemas } from './task-request.ts';
import { Waiters } from './waiters.ts';

export interface TaskRoutesConfig extends SubmissionConfig {
  /** Callers that may wait for their results at a time; more get their 202 at once. */
  readonly maxWaiters: number;
  readonly publicUrl: string | undefined;
}

const maxWaitSeconds = 60;
const pollSeconds = 1;

const PreferHeaderSchema = z.looseObject({
  prefer: z
    .string()
    .optional()
    .describe(`"wait=N" (RFC 7240) keeps the answer back for up to N seconds, ${maxWaitSeconds} at most.`),
});

interface TaskRoute {
  readonly path: `/v1/${string}`;
  /** Names of the operations in the OpenAPI document. */
  readonly operations: { readonly create: string; readonly get: string };
  readonly summaries: { readonly create: string; readonly get: string };
}

const taskRouteTable: Readonly<Record<TaskType, TaskRoute>> = {
  caption: {
    path: '/v1/captions',
    operations: { create: 'createCaptions', get: 'getCaptions' },
    summaries: { create: 'Caption images', get: 'The captions of a request, or how far they are' },
  },
  match: {
    path: '/v1/match',
    operations: { create: 'createMatches', get: 'getMatches' },
    summaries: {
      create: 'Say how well texts go with images',
      get: 'The matches of a request, or how far they are',
    },
  },
  embed: {
    path: '/v1/embed',
    operations: { create: 'createEmbeddings', get: 'getEmbeddings' },
    summaries: {
      create: 'Turn images and texts into vectors that can be compared',
      get: 'The embeddings of a request, or how far they are',
    },
  },
  answer: {
    path: '/v1/answer',
    operations: { create: 'createAnswers', get: 'getAnswers' },
    summaries: { create: 'Answer questions about images', get: 'The answers of a request, or how far they are' },
  },
};

/** For every task `POST /v1/{task}` and `GET /v1/{task}/{id}`, which differ in what they ask and in nothing else. */
export const taskRoutes: FastifyPluginCallbackZod<TaskRoutesConfig> = (app, config, done) => {
  const producers = config.tasks.map((head) => config.queues.interactive[head].producer);
  // A request of the bulk lane is looked at once a second: its callers gain little by events, which are many.
  const waiters = new Waiters(producers, config.maxWaiters);
  app.addHook('preClose', async () => waiters[Symbol.dispose]());
  for (const type of taskTypes) addTaskRoutes(app, config, waiters, type);
  done();
};

type App = Parameters<FastifyPluginCallbackZod>[0];

function addTaskRoutes(app: App, config: TaskRoutesConfig, waiters: Waiters, type: TaskType): void {
  const { requests } = config;
  const { path, operations, summaries } = taskRouteTable[type];
  const producerOf = ({ lane }: RequestRecord): JobProducer => config.queues[lane][headOf[type]].producer;

  app.post(
    path,
    {
      schema: {
        operationId: operations.create,
        summary: summaries.create,
        description:
          'Accepts 1 to 64 images. An image that is refused at the door fails alone; when all are, so is the request.',
        headers: PreferHeaderSchema,
        body: taskRequestSchemas[type],
        response: {
          200: statusResponse(type, 'Finished in the time that `Prefer: wait` gave.'),
          202: statusResponse(type, 'Accepted: poll `Operation-Location`.'),
          ...problems(
            'REQUEST_INVALID',
            'OPTION_INVALID',
            'REQUEST_TOO_LARGE',
            'MEDIA_TYPE_UNSUPPORTED',
            'TASK_UNSUPPORTED',
            'IMAGES_REFUSED',
            'QUEUE_FULL',
            'QUEUE_UNAVAILABLE',
            'STORAGE_UNAVAILABLE',
            'INTERNAL',
          ),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const { tenant } = request.principal;
      const { images, lane } = request.body;
      const record = await submit({ tenant, task: taskOf(type, request.body), lane, images }, config, signal);
      request.log.info({ acceptedRequestId: record.id, tenant, task: type, images: images.length }, 'accepted');

      const location = `${path}/${record.id}`;
      reply
        .header('location', location)
        .header('operation-location', `${baseUrl(request, config.publicUrl)}${location}`);
      const seconds = preferredWait(request, reply);
      const status =
        seconds === 0
          ? statusDocument(record, new Map(), new Map())
          : await waiters.wait(record, followRequest(record, requests.of(tenant), producerOf(record)), {
              seconds,
              signal,
            });
      return sendStatus(reply, isFinished(status) ? 200 : 202, status);
    },
  );

  app.get(
    `${path}/:id`,
    {
      schema: {
        operationId: operations.get,
        summary: summaries.get,
        headers: PreferHeaderSchema,
        params: z.object({ id: z.string().describe('The `id` of a request.') }),
        response: {
          200: statusResponse(type, 'The status of the request and of each image.'),
          ...problems('NOT_FOUND', 'QUEUE_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const own = requests.of(request.principal.tenant);
      const record = await findRecord(request.params.id, type, own, signal);
      const seconds = preferredWait(request, reply);
      const follow = followRequest(record, own, producerOf(record));
      return sendStatus(reply, 200, await waiters.wait(record, follow, { seconds, signal }));
    },
  );
}

const statusResponse = (type: TaskType, description: string) => ({
  description,
  content: { 'application/json': { schema: RequestStatusSchemas[type] } },
});

async function findRecord(
  text: string,
  type: TaskType,
  requests: RequestStore,
  signal: AbortSignal,
): Promise<RequestRecord> {
  const id = RequestIdSchema.safeParse(text);
  const record = id.success ? await requests.readRequest(id.data, { signal }) : undefined;
  if (record === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no request of this id');
  const { path } = taskRouteTable[record.task.type];
  if (record.task.type === type) return record;
  throw new CaptionfleetError('NOT_FOUND', `the request of this id is at ${path}/${record.id}`);
}

function sendStatus(reply: FastifyReply, statusCode: 200 | 202, status: RequestStatus): FastifyReply {
  if (!isFinished(status)) reply.header('retry-after', pollSeconds);
  return reply.code(statusCode).header('cache-control', 'no-store').type('application/json').send(status);
}

/** Seconds of `Prefer: wait=N`, 0 without; says in the answer what was applied. */
function preferredWait(request: FastifyRequest, reply: FastifyReply): number {
  const wished = /(?:^|[,;])\s*wait\s*=\s*"?(\d+)"?\s*(?:$|[,;])/i.exec(
    request.headers['prefer']?.toString() ?? '',
  )?.[1];
  if (wished === undefined) return 0;
  const seconds = Math.min(Number(wished), maxWaitSeconds);
  reply.header('preference-applied', `wait=${seconds}`);
  return seconds;
}

/** Where the caller reaches this API; empty, which leaves the path relative, when the Host header is none. */
function baseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  return publicUrl ?? URL.parse(`${request.protocol}://${request.host}`)?.origin ?? '';
}

/** A signal that aborts when the caller goes away before it has its answer. */
function whileConnected(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the caller went away'));
  });
  return controller.signal;
}

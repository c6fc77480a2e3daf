import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import { type RequestRecord, RequestStatusSchemas } from '@captionfleet/protocol/image-outcome';
import { type TaskType, taskTypes } from '@captionfleet/protocol/task';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { addCancelRoute } from './cancel-route.ts';
import { CancelAfterSchema, deadlineOf } from './deadline.ts';
import { addEventsRoute } from './events-route.ts';
import { type Repeatable, submitOnce } from './idempotent-submission.ts';
import { IdParamsSchema, type OpenRequest } from './open-request.ts';
import { accessCodes, problems } from './openapi.ts';
import { ListingQuerySchema, ListingSchema, listRequests } from './request-listing.ts';
import { followRequest, isFinished, statusDocument } from './request-status.ts';
import { sendStatus } from './send-status.ts';
import { producerOf, type SubmissionConfig, submit } from './submission.ts';
import { type TaskBody, taskOf, taskRequestSchemas } from './task-request.ts';
import { Waiters } from './waiters.ts';
import { whileConnected } from './while-connected.ts';

export interface TaskRoutesConfig extends SubmissionConfig {
  /** Callers that may wait for their results at a time; more get their 202 at once. */
  readonly maxWaiters: number;
  /** Event streams that may be open at a time; more are refused. @defaultValue 256 */
  readonly maxStreams?: number;
  readonly publicUrl: string | undefined;
}

const maxWaitSeconds = 60;

const PreferHeaderSchema = z.looseObject({
  prefer: z
    .string()
    .optional()
    .describe(`"wait=N" (RFC 7240) keeps the answer back for up to N seconds, ${maxWaitSeconds} at most.`),
});

const PutHeadersSchema = PreferHeaderSchema.extend({ 'cancel-after': CancelAfterSchema });

const SubmitHeadersSchema = PutHeadersSchema.extend({
  'idempotency-key': z
    .string()
    .regex(/^(?:"[\x20-\x7e]{1,255}"|[\x20-\x7e]{1,255})$/, 'must have 1 to 255 printable ASCII characters')
    .transform((key) => /^"(.+)"$/.exec(key)?.[1] ?? key)
    .optional()
    .describe(
      'A name of this request among those of the caller, in quotes or without. Sent again with the same body it answers with the status of now and `Idempotent-Replayed: true`; with another body it is 409.',
    ),
});

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

interface TaskRoute {
  readonly path: `/v1/${string}`;
  /** Names of the operations in the OpenAPI document. */
  readonly operations: {
    readonly create: string;
    readonly put: string;
    readonly list: string;
    readonly get: string;
    readonly cancel: string;
    readonly events: string;
  };
  readonly summaries: { readonly create: string; readonly list: string; readonly get: string };
}

const taskRouteTable: Readonly<Record<TaskType, TaskRoute>> = {
  caption: {
    path: '/v1/captions',
    operations: {
      create: 'createCaptions',
      put: 'putCaptions',
      list: 'listCaptions',
      get: 'getCaptions',
      cancel: 'cancelCaptions',
      events: 'streamCaptions',
    },
    summaries: {
      create: 'Caption images',
      list: 'The requests for captions',
      get: 'The captions of a request, or how far they are',
    },
  },
  match: {
    path: '/v1/match',
    operations: {
      create: 'createMatches',
      put: 'putMatches',
      list: 'listMatches',
      get: 'getMatches',
      cancel: 'cancelMatches',
      events: 'streamMatches',
    },
    summaries: {
      create: 'Say how well texts go with images',
      list: 'The requests for matches',
      get: 'The matches of a request, or how far they are',
    },
  },
  embed: {
    path: '/v1/embed',
    operations: {
      create: 'createEmbeddings',
      put: 'putEmbeddings',
      list: 'listEmbeddings',
      get: 'getEmbeddings',
      cancel: 'cancelEmbeddings',
      events: 'streamEmbeddings',
    },
    summaries: {
      create: 'Turn images and texts into vectors that can be compared',
      list: 'The requests for embeddings',
      get: 'The embeddings of a request, or how far they are',
    },
  },
  answer: {
    path: '/v1/answer',
    operations: {
      create: 'createAnswers',
      put: 'putAnswers',
      list: 'listAnswers',
      get: 'getAnswers',
      cancel: 'cancelAnswers',
      events: 'streamAnswers',
    },
    summaries: {
      create: 'Answer questions about images',
      list: 'The requests for answers',
      get: 'The answers of a request, or how far they are',
    },
  },
};

/** For every task `POST /v1/{task}` and `GET /v1/{task}/{id}`, which differ in what they ask and in nothing else. */
export const taskRoutes: FastifyPluginCallbackZod<TaskRoutesConfig> = (app, config, done) => {
  const producers = config.tasks.map((head) => config.queues.interactive[head].producer);
  // A request of the bulk lane is looked at once a second: its callers gain little by events, which are many.
  const waiters = new Waiters(producers, config.maxWaiters);
  const streams = new Waiters(producers, config.maxStreams ?? 256);
  app.addHook('preClose', async () => {
    waiters[Symbol.dispose]();
    streams[Symbol.dispose]();
  });
  for (const type of taskTypes) addTaskRoutes(app, config, { waiters, streams }, type);
  done();
};

type App = Parameters<FastifyPluginCallbackZod>[0];

function addTaskRoutes(
  app: App,
  config: TaskRoutesConfig,
  { waiters, streams }: { readonly waiters: Waiters; readonly streams: Waiters },
  type: TaskType,
): void {
  const { requests, queues } = config;
  const { path, operations, summaries } = taskRouteTable[type];
  const about = 'An image that is refused at the door fails alone; when all are, so is the request.';
  const response = {
    200: statusResponse(type, 'Finished in the time that `Prefer: wait` gave, or before.'),
    202: statusResponse(type, 'Accepted: poll `Operation-Location`.'),
    ...problems(
      ...accessCodes,
      'REQUEST_INVALID',
      'OPTION_INVALID',
      'REQUEST_TOO_LARGE',
      'MEDIA_TYPE_UNSUPPORTED',
      'TASK_UNSUPPORTED',
      'URL_REFUSED',
      'IMAGES_REFUSED',
      'IDEMPOTENCY_CONFLICT',
      'QUEUE_FULL',
      'DEADLINE_UNREACHABLE',
      'QUEUE_UNAVAILABLE',
      'INTERNAL',
    ),
  };

  const open: OpenRequest = async ({ principal, params }, signal) => {
    const own = requests.of(principal.tenant);
    const record = await findRecord(IdParamsSchema.parse(params).id, type, own, signal);
    return { record, requests: own, look: followRequest(record, own, producerOf(record, queues)) };
  };

  /** Submits what a route was sent, and answers with where it is and how far. */
  const accept = async (
    { request, reply }: Exchange,
    body: TaskBody & { readonly cancelAfter: number | undefined },
    repeatable: Repeatable | undefined,
  ): Promise<FastifyReply> => {
    const signal = whileConnected(reply);
    const { tenant } = request.principal;
    const { cancelAfter, ...asked } = body;
    const { lane, images, webhook } = asked;
    const submission = { tenant, task: taskOf(type, asked), lane, images, deadline: deadlineOf(body), webhook };
    const { record, replayed } =
      repeatable === undefined
        ? { record: await submit(submission, config, signal), replayed: false }
        : await submitOnce(submission, repeatable, config, signal);
    const facts = { acceptedRequestId: record.id, tenant, task: type, images: record.images.length };
    request.log.info(facts, replayed ? 'accepted before' : 'accepted');

    const location = `${path}/${record.id}`;
    reply.header('location', location).header('operation-location', `${baseUrl(request, config.publicUrl)}${location}`);
    if (replayed) reply.header('idempotent-replayed', 'true');
    const seconds = preferredWait(request, reply);
    const follow = followRequest(record, requests.of(tenant), producerOf(record, queues));
    const status =
      seconds === 0 && !replayed
        ? statusDocument(record, new Map(), new Map())
        : await waiters.wait(record, follow, { seconds, signal });
    return sendStatus(reply, isFinished(status) ? 200 : 202, status);
  };

  app.post(
    path,
    {
      config: { scope: 'captions:write' },
      schema: {
        operationId: operations.create,
        summary: summaries.create,
        description: `Accepts 1 to 64 images. ${about}`,
        headers: SubmitHeadersSchema,
        body: taskRequestSchemas[type],
        response,
      },
    },
    async (request, reply) => {
      const { 'idempotency-key': key, 'cancel-after': cancelAfter } = request.headers;
      const body = { ...request.body, cancelAfter };
      return await accept({ request, reply }, body, key === undefined ? undefined : { key });
    },
  );

  app.put(
    `${path}/:id`,
    {
      config: { scope: 'captions:write' },
      schema: {
        operationId: operations.put,
        summary: `${summaries.create}, under an id of the caller's`,
        description: `Accepts 1 to 64 images, once: sent again it answers with the status of now. ${about}`,
        headers: PutHeadersSchema,
        params: z.object({ id: RequestIdSchema.describe('A ULID in lower case, new for each request.') }),
        body: taskRequestSchemas[type],
        response,
      },
    },
    async (request, reply) => {
      const body = { ...request.body, cancelAfter: request.headers['cancel-after'] };
      return await accept({ request, reply }, body, { id: request.params.id });
    },
  );

  app.get(
    path,
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId: operations.list,
        summary: `${summaries.list}, newest first`,
        description:
          'Each request of a page costs the fleet one read and one listing; a filter by status costs as much for each request that it passes over.',
        querystring: ListingQuerySchema,
        response: {
          200: { description: 'A page.', content: { 'application/json': { schema: ListingSchema } } },
          ...problems(...accessCodes, 'REQUEST_INVALID', 'QUEUE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async (request, reply) => {
      const source = { requests: requests.of(request.principal.tenant), queues };
      const listing = await listRequests(type, request.query, source, whileConnected(reply));
      return reply.header('cache-control', 'no-store').type('application/json').send(listing);
    },
  );

  app.get(
    `${path}/:id`,
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId: operations.get,
        summary: summaries.get,
        headers: PreferHeaderSchema,
        params: IdParamsSchema,
        response: {
          200: statusResponse(type, 'The status of the request and of each image.'),
          ...problems(...accessCodes, 'NOT_FOUND', 'QUEUE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const { record, look } = await open(request, signal);
      const seconds = preferredWait(request, reply);
      return sendStatus(reply, 200, await waiters.wait(record, look, { seconds, signal }));
    },
  );
  addCancelRoute(app, { path, operationId: operations.cancel, schema: RequestStatusSchemas[type], open });
  addEventsRoute(app, { path, operationId: operations.events, open, streams });
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
export function baseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  return publicUrl ?? URL.parse(`${request.protocol}://${request.host}`)?.origin ?? '';
}

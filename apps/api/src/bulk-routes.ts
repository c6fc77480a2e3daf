import { Readable } from 'node:stream';
import { bulkLimits } from '@captionfleet/protocol/bulk-request';
import { CustomIdSchema } from '@captionfleet/protocol/custom-id';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import { ErrorReportSchema } from '@captionfleet/protocol/image-outcome';
import type { Task, TaskType } from '@captionfleet/protocol/task';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { chunksOf, chunksOfAll, linesOf, splitFirstLine } from './bulk-lines.ts';
import { BulkDocumentSchema, bulkAskedSchemas } from './bulk-request.ts';
import { BulkStatusSchema, type EndedItem, openBulk } from './bulk-status.ts';
import { type BulkConfig, BulkUpload, type ItemAnswer, uploadAll } from './bulk-upload.ts';
import { accessCodes, problems } from './openapi.ts';
import { Permits } from './permits.ts';
import { parseBody } from './problem.ts';
import { baseUrl } from './task-routes.ts';
import { whileConnected } from './while-connected.ts';

export interface BulkRoutesConfig extends BulkConfig {
  readonly publicUrl: string | undefined;
}

/** Uploads at a time in this process; each holds three chunks of at most 9 MiB. */
const uploadsAtOnce = 32;
/** Bytes of answers that are kept for a caller which reads none of them before it has sent everything. */
const unreadBytes = 16 * 1024 * 1024;
const pollSeconds = 2;

const jsonLines = ['application/x-ndjson', 'application/jsonl', 'application/jsonlines'] as const;

const ItemAnswerSchema = z.object({
  index: z.int().describe('Position among all items, from 0.'),
  custom_id: CustomIdSchema.optional(),
  status: z.enum(['accepted', 'duplicate', 'refused']),
  error: ErrorReportSchema.optional(),
});
const countsSchema = z.object({ accepted: z.int(), duplicate: z.int(), refused: z.int() });
const BulkAcceptedSchema = z.object({ id: RequestIdSchema, counts: countsSchema, items: z.array(ItemAnswerSchema) });

const bulkRouteTable = {
  caption: { path: '/v1/bulk/captions', operationId: 'createBulkCaptions', summary: 'Caption a great many images' },
  match: { path: '/v1/bulk/match', operationId: 'createBulkMatches', summary: 'Match a great many images with texts' },
  embed: { path: '/v1/bulk/embed', operationId: 'createBulkEmbeddings', summary: 'Embed a great many images' },
  answer: { path: '/v1/bulk/answer', operationId: 'createBulkAnswers', summary: 'Ask a great many images' },
} as const satisfies Record<TaskType, object>;

/** `POST /v1/bulk/{task}` takes items as they come; the routes under `/v1/bulk/{id}` tell what becomes of them. */
export const bulkRoutes: FastifyPluginCallbackZod<BulkRoutesConfig> = (app, config, done) => {
  const uploads = new Permits(uploadsAtOnce);
  // Read by the handler, line by line.
  app.addContentTypeParser([...jsonLines], (_request, payload, parsed) => parsed(null, payload));

  for (const [type, { path, operationId, summary }] of Object.entries(bulkRouteTable)) {
    const response = {
      202: {
        description: 'What became of each item: one document for a document, a line for a line.',
        content: { 'application/json': { schema: BulkAcceptedSchema }, 'application/x-ndjson': { schema: z.string() } },
      },
      ...problems(
        ...accessCodes,
        'REQUEST_INVALID',
        'OPTION_INVALID',
        'REQUEST_TOO_LARGE',
        'MEDIA_TYPE_UNSUPPORTED',
        'TASK_UNSUPPORTED',
        'QUEUE_FULL',
        'QUEUE_UNAVAILABLE',
        'INTERNAL',
      ),
    };
    const description = `As \`application/json\` up to ${bulkLimits.documentItems} items, as \`application/x-ndjson\` up to ${bulkLimits.items} lines, each answered when it is safe.`;
    app.post(
      path,
      { config: { scope: 'captions:write' }, schema: { operationId, summary, description, response } },
      async (request, reply) => {
        using permit = uploads.tryAcquire();
        if (permit === undefined)
          throw new CaptionfleetError('QUEUE_FULL', `${uploadsAtOnce} bulk uploads are under way`);
        const exchange = { request, reply, type: type as TaskType };
        await (request.body instanceof Readable
          ? acceptLines(exchange, request.body, config)
          : acceptDocument(exchange, config));
        return reply;
      },
    );
  }

  const params = z.object({ id: z.string().describe('The `id` of a bulk request.') });
  const failures = problems(...accessCodes, 'NOT_FOUND', 'QUEUE_UNAVAILABLE', 'INTERNAL');
  const open = (request: FastifyRequest, id: string, signal: AbortSignal) =>
    openBulk(request.principal.tenant, id, config, signal);
  const status = { description: 'How far it is.', content: { 'application/json': { schema: BulkStatusSchema } } };

  app.get(
    '/v1/bulk/:id',
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId: 'getBulk',
        summary: 'How far a bulk request is',
        params,
        response: { 200: status, ...failures },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const answer = await (await open(request, request.params.id, signal)).status(signal);
      if (['receiving', 'running'].includes(answer.status)) reply.header('retry-after', pollSeconds);
      return reply.header('cache-control', 'no-store').type('application/json').send(answer);
    },
  );

  app.post(
    '/v1/bulk/:id/cancel',
    {
      config: { scope: 'captions:write' },
      schema: {
        operationId: 'cancelBulk',
        summary: 'Begin none of the items that have not begun',
        params,
        response: { 200: status, ...failures },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const bulk = await open(request, request.params.id, signal);
      await bulk.cancel(signal);
      return reply
        .header('cache-control', 'no-store')
        .type('application/json')
        .send(await bulk.status(signal));
    },
  );

  app.get(
    '/v1/bulk/:id/results',
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId: 'getBulkResults',
        summary: 'What has become of the items that have ended, a line each',
        params,
        response: {
          200: {
            description: 'In the order of the items.',
            content: { 'application/x-ndjson': { schema: z.string() } },
          },
          ...failures,
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const bulk = await open(request, request.params.id, signal);
      reply.header('cache-control', 'no-store').type('application/x-ndjson').serializer(String);
      const lines: unknown = Readable.from(resultLines(bulk.ended(signal)), { objectMode: false });
      return reply.send(lines as string);
    },
  );
  done();
};

interface BulkExchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly type: TaskType;
}

async function acceptDocument({ request, reply, type }: BulkExchange, config: BulkRoutesConfig): Promise<void> {
  const { items, ...rest } = parseBody(BulkDocumentSchema, request.body);
  const asked = parseBody(bulkAskedSchemas[type], rest);
  const upload = open({ request, type }, asked, config);
  const answers: ItemAnswer[] = [];
  for await (const some of uploadAll(upload, chunksOfAll(items), whileConnected(reply))) answers.push(...some);
  announce({ request, reply, type }, upload, config);
  reply.code(202).type('application/json');
  reply.send({ id: upload.id, counts: upload.counts, items: answers.map(answerDocument) });
}

/** Begins to answer with the first answers, so that an upload which cannot begin has a status of its own. */
async function acceptLines(
  { request, reply, type }: BulkExchange,
  body: Readable,
  config: BulkRoutesConfig,
): Promise<void> {
  // A refused upload is read to its end: a caller that is still sending would not see the answer of a closed connection.
  const source = body.iterator({ destroyOnReturn: false });
  const { promise, resolve } = Promise.withResolvers<void>();
  reply.raw.once('close', resolve);
  try {
    const { asked, rest } = await splitFirstLine(linesOf(source));
    const upload = open({ request, type }, parseBody(bulkAskedSchemas[type], asked ?? {}), config);
    const answers = uploadAll(upload, chunksOf(rest), whileConnected(reply));
    const first = await answers.next();
    announce({ request, reply, type }, upload, config);
    reply.code(202).header('cache-control', 'no-store').type('application/x-ndjson').serializer(String);
    const lines = answerLines(first, answers, upload);
    reply.send(Readable.from(lines, { objectMode: false, highWaterMark: unreadBytes }));
    await promise;
  } finally {
    body.resume();
  }
}

function open({ request, type }: Pick<BulkExchange, 'request' | 'type'>, asked: object, config: BulkRoutesConfig) {
  return new BulkUpload({ tenant: request.principal.tenant, task: { type, ...asked } as Task }, config);
}

function announce({ request, reply, type }: BulkExchange, upload: BulkUpload, config: BulkRoutesConfig): void {
  const location = `/v1/bulk/${upload.id}`;
  const { tenant } = request.principal;
  request.log.info({ acceptedBulkId: upload.id, tenant, task: type }, 'bulk request begun');
  reply.header('location', location).header('operation-location', `${baseUrl(request, config.publicUrl)}${location}`);
}

/** The lines of an answer. What ends an upload early is its last line: the status was sent long before. */
async function* answerLines(
  first: IteratorResult<readonly ItemAnswer[]>,
  answers: AsyncGenerator<readonly ItemAnswer[]>,
  upload: BulkUpload,
): AsyncGenerator<string> {
  try {
    for (let next = first; next.done !== true; next = await answers.next()) {
      if (next.value.length > 0)
        yield next.value.map((answer) => `${JSON.stringify(answerDocument(answer))}\n`).join('');
    }
    yield `${JSON.stringify({ id: upload.id, status: 'complete', counts: upload.counts })}\n`;
  } catch (error) {
    const last = { id: upload.id, status: 'broken off', counts: upload.counts, error: reportError(error) };
    yield `${JSON.stringify(last)}\n`;
  } finally {
    // A caller that went away ends this generator; the upload ends with it.
    await answers.return(undefined);
  }
}

const answerDocument = ({ index, customId, ...answer }: ItemAnswer) => ({
  index,
  ...(customId === undefined ? {} : { custom_id: customId }),
  ...answer,
});

async function* resultLines(ended: AsyncIterable<readonly EndedItem[]>): AsyncGenerator<string> {
  for await (const items of ended) {
    const lines = items.map(({ index, customId, outcome }) =>
      JSON.stringify({ index, ...(customId === undefined ? {} : { custom_id: customId }), ...outcome }),
    );
    if (lines.length > 0) yield `${lines.join('\n')}\n`;
  }
}

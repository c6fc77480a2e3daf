import { BatchIdSchema, type BatchRecord, batchEndpoints, FileIdSchema } from '@captionfleet/protocol/batch';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BatchConfig } from './batch-driver.ts';
import { describeBatch } from './batch-status.ts';
import { pageOf, pageQuery, readPage } from './cursor-page.ts';
import { BatchSchema, CreateBatchSchema } from './openai-contract.ts';
import { sendOpenAiError } from './openai-error.ts';
import { openAiErrors } from './openai-responses.ts';
import { asFleetError, logRefusal, RefusedRequest } from './problem.ts';
import { newRequestId } from './request-id.ts';
import { assertServed } from './submission.ts';
import { whileConnected } from './while-connected.ts';

export interface BatchRoutesConfig extends BatchConfig {
  /** Called when a batch was made or cancelled. */
  readonly nudgeBatches: () => void;
  /** Milliseconds after which a batch expires. @defaultValue a day */
  readonly batchWindowMs?: number;
}

const dayMs = 24 * 60 * 60 * 1000;
const json = (description: string, schema: z.ZodType) => ({ description, content: { 'application/json': { schema } } });

/** Batches as OpenAI's clients make, follow and cancel them. */
export const batchRoutes: FastifyPluginCallbackZod<BatchRoutesConfig> = (app, config, done) => {
  const { batches, requests, nudgeBatches, batchWindowMs = dayMs } = config;
  const access = { config: { scope: 'batches' } } as const;
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = asFleetError(thrown);
    logRefusal(error, request, reply);
    return sendOpenAiError(reply, error);
  });

  const find = async (tenant: Tenant, text: string, signal: AbortSignal): Promise<BatchRecord> => {
    const id = BatchIdSchema.safeParse(text);
    const record = id.success ? await batches.find(tenant, id.data.slice('batch_'.length), { signal }) : undefined;
    if (record === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no batch of this id');
    return record;
  };
  const describe = async (record: BatchRecord, signal: AbortSignal) =>
    await describeBatch(record, await batches.readMarks(record, { signal }), requests.of(record.tenant), signal);

  app.post(
    '/v1/batches',
    {
      ...access,
      schema: {
        operationId: 'createBatch',
        summary: 'Work through the lines of a file',
        body: CreateBatchSchema,
        response: {
          200: json('It is validated and worked through from here on.', BatchSchema),
          ...openAiErrors('REQUEST_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED', 'TASK_UNSUPPORTED', 'NOT_FOUND'),
        },
      },
    },
    async (request, reply) => {
      const { input_file_id: fileId, endpoint, metadata } = request.body;
      const { tenant } = request.principal;
      assertServed({ type: batchEndpoints[endpoint] }, config.tasks);
      const files = config.files(tenant);
      const id = newRequestId();
      const signal = whileConnected(reply);
      const inputFileId = FileIdSchema.safeParse(fileId);
      const file = inputFileId.success ? await files.use(inputFileId.data, id, { signal }) : undefined;
      if (file === undefined) throw wrongFile('NOT_FOUND', 'there is no file of this id');
      if (file.purpose !== 'batch') {
        await files.endUse(file.id, id, { signal });
        throw wrongFile('REQUEST_INVALID', `input_file_id: the file has the purpose ${file.purpose}, not batch`);
      }
      const now = Date.now();
      const record: BatchRecord = {
        version: 1,
        tenant,
        id,
        inputFileId: file.id,
        inputBytes: file.bytes,
        endpoint,
        createdAt: new Date(now).toISOString(),
        expiresAt: new Date(now + batchWindowMs).toISOString(),
        ...(metadata == null ? {} : { metadata }),
      };
      // Not the caller's signal: what is begun is made, or the file would stay in use for a batch that is not there.
      await batches.open(record);
      request.log.info({ batch: id, tenant, endpoint }, 'batch made');
      nudgeBatches();
      return reply.type('application/json').send(await describe(record, signal));
    },
  );

  app.get(
    '/v1/batches',
    {
      ...access,
      schema: {
        operationId: 'listBatches',
        summary: 'The batches, newest first',
        querystring: z.strictObject({
          after: BatchIdSchema.optional().describe('The last id of the page before.'),
          ...pageQuery,
        }),
        response: { 200: json('A page of them.', pageOf(BatchSchema)), ...openAiErrors() },
      },
    },
    async (request, reply) => {
      const { tenant } = request.principal;
      const signal = whileConnected(reply);
      const page = await readPage(
        {
          list: (options) => batches.listIds(tenant, options),
          after: request.query.after?.slice('batch_'.length),
          limit: request.query.limit,
          find: async (id) => {
            const record = await batches.find(tenant, id, { signal });
            return record === undefined ? undefined : await describe(record, signal);
          },
        },
        signal,
      );
      return reply.header('cache-control', 'no-store').type('application/json').send(page);
    },
  );

  const params = z.object({ id: z.string().describe('The `id` of a batch.') });
  app.get(
    '/v1/batches/:id',
    {
      ...access,
      schema: {
        operationId: 'getBatch',
        summary: 'How far a batch is',
        params,
        response: { 200: json('The batch.', BatchSchema), ...openAiErrors('NOT_FOUND') },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const record = await find(request.principal.tenant, request.params.id, signal);
      return reply
        .header('cache-control', 'no-store')
        .type('application/json')
        .send(await describe(record, signal));
    },
  );

  app.post(
    '/v1/batches/:id/cancel',
    {
      ...access,
      schema: {
        operationId: 'cancelBatch',
        summary: 'Begin none of the lines that have not begun',
        params,
        response: {
          200: json('It is `cancelling`, and soon `cancelled`.', BatchSchema),
          ...openAiErrors('NOT_FOUND', 'BATCH_ENDED'),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const record = await find(request.principal.tenant, request.params.id, signal);
      const { ended } = await batches.readMarks(record, { signal });
      if (ended !== undefined && ended.status !== 'cancelled') {
        throw new CaptionfleetError('BATCH_ENDED', `the batch is ${ended.status}`);
      }
      await batches.mark(record, 'cancelling', {}, { signal });
      nudgeBatches();
      return reply
        .header('cache-control', 'no-store')
        .type('application/json')
        .send(await describe(record, signal));
    },
  );
  done();
};

const wrongFile = (code: 'NOT_FOUND' | 'REQUEST_INVALID', message: string): CaptionfleetError =>
  new RefusedRequest(code, message, [{ pointer: '/input_file_id', code, message }]);

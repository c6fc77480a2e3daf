import { Readable } from 'node:stream';
import { batchLimits, type FileId, FileIdSchema, type StoredFile } from '@captionfleet/protocol/batch';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { FileStore, StagedFile } from '@captionfleet/storage/file-store';
import multipart, { type Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { pageOf, pageQuery, readPage } from './cursor-page.ts';
import { DeletedFileSchema, type FileDocument, FileSchema } from './openai-contract.ts';
import { sendOpenAiError } from './openai-error.ts';
import { openAiErrors } from './openai-responses.ts';
import { Permits } from './permits.ts';
import { asFleetError, logRefusal, RefusedRequest } from './problem.ts';
import { newRequestId } from './request-id.ts';
import { whileConnected } from './while-connected.ts';

export interface FileRoutesConfig {
  readonly files: (tenant: Tenant) => FileStore;
}

const limits = {
  /** Uploads at a time in this process; each holds a few MiB. */
  uploads: 32,
  fields: 8,
  fieldBytes: 1_024,
  nameLength: 255,
  rangeBytes: 4 * 1024 * 1024,
} as const;

const purposeForm = 'must be "batch"';

const describe = ({ id, bytes, createdAt, filename, purpose }: StoredFile): FileDocument => ({
  id,
  object: 'file',
  bytes,
  created_at: Math.floor(Date.parse(createdAt) / 1000),
  filename,
  purpose,
  status: 'processed',
});

const json = (description: string, schema: z.ZodType) => ({ description, content: { 'application/json': { schema } } });

/** The input and output files of batches, as OpenAI's clients send and fetch them. */
export const fileRoutes: FastifyPluginAsyncZod<FileRoutesConfig> = async (app, config) => {
  const uploads = new Permits(limits.uploads);
  const access = { config: { scope: 'batches' } } as const;
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = asFileError(thrown);
    logRefusal(error, request, reply);
    return sendOpenAiError(reply, error);
  });
  await app.register(multipart, {
    limits: {
      fileSize: batchLimits.fileBytes,
      files: 1,
      fields: limits.fields,
      parts: limits.fields + 1,
      fieldSize: limits.fieldBytes,
    },
  });

  const find = async (tenant: Tenant, text: string, signal: AbortSignal): Promise<StoredFile> => {
    const id = FileIdSchema.safeParse(text);
    const file = id.success ? await config.files(tenant).find(id.data, { signal }) : undefined;
    if (file === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no file of this id');
    return file;
  };

  app.post(
    '/v1/files',
    {
      ...access,
      schema: {
        operationId: 'createFile',
        summary: 'Store a file for a batch',
        response: {
          200: json('It is stored.', FileSchema),
          ...openAiErrors('REQUEST_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED', 'QUEUE_FULL'),
        },
      },
    },
    async (request, reply) => {
      using permit = uploads.tryAcquire();
      if (permit === undefined) throw new CaptionfleetError('QUEUE_FULL', `${limits.uploads} uploads are under way`);
      const files = config.files(request.principal.tenant);
      const file = await receive(request, files, whileConnected(reply));
      request.log.info({ file: file.id, bytes: file.bytes, tenant: request.principal.tenant }, 'file stored');
      return reply.type('application/json').send(describe(file));
    },
  );

  app.get(
    '/v1/files',
    {
      ...access,
      schema: {
        operationId: 'listFiles',
        summary: 'The files, newest first',
        querystring: z.strictObject({
          after: FileIdSchema.optional().describe('The last id of the page before.'),
          purpose: z.enum(['batch', 'batch_output']).optional(),
          order: z.literal('desc', 'must be desc').optional(),
          ...pageQuery,
        }),
        response: { 200: json('A page of them.', pageOf(FileSchema)), ...openAiErrors() },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const { after, purpose, limit } = request.query;
      const files = config.files(request.principal.tenant);
      const page = await readPage(
        {
          list: (options) => files.listKeys(options),
          after: after?.slice('file-'.length),
          limit,
          find: async (key) => {
            const file = await files.find(`file-${key}`, { signal });
            return file === undefined || file.purpose !== (purpose ?? file.purpose) ? undefined : describe(file);
          },
        },
        signal,
      );
      return reply.header('cache-control', 'no-store').type('application/json').send(page);
    },
  );

  const params = z.object({ id: z.string().describe('The `id` of a file.') });
  app.get(
    '/v1/files/:id',
    {
      ...access,
      schema: {
        operationId: 'getFile',
        summary: 'What is known of a file',
        params,
        response: { 200: json('The file.', FileSchema), ...openAiErrors('NOT_FOUND') },
      },
    },
    async (request, reply) => {
      const file = await find(request.principal.tenant, request.params.id, whileConnected(reply));
      return reply.header('cache-control', 'no-store').type('application/json').send(describe(file));
    },
  );

  app.get(
    '/v1/files/:id/content',
    {
      ...access,
      schema: {
        operationId: 'getFileContent',
        summary: 'The bytes of a file',
        params,
        response: {
          200: { description: 'As they are.', content: { 'application/octet-stream': { schema: z.string() } } },
          ...openAiErrors('NOT_FOUND'),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const { tenant } = request.principal;
      const file = await find(tenant, request.params.id, signal);
      reply.header('cache-control', 'no-store').header('content-length', file.bytes).type('application/octet-stream');
      const bytes: unknown = Readable.from(contentOf(config.files(tenant), file, signal), { objectMode: false });
      return reply.serializer(String).send(bytes as string);
    },
  );

  app.delete(
    '/v1/files/:id',
    {
      ...access,
      schema: {
        operationId: 'deleteFile',
        summary: 'Delete a file',
        params,
        response: { 200: json('It is no more.', DeletedFileSchema), ...openAiErrors('NOT_FOUND', 'FILE_IN_USE') },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const { tenant } = request.principal;
      const { id } = await find(tenant, request.params.id, signal);
      await config.files(tenant).remove(id, { signal });
      return reply.type('application/json').send({ id, object: 'file', deleted: true });
    },
  );
};

async function* contentOf(files: FileStore, file: StoredFile, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < file.bytes; ) {
    const range = await files.read(file, { offset, length: limits.rangeBytes, signal });
    yield range;
    offset += range.byteLength;
  }
}

/** Stores the file of a form as it arrives. Nothing is kept of a form that turns out to be wrong, or does not arrive whole. */
async function receive(request: FastifyRequest, files: FileStore, signal: AbortSignal): Promise<StoredFile> {
  if (!request.isMultipart()) {
    throw new CaptionfleetError('MEDIA_TYPE_UNSUPPORTED', 'the content-type must be multipart/form-data');
  }
  const id: FileId = `file-${newRequestId()}`;
  let staged: StagedFile | undefined;
  let filename = '';
  let purpose: unknown;
  for await (const part of request.parts()) {
    if (part.type === 'file') {
      assertNamed(part, 'file');
      filename = nameOf(part.filename);
      staged = await files.stage(id, part.file, { signal });
      if (part.file.truncated) throw tooLarge();
    } else {
      assertNamed(part, 'purpose');
      purpose = part.value;
    }
  }
  if (staged === undefined) throw wrongField('file', 'is missing');
  if (purpose !== 'batch')
    throw wrongField('purpose', purpose === undefined ? `is missing; it ${purposeForm}` : purposeForm);
  if (staged.bytes === 0) throw wrongField('file', 'is empty');
  return await staged.keep({ filename, purpose }, { signal });
}

/** @throws REQUEST_INVALID for a part that nobody knows: what a caller asks for is not passed over in silence */
function assertNamed({ fieldname }: Multipart, expected: string): void {
  if (fieldname === expected) return;
  throw wrongField(fieldname.slice(0, 100), 'is not known; the form has a file and its purpose');
}

const wrongField = (field: string, what: string): CaptionfleetError =>
  new RefusedRequest('REQUEST_INVALID', `${field}: ${what}`, [
    { pointer: `/${field}`, code: 'REQUEST_INVALID', message: what },
  ]);

const tooLarge = (): CaptionfleetError =>
  new CaptionfleetError('REQUEST_TOO_LARGE', `a file has at most ${batchLimits.fileBytes / 2 ** 20} MiB`);

/** The last part of a path, in characters that a terminal may show. */
function nameOf(name: string): string {
  const last = name.replace(/^.*[/\\]/s, '').replaceAll(/\p{Cc}/gu, '');
  return last.slice(0, limits.nameLength) || 'file.jsonl';
}

const multipartErrors: Readonly<Record<string, () => CaptionfleetError>> = {
  FST_REQ_FILE_TOO_LARGE: tooLarge,
  FST_FILES_LIMIT: () => wrongField('file', 'must be one'),
};

/** The error of whatever was thrown; what a parser of forms throws, with the name of an error that is known or not, is of the form. */
function asFileError(thrown: unknown): CaptionfleetError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const known = multipartErrors[code];
  if (known !== undefined) return known();
  const isOfForm = /^FST_(?:MP_|PARTS|FIELDS|PROTO|INVALID_MULTIPART|INVALID_JSON)/.test(code);
  const isOfParser = thrown instanceof Error && /multipart|boundary|form/i.test(thrown.message) && code === '';
  if (isOfForm || isOfParser)
    return new CaptionfleetError('REQUEST_INVALID', 'the form is not multipart/form-data', { cause: thrown });
  return asFleetError(thrown);
}

import { batchLimits } from '@captionfleet/protocol/batch';
import { bulkLimits } from '@captionfleet/protocol/bulk-request';
import { type ErrorCode, errorTable } from '@captionfleet/protocol/errors';
import { GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';
import { ErrorReportSchema, RequestStatusSchemas } from '@captionfleet/protocol/image-outcome';
import { ProblemSchema } from '@captionfleet/protocol/problem';
import { AnswerOptionsSchema } from '@captionfleet/protocol/task';
import { AnswerSchema, CaptionSchema, EmbeddingSchema, MatchSchema } from '@captionfleet/protocol/task-result';
import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BulkItemSchema } from './bulk-item.ts';
import { BatchSchema, CreateBatchSchema, FileSchema, OpenAiErrorSchema } from './openai-contract.ts';
import { completeOperation } from './openapi-operations.ts';
import { tagsOf } from './openapi-tags.ts';
import { ListingSchema } from './request-listing.ts';
import { taskRequestSchemas } from './task-request.ts';
import { VisionErrorSchema, VisionResultSchema, VisionUrlDescription, visionPath } from './vision-contract.ts';

const named: Readonly<Record<string, z.ZodType>> = {
  Problem: ProblemSchema,
  CaptionRequest: taskRequestSchemas.caption,
  MatchRequest: taskRequestSchemas.match,
  EmbedRequest: taskRequestSchemas.embed,
  AnswerRequest: taskRequestSchemas.answer,
  GenerationOptions: GenerationOptionsSchema,
  AnswerOptions: AnswerOptionsSchema,
  CaptionRequestStatus: RequestStatusSchemas.caption,
  MatchRequestStatus: RequestStatusSchemas.match,
  EmbedRequestStatus: RequestStatusSchemas.embed,
  AnswerRequestStatus: RequestStatusSchemas.answer,
  RequestListing: ListingSchema,
  Caption: CaptionSchema,
  Match: MatchSchema,
  Embedding: EmbeddingSchema,
  Answer: AnswerSchema,
  ErrorReport: ErrorReportSchema,
  ImageAnalysisResult: VisionResultSchema,
  ImageAnalysisError: VisionErrorSchema,
  BatchCreation: CreateBatchSchema,
  Batch: BatchSchema,
  File: FileSchema,
  OpenAiError: OpenAiErrorSchema,
};
for (const [id, schema] of Object.entries(named)) z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id });

/** Any request may end with these, before its route is known. */
const earlyCodes: readonly ErrorCode[] = [
  'REQUEST_INVALID',
  'REQUEST_TOO_SLOW',
  'MEDIA_TYPE_UNSUPPORTED',
  'HEADERS_TOO_LARGE',
];

const codesByDescription = new Map<string, readonly ErrorCode[]>();

/** Any route that is not public may end with these, before its body is read. */
export const accessCodes: readonly ErrorCode[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'IDENTITY_UNAVAILABLE',
  'STORAGE_UNAVAILABLE',
];

/** The error responses of a route, one for each status that its codes have. */
export function problems(...codes: readonly ErrorCode[]) {
  const byStatus = Object.groupBy(new Set([...earlyCodes, ...codes]), (code) => errorTable[code].status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, group = []]) => {
      const description = group.map((code) => `\`${code}\`: ${errorTable[code].meaning}`).join('\n\n');
      codesByDescription.set(description, group);
      return [status, { description, content: { 'application/problem+json': { schema: ProblemSchema } } }];
    }),
  );
}

/** What a response of `problems` can be; of another one that may be a problem, what any request may end with. */
const codesOf = (status: string, description: string): readonly ErrorCode[] =>
  codesByDescription.get(description) ?? earlyCodes.filter((code) => String(errorTable[code].status) === status);

const header = (description: string, type = 'string') => ({ description, schema: { type } });
const retryAfter = header('Seconds after which to ask again.', 'integer');
const preferenceApplied = header('The wait that was applied.');
const serverTiming = header(
  'Once finished: the stages, in milliseconds, of the image that took longest, and their sum.',
);
const accepted = {
  'Idempotent-Replayed': header('`true` when an earlier call had sent this request.'),
  'Operation-Location': header('The absolute URL of the request.'),
  Location: header('Its path.'),
  'Preference-Applied': preferenceApplied,
};
const requestId = {
  'X-Request-Id': header("The id of this exchange in the log: the caller's own, where it sent one."),
};
/** Statuses of errors after which the same request may succeed. */
const retryableStatuses: ReadonlySet<number> = new Set(
  Object.values(errorTable).flatMap(({ status, retryable }) => (retryable ? [status] : [])),
);
const successHeaders: Readonly<Record<string, Record<string, object>>> = {
  'post 200': { ...accepted, 'Server-Timing': serverTiming },
  'post 202': { ...accepted, 'Retry-After': retryAfter },
  'put 200': { ...accepted, 'Server-Timing': serverTiming },
  'put 202': { ...accepted, 'Retry-After': retryAfter },
  'get 200': { 'Server-Timing': serverTiming, 'Retry-After': retryAfter, 'Preference-Applied': preferenceApplied },
};
const errorHeaders: Readonly<Record<string, Record<string, object>>> = {
  401: { 'WWW-Authenticate': header('The scheme, and that the key or token was not accepted (RFC 6750).') },
  403: { 'WWW-Authenticate': header('The scope that is missing (RFC 6750).') },
};
const headersOf = (path: string): typeof taskHeaders => {
  if (isOpenAi(path)) return (_, status) => openAiHeaders(status);
  if (!path.startsWith('/v1/')) return () => ({});
  // What acts on a request answers as what shows it.
  return takesWork.test(path) ? taskHeaders : (_, status) => taskHeaders('get', status);
};
/** Paths whose POST answers with where its result will be. */
const takesWork = /^\/v1\/[a-z]+(?:\/\{id\})?$/;
const taskHeaders = (method: 'get' | 'post' | 'put', status: string): Record<string, object> =>
  successHeaders[`${method} ${status}`] ??
  errorHeaders[status] ??
  (retryableStatuses.has(Number(status)) ? { 'Retry-After': retryAfter } : {});

const visionHeaders = {
  'apim-request-id': header('The X-Request-Id again, under the name that Azure gives it.'),
  'x-envoy-upstream-service-time': header('Milliseconds that the answer took.', 'integer'),
  'api-supported-versions': header('The api-versions of this route.'),
};

const visionErrorCode = header('The code of the error.');

/** The body of an analysis comes in two types, of which one is no JSON. */
const visionBody = {
  required: true,
  content: {
    'application/octet-stream': { schema: { description: 'The bytes of an image, at most 20 MiB.' } },
    'application/json': { schema: z.toJSONSchema(VisionUrlDescription, { io: 'input' }) },
  },
};

function describeVision(post: { readonly responses?: object } = {}): void {
  Object.assign(post, { requestBody: visionBody });
  addHeaders({ ...post.responses }, (status) => ({
    // The others come before the route is known.
    ...(status === '408' || status === '431' ? {} : visionHeaders),
    ...(status === '200' || status === '408' || status === '431' ? {} : { 'x-ms-error-code': visionErrorCode }),
    ...(retryableStatuses.has(Number(status)) ? { 'Retry-After': retryAfter } : {}),
  }));
}

const isOpenAi = (path: string): boolean => /^\/v1\/(?:files|batches)(?:\/|$)/.test(path);

/** Read part by part, so no schema of the route checks it. */
const fileForm = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['file', 'purpose'],
        properties: {
          file: {
            type: 'string',
            contentMediaType: 'application/octet-stream',
            description: `At most ${batchLimits.fileBytes / 2 ** 20} MiB: a line for each image, at most ${batchLimits.lines}.`,
          },
          purpose: { const: 'batch' },
        },
      },
    },
  },
};

const openAiHeaders = (status: string): Record<string, object> => ({
  ...errorHeaders[status],
  ...(retryableStatuses.has(Number(status)) ? { 'Retry-After': retryAfter } : {}),
});

const isBulkUpload = (path: string): boolean => /^\/v1\/bulk\/[a-z]+$/.test(path);

/** Read item by item, so no schema of a route checks it. */
const bulkBody = {
  required: true,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['items'],
        additionalProperties: true,
        properties: {
          items: {
            type: 'array',
            minItems: 1,
            maxItems: bulkLimits.documentItems,
            items: z.toJSONSchema(BulkItemSchema, { io: 'input' }),
          },
        },
        description: 'Beside the items what the task asks, as in a request of it: `options`, `texts` or `questions`.',
      },
    },
    'application/x-ndjson': {
      schema: {
        type: 'string',
        description: 'An item a line; before them, where that is not the default, a line with what the task asks.',
      },
    },
  },
} as const;

/** Adds what zod's schemas cannot say, the headers of responses, and drops the schemas that nothing refers to. */
const transformObject: SwaggerTransformObject = (document) => {
  const openapi = jsonSchemaTransformObject(document);
  if ('components' in openapi) dropUnused(openapi.components?.schemas ?? {}, openapi);
  for (const [path, methods] of Object.entries(openapi.paths ?? {})) {
    if (isBulkUpload(path)) Object.assign(methods?.post ?? {}, { requestBody: structuredClone(bulkBody) });
    if (path === '/v1/files') Object.assign(methods?.post ?? {}, { requestBody: structuredClone(fileForm) });
    const headers = headersOf(path);
    addHeaders(methods?.get?.responses, (status) => headers('get', status));
    addHeaders(methods?.post?.responses, (status) => headers('post', status));
    addHeaders(methods?.put?.responses, (status) => headers('put', status));
    addHeaders(methods?.delete?.responses, openAiHeaders);
  }
  describeVision(openapi.paths?.[visionPath]?.post);
  for (const [path, methods] of Object.entries(openapi.paths ?? {})) {
    for (const operation of Object.values<object>({ ...methods })) completeOperation(path, operation, codesOf);
  }
  return { ...openapi, tags: tagsOf(Object.keys(openapi.paths ?? {})) };
};

/** Every named schema comes in a form for input and one for output; most are used in one direction only. */
function dropUnused(schemas: Record<string, unknown>, document: object): void {
  const text = JSON.stringify(document);
  const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
  for (const name of unused) delete schemas[name];
  if (unused.length > 0) dropUnused(schemas, document);
}

function addHeaders(
  responses: Readonly<Record<string, object>> = {},
  headersOf: (status: string) => Record<string, object>,
): void {
  for (const [status, response] of Object.entries(responses)) {
    Object.assign(response, { headers: { ...requestId, ...headersOf(status) } });
  }
}

/** Every operation may end with what is found before its route, also where the route does not say so; its scope is its key's. */
const transform: typeof jsonSchemaTransform = ({ schema, ...rest }) => {
  const response = { ...problems('INTERNAL'), ...Object(schema.response) };
  const transformed = jsonSchemaTransform({ ...rest, schema: { ...schema, response } });
  const scope = rest.route.config?.scope;
  const ownHeader = rest.url === visionPath.replace(':', '::') ? 'subscriptionKey' : 'apiKey';
  const security = scope === undefined ? [] : [{ bearer: [scope] }, { [ownHeader]: [scope] }];
  return { ...transformed, schema: { ...transformed.schema, security } };
};

/**
 * Registered before the routes; `app.swagger()` is then the OpenAPI 3.1 document.
 *
 * @param publicUrl where callers reach this API, when it is not where they found the document
 */
export async function describeRoutes(app: FastifyInstance, publicUrl: string | undefined): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Captionfleet',
        version: '1',
        description:
          'Images go in, captions, matches, embeddings and answers come out. Errors are problem details (RFC 9457) with a code of one table, but under /computervision they have the form of Azure, and under /v1/files and /v1/batches that of OpenAI; another method of a path is 405 METHOD_NOT_ALLOWED with Allow. A fleet may ask for a key or token, whose scopes stand at each operation.',
        license: { name: 'BSD-3-Clause', identifier: 'BSD-3-Clause' },
      },
      servers: [{ url: publicUrl ?? '/', description: 'This fleet.' }],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key, or an access token of Microsoft Entra ID.',
          },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'An API key.' },
          subscriptionKey: {
            type: 'apiKey',
            in: 'header',
            name: 'Ocp-Apim-Subscription-Key',
            description: "An API key, where Azure's clients put theirs.",
          },
        },
      },
    },
    transform,
    transformObject,
  });
}

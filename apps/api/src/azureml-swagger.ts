import { writePythonJson } from './azureml-json.ts';

/** The columns of a model's signature. */
export type SignatureColumns = readonly ['image'] | readonly ['image', 'text'];

const service = { title: 'ML service', version: '1.0' } as const;
const versions = ['2', '3', '3.1'] as const;
const aliases: Readonly<Record<string, (typeof versions)[number]>> = {
  '2': '2',
  '2.0': '2',
  '3': '3',
  '3.0': '3',
  '3.1': '3.1',
};

const list = { type: 'array', items: { type: 'object' } } as const;

/** As inference-schema describes empty data frames of these columns. */
function serviceSchemas(columns: SignatureColumns): { readonly input: object; readonly output: object } {
  const input = {
    type: 'object',
    properties: {
      input_data: {
        type: 'object',
        required: ['columns', 'index', 'data'],
        properties: {
          columns: { type: 'array', items: { type: 'string' } },
          index: list,
          data: list,
        },
        format: 'pandas.DataFrame:split',
      },
      params: { type: 'object' },
    },
    example: { input_data: { columns, index: [], data: [] }, params: {} },
  };
  return { input, output: { ...list, example: [], format: 'pandas.DataFrame:records' } };
}

const errorResponse = { type: 'object', properties: { message: { type: 'string' } } } as const;
const info = {
  title: service.title,
  description: `API specification for the Azure Machine Learning service ${service.title}`,
  version: service.version,
} as const;
const bearer = {
  type: 'apiKey',
  name: 'Authorization',
  in: 'header',
  description: 'For example: Bearer abc123',
} as const;

const words = {
  health: {
    operationId: 'ServiceHealthCheck',
    description: 'Simple health check endpoint to ensure the service is up at any given point.',
    ok: "If service is up and running, this response will be returned with the content 'Healthy'",
  },
  score: {
    operationId: 'RunMLService',
    description: "Run web service's model and get the prediction output",
    input: 'The input payload for executing the real-time machine learning service.',
    ok: 'The service processed the input correctly and provided a result prediction, if applicable.',
  },
  swagger: {
    operationId: 'GetSwaggerSpec',
    description: 'Get the Swagger specification.',
    ok: 'The Swagger specification.',
  },
  failed: 'The service failed to execute due to an error.',
} as const;

const text = { type: 'string' } as const;
const versionEnum = { type: 'integer', enum: [2, 3] } as const;
const versionParameter = { name: 'version', in: 'query', required: false } as const;

function swagger2(columns: SignatureColumns): object {
  const { input, output } = serviceSchemas(columns);
  const failed = { description: words.failed, schema: { $ref: '#/definitions/ErrorResponse' } };
  const { health, score, swagger } = words;
  return {
    swagger: '2.0',
    info,
    schemes: ['https'],
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: { Bearer: bearer },
    paths: {
      '/': {
        get: {
          operationId: health.operationId,
          description: health.description,
          responses: {
            200: { description: health.ok, schema: text, examples: { 'application/json': 'Healthy' } },
            default: failed,
          },
        },
      },
      '/score': {
        post: {
          operationId: score.operationId,
          description: score.description,
          security: [{ Bearer: [] }],
          parameters: [
            {
              name: 'serviceInputPayload',
              in: 'body',
              description: score.input,
              schema: { $ref: '#/definitions/ServiceInput' },
            },
          ],
          responses: {
            200: { description: score.ok, schema: { $ref: '#/definitions/ServiceOutput' } },
            default: failed,
          },
        },
      },
      '/swagger.json': {
        get: {
          operationId: swagger.operationId,
          description: swagger.description,
          parameters: [{ ...versionParameter, ...versionEnum }],
          responses: { 200: { description: swagger.ok, schema: text }, default: failed },
        },
      },
    },
    definitions: { ServiceInput: input, ServiceOutput: output, ErrorResponse: errorResponse },
  };
}

function openapi3(columns: SignatureColumns, version: string): object {
  const { input, output } = serviceSchemas(columns);
  const json = (name: string) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
  const failed = { description: words.failed, content: json('ErrorResponse') };
  const { health, score, swagger } = words;
  return {
    openapi: version,
    info,
    security: [{ Bearer: [] }],
    paths: {
      '/': {
        get: {
          operationId: health.operationId,
          description: health.description,
          responses: {
            200: {
              description: health.ok,
              content: { 'text/plain': { schema: { ...text, example: 'Healthy' } } },
            },
            default: failed,
          },
        },
      },
      '/score': {
        post: {
          operationId: score.operationId,
          description: score.description,
          security: [{ Bearer: [] }],
          requestBody: { description: score.input, content: json('ServiceInput') },
          responses: { 200: { description: score.ok, content: json('ServiceOutput') }, default: failed },
        },
      },
      '/swagger.json': {
        get: {
          operationId: swagger.operationId,
          description: swagger.description,
          parameters: [{ ...versionParameter, schema: versionEnum }],
          responses: {
            200: { description: swagger.ok, content: { 'text/plain': { schema: text } } },
            default: failed,
          },
        },
      },
    },
    components: {
      schemas: { ServiceInput: input, ServiceOutput: output, ErrorResponse: errorResponse },
      securitySchemes: { Bearer: bearer },
    },
  };
}

/** What the reference server says of itself, byte for byte, or why it says nothing. `version` is that of the query. */
export function swaggerDocument(
  columns: SignatureColumns,
  version = '2',
): { readonly document: string } | { readonly message: string } {
  const known = Object.hasOwn(aliases, version) ? aliases[version] : undefined;
  if (known === undefined) {
    return {
      message: `Swagger version [${version}] is not valid. Supported versions: [${versions.join(', ')}].`,
    };
  }
  const document = known === '2' ? swagger2(columns) : openapi3(columns, known === '3' ? '3.0.3' : '3.1.0');
  return { document: writePythonJson(document) };
}

import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { FastifyBaseLogger } from 'fastify';
import { FrameRefused, readSplitFrame } from './azureml-frame.ts';
import {
  PythonJsonError,
  PythonReadError,
  type PythonValue,
  parsePythonJson,
  readPythonJson,
  writePythonJson,
} from './azureml-json.ts';
import {
  type DeploymentTask,
  type ScoringConfig,
  ScoringFailed,
  ScoringTimeout,
  scoreFrame,
  signatureColumns,
} from './azureml-scoring.ts';
import { swaggerDocument } from './azureml-swagger.ts';
import {
  BodyTooLarge,
  readTarget,
  refusedByGunicorn,
  type WireAnswer,
  type WireRequest,
  wsgiHeaders,
} from './azureml-wire.ts';
import type { Principal } from './principal.ts';

export interface ContainerConfig {
  readonly scoring: ScoringConfig;
  /** What `x-ms-server-version` says; undefined leaves it out. */
  readonly serverVersion: string | undefined;
  readonly logger: FastifyBaseLogger;
}

/** For whom, and as which deployment, a container scores. */
export interface Scope {
  readonly principal: Principal;
  readonly task: DeploymentTask;
}

const messages = {
  notFound:
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  methodNotAllowed: 'The method is not allowed for the requested URL.',
  webSocket: 'The browser (or proxy) sent a request that this server could not understand.',
  bodyTooLarge: 'The data value transmitted exceeds the capacity limit.',
  scriptFailed: 'An unexpected error occurred in scoring script. Check the logs for more info.',
  internal: 'An unexpected internal error occurred. Check the logs for more info.',
} as const;

const idLimit = 100;

/** An error whose words the caller sees. */
class BadInput extends Error {
  override readonly name = 'BadInput';
  readonly status: 400 | 415;

  constructor(status: 400 | 415, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Answers as azureml-inference-server-http 1.5.1 does in the container of an AzureML deployment, with the scoring script that
 * runs the registry's BLIP models. The differential test in test/contract/azureml holds it against that server.
 */
export async function answerAsContainer(
  request: WireRequest,
  scope: Scope,
  config: ContainerConfig,
): Promise<WireAnswer> {
  const refused = refusedByGunicorn(request);
  if (refused !== undefined) return refused;
  const { path, query } = readTarget(request.target);
  const { method } = request;
  const route = routes[path];
  if (route === undefined) return path.startsWith('/static/') ? answerStatic(method) : failure(404, messages.notFound);
  if (!route.methods.includes(method)) return failure(405, messages.methodNotAllowed);
  const headers = wsgiHeaders(request.rawHeaders);
  if (wantsWebSocket(headers)) return failure(400, messages.webSocket);
  const ids = readIds(headers);
  const answer =
    'refused' in ids ? failure(431, ids.refused) : await route.answer({ ...request, query, headers }, scope, config);
  return { ...answer, route: path, headers: { ...answer.headers, ...ids.echoed, ...commonHeaders(headers, config) } };
}

const wantsWebSocket = (headers: ReadonlyMap<string, string>): boolean =>
  headers.get('upgrade')?.toLowerCase() === 'websocket' &&
  (headers.get('connection') ?? '').split(',').some((option) => option.trim().toLowerCase() === 'upgrade');

interface RoutedRequest extends WireRequest {
  readonly query: readonly [string, string][];
  readonly headers: ReadonlyMap<string, string>;
}

interface Route {
  readonly methods: readonly string[];
  answer(request: RoutedRequest, scope: Scope, config: ContainerConfig): WireAnswer | Promise<WireAnswer>;
}

/** Flask makes HEAD and OPTIONS of every GET. */
const readMethods = ['GET', 'HEAD', 'OPTIONS'] as const;
const page = { 'content-type': 'text/html; charset=utf-8' } as const;
const options: WireAnswer = { status: 200, headers: { ...page, allow: readMethods.join(', ') }, body: '' };

const routes: Readonly<Record<string, Route>> = {
  '/': {
    methods: readMethods,
    answer: ({ method }) => (method === 'OPTIONS' ? options : { status: 200, headers: page, body: 'Healthy' }),
  },
  '/swagger.json': {
    methods: readMethods,
    answer({ method, query }, { task }, { scoring }) {
      if (method === 'OPTIONS') return options;
      const version = query.find(([name]) => name === 'version')?.[1];
      const swagger = swaggerDocument(signatureColumns(task, scoring.tasks), version);
      return 'message' in swagger ? failure(404, swagger.message) : json(200, swagger.document);
    },
  },
  '/score': { methods: ['GET', 'HEAD', 'POST', 'OPTIONS'], answer: answerScore },
};

const answerStatic = (method: string): WireAnswer => {
  if (method === 'OPTIONS') return options;
  return method === 'GET' || method === 'HEAD'
    ? failure(404, messages.notFound)
    : failure(405, messages.methodNotAllowed);
};

const json = (status: number, body: string, runFailed = false): WireAnswer => ({
  status,
  // Werkzeug writes it so.
  reason: (STATUS_CODES[status] ?? '').toUpperCase(),
  headers: { 'content-type': 'application/json', 'x-ms-run-function-failed': runFailed ? 'True' : 'False' },
  body,
});
const failure = (status: number, message: string, runFailed = false): WireAnswer =>
  json(status, writePythonJson({ message }), runFailed);

/** Which ids go back, or why they do not. An empty x-request-id is one, and goes back as none. */
function readIds(headers: ReadonlyMap<string, string>) {
  const requestId = headers.get('x-request-id') ?? randomUUID();
  if (requestId.length > idLimit) {
    return { refused: `x-request-id must not exceed ${idLimit} characters`, echoed: {} };
  }
  const legacy = headers.get('x-ms-request-id') || undefined;
  const clientRequestId = headers.get('x-ms-client-request-id') || legacy || '';
  const msRequestId = legacy ?? (clientRequestId || requestId);
  const echoed = present({ 'x-request-id': requestId });
  if (msRequestId.length > idLimit || clientRequestId.length > idLimit) {
    return { refused: `x-ms-request-id and x-ms-client-request-id must not exceed ${idLimit} characters`, echoed };
  }
  return {
    echoed: { ...echoed, ...present({ 'x-ms-request-id': msRequestId, 'x-ms-client-request-id': clientRequestId }) },
  };
}

const present = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));

function commonHeaders(headers: ReadonlyMap<string, string>, { serverVersion }: ContainerConfig) {
  const traceId = headers.get('traceid');
  return {
    ...(serverVersion === undefined ? {} : { 'x-ms-server-version': serverVersion }),
    ...(traceId === undefined ? {} : { TraceId: traceId }),
  };
}

async function answerScore(request: RoutedRequest, scope: Scope, config: ContainerConfig): Promise<WireAnswer> {
  if (request.method === 'OPTIONS') return { status: 200, headers: { ...json(200, '').headers, ...page }, body: '' };
  if (request.method === 'HEAD') return failure(405, 'Method not allowed');
  try {
    const input = await readInput(request);
    const started = performance.now();
    const rows = await scoreFrame(readSplitFrame(input), scope.task, config.scoring, {
      principal: scope.principal,
      signal: request.signal,
    });
    const answer = json(200, writePythonJson(rows));
    const milliseconds = (performance.now() - started).toFixed(3);
    return { ...answer, headers: { ...answer.headers, 'x-ms-run-fn-exec-ms': milliseconds } };
  } catch (error) {
    return answerError(error, request.signal.aborted, config);
  }
}

/** @throws BadInput, PythonReadError */
async function readInput(request: RoutedRequest): Promise<PythonValue> {
  const input = request.method === 'GET' ? readQuery(request.query) : readBody(await posted(request));
  const value = input.get('input_data');
  if (value === undefined) throw new BadInput(400, "A value is not provided for the 'input_data' parameter.");
  return value;
}

async function posted({ headers, body }: RoutedRequest): Promise<Uint8Array> {
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && !(type.startsWith('application/') && type.endsWith('+json'))) {
    throw new BadInput(415, 'Expects Content-Type to be application/json');
  }
  return await body();
}

function readBody(body: Uint8Array): ReadonlyMap<string, PythonValue> {
  try {
    const value = readPythonJson(body);
    if (value instanceof Map) return value;
  } catch (error) {
    if (!(error instanceof PythonJsonError)) throw error;
    throw new BadInput(
      400,
      body.byteLength === 0
        ? 'POST body is empty. Expecting a JSON dictionary.'
        : `POST body could not be decoded as JSON: ${error.message}`,
    );
  }
  throw new BadInput(400, 'POST body should be a JSON dictionary.');
}

/** Each value is JSON, or text where it is none; of a name that comes several times, a list. */
function readQuery(query: readonly [string, string][]): ReadonlyMap<string, PythonValue> {
  const input = new Map<string, PythonValue>();
  for (const name of new Set(query.map(([given]) => given))) {
    const values = query.filter(([given]) => given === name).map(([, value]) => jsonOrText(value));
    const [only = null] = values;
    input.set(name, values.length === 1 ? only : values);
  }
  return input;
}

function jsonOrText(text: string): PythonValue {
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (error instanceof PythonJsonError || (error instanceof PythonReadError && error.kind === 'ValueError'))
      return text;
    throw error;
  }
}

/** Seconds after which a request that the fleet had no room for may come again. */
const retryAfterSeconds = 2;

function answerError(error: unknown, gone: boolean, { scoring, logger }: ContainerConfig): WireAnswer {
  if (error instanceof BadInput) return failure(error.status, error.message);
  if (error instanceof BodyTooLarge) return failure(413, messages.bodyTooLarge);
  if (error instanceof ScoringTimeout) return failure(500, `Scoring timeout after ${scoring.timeoutMs} ms`, true);
  if (error instanceof PythonReadError) {
    logger.info({ err: error }, 'the body was not read');
    return failure(500, messages.internal);
  }
  if (
    error instanceof CaptionfleetError &&
    ['QUEUE_FULL', 'QUEUE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'].includes(error.code)
  ) {
    logger.warn({ code: error.code, detail: error.message }, 'not scored');
    const answer = failure(error.status, `${error.code}: ${error.message}`);
    return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
  }
  const expected = gone || error instanceof ScoringFailed || error instanceof FrameRefused;
  if (expected) logger.info({ detail: error instanceof Error ? error.message : error }, 'scoring failed');
  else logger.error({ err: error }, 'scoring failed');
  return failure(500, messages.scriptFailed, true);
}

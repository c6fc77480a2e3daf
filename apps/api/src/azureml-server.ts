import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Scope } from '@captionfleet/protocol/scope';
import { currentSpan, within } from '@captionfleet/telemetry/current-span';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';
import { codeOf, noTracing, type Tracing } from '@captionfleet/telemetry/tracing';
import type { FastifyBaseLogger } from 'fastify';
import { answerAsBatch, type BatchEndpointConfig, isForBatch } from './azureml-batch.ts';
import { answerAsContainer, type ContainerConfig, type Scope as ContainerScope } from './azureml-container.ts';
import { type AskContainer, answerAsFrontend, authenticateByKey, type FrontendConfig } from './azureml-frontend.ts';
import { PythonReadError } from './azureml-json.ts';
import {
  answerText,
  BodyTooLarge,
  type RequestHead,
  readPacket,
  readTarget,
  refusedByParser,
  type WireAnswer,
  type WireRequest,
} from './azureml-wire.ts';
import { Permits } from './permits.ts';
import { anyone } from './principal.ts';
import { endServerSpan, startServerSpan } from './traced-requests.ts';

/** Limits of the surface; docs/reference/azureml.md states them. */
const limits = {
  /** As nginx has it in the container of AzureML. */
  bodyBytes: 100 * 1024 * 1024,
  /** Room for as many headers as gunicorn takes, each at its limit. */
  headBytes: 1024 * 1024,
  requestMs: 120_000,
  keepAliveMs: 65_000,
  connections: 1_024,
} as const;

export interface AzuremlServerConfig {
  readonly container: ContainerConfig;
  /** As a managed endpoint; undefined is as a container by itself. */
  readonly frontend: FrontendConfig | undefined;
  /** As a batch endpoint too; undefined is not. */
  readonly batch?: BatchEndpointConfig | undefined;
  /** Requests to score that are worked on at a time; more are refused with 429. */
  readonly maxInFlight: number;
  readonly metrics: Pick<ApiMetrics, 'httpRequestSeconds'>;
  readonly logger: FastifyBaseLogger;
  /** @defaultValue none */
  readonly tracing?: Tracing | undefined;
}

/**
 * The surface of an AzureML online endpoint, not listening yet. It has a server of its own, since it takes `/`, and one
 * without a framework, since what it must answer to odd requests is what gunicorn, Werkzeug and Flask answer.
 */
export function buildAzuremlServer(config: AzuremlServerConfig): Server {
  const answer = answering(config);
  const server = createServer(
    {
      maxHeaderSize: limits.headBytes,
      requestTimeout: limits.requestMs,
      headersTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      requireHostHeader: false,
    },
    (request, response) => {
      // Else the caller would keep the connection, and a server that closes would wait for the end of its keep-alive.
      if (!server.listening) response.setHeader('connection', 'close');
      const span = startServerSpan(config.tracing ?? noTracing, request);
      void within(span, () => respond(request, response, answer, config));
    },
  );
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 0;
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (request, socket: Socket) => {
    const { method = '', url: target = '', httpVersion: version, rawHeaders } = request;
    void answerHead({ method, target, version, rawHeaders }, socket, answer, config.logger);
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Socket) => {
    // Bytes behind the last request of a connection: its answer is still to be sent.
    if (error.code === 'HPE_CLOSED_CONNECTION') return;
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else void answerBareSocket(error, socket, answer, config.logger);
  });
  return server;
}

type Answering = (request: WireRequest) => Promise<WireAnswer>;

function answering({ batch, ...config }: AzuremlServerConfig): Answering {
  const online = answeringOnline(config);
  if (batch === undefined) return online;
  const { frontend } = config;
  const authenticate = (authorization: string | undefined, scope: Scope) =>
    frontend === undefined ? anyone : authenticateByKey(authorization, scope, frontend);
  return (request) => (isForBatch(request) ? answerAsBatch(request, authenticate, batch) : online(request));
}

function answeringOnline({ container, frontend, maxInFlight }: AzuremlServerConfig): Answering {
  const permits = new Permits(maxInFlight);
  const ask: AskContainer = (request, scope: ContainerScope) => {
    if (!isToScore(request)) return answerAsContainer(request, scope, container);
    const permit = permits.tryAcquire();
    return permit && answerAsContainer(request, scope, container).finally(() => permit[Symbol.dispose]());
  };
  if (frontend !== undefined) return (request) => answerAsFrontend(request, frontend, ask);
  return async (request) => (await ask(request, { principal: anyone, task: 'auto' })) ?? busy;
}

/** Whether it takes memory and work; a probe is answered however much is going on. */
const isToScore = ({ method, target }: WireRequest): boolean =>
  ['GET', 'POST'].includes(method) && readTarget(target).path === '/score';

const busy: WireAnswer = {
  status: 429,
  headers: { 'content-type': 'application/json', 'retry-after': '1', 'x-ms-run-function-failed': 'False' },
  body: '{"message": "QUEUE_FULL: too many requests are in flight"}',
};

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answering,
  { metrics, logger }: AzuremlServerConfig,
): Promise<void> {
  const started = performance.now();
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller went away'));
  });
  const span = currentSpan();
  const { method = '', url: target = '', httpVersion: version, rawHeaders } = request;
  try {
    const { status, reason, headers, body, content, route } = await answer({
      method,
      target,
      version,
      rawHeaders,
      body: () => readBody(request),
      signal: gone.signal,
    });
    const seconds = (performance.now() - started) / 1_000;
    metrics.httpRequestSeconds.observe({ route: route ?? 'none', method, status: String(status) }, seconds);
    logger.info({ method, path: target.replace(/[?#].*$/s, ''), status, seconds }, 'answered');
    response.once('close', () => endServerSpan(span, { method, route, status }));
    if (content !== undefined) {
      response.writeHead(status, { ...headers });
      await pipeline(content, response);
      return;
    }
    const bytes = Buffer.from(body, 'latin1');
    const all = { ...headers, 'content-length': bytes.byteLength };
    response.writeHead(status, ...(reason === undefined ? [] : [reason]), all);
    // Bytes and not text: else Node would write the headers in the encoding of the text, and they are Latin-1.
    response.end(method === 'HEAD' ? undefined : bytes);
  } catch (error) {
    logger.error({ err: error }, 'no answer');
    span.fail(codeOf(error));
    span.end();
    response.destroy();
  }
}

/** @throws BodyTooLarge before more than the limit is in memory */
async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limits.bodyBytes) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** Answers what Node's parser does not take. Methods that it does not know are none of its business to refuse. */
async function answerBareSocket(
  { code, rawPacket = Buffer.alloc(0) }: NodeJS.ErrnoException & { rawPacket?: Buffer },
  socket: Socket,
  answer: Answering,
  logger: FastifyBaseLogger,
): Promise<void> {
  const read = readPacket(rawPacket);
  if ('status' in read || code === 'HPE_HEADER_OVERFLOW') {
    socket.end(answerText('status' in read ? read : refusedByParser(code)), 'latin1');
    return;
  }
  const bodyIsWrong = code !== 'HPE_INVALID_METHOD' && code !== 'HPE_INVALID_VERSION';
  await answerHead(read, socket, answer, logger, bodyIsWrong ? new PythonReadError('the chunks are wrong') : undefined);
}

async function answerHead(
  head: RequestHead,
  socket: Socket,
  answer: Answering,
  logger: FastifyBaseLogger,
  wrongBody?: Error,
): Promise<void> {
  const body = async (): Promise<Uint8Array> => {
    if (wrongBody !== undefined) throw wrongBody;
    return new Uint8Array();
  };
  try {
    const signal = AbortSignal.timeout(limits.requestMs);
    socket.end(answerText(await answer({ ...head, body, signal })), 'latin1');
  } catch (error) {
    logger.error({ err: error }, 'no answer');
    socket.destroy();
  }
}

import { randomUUID } from 'node:crypto';
import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { CaptionfleetError, type ErrorCode, errorTable, reportError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import type { FieldError, Problem } from '@captionfleet/protocol/problem';
import type { FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import type { z } from 'zod';
import { nearestOption } from './nearest-name.ts';

/** An error that says which parts of the request it is about. */
export class RefusedRequest extends CaptionfleetError {
  readonly errors: readonly FieldError[];

  constructor(code: ErrorCode, message: string, errors: readonly FieldError[]) {
    super(code, message);
    this.errors = errors;
  }
}

/** Where nothing was measured: Redis or Blob storage is away. */
const defaultRetrySeconds = 2;

/** Seconds after which a retryable request may be sent again. */
export const retryAfterSeconds = ({ retryAfterSeconds: known }: CaptionfleetError): number =>
  known ?? defaultRetrySeconds;

/** Whether a refusal is a caller's, a defect, or nobody's any more. */
export function logRefusal(error: CaptionfleetError, request: FastifyRequest, reply: FastifyReply): void {
  if (reply.raw.destroyed) request.log.info({ err: error }, 'the caller went away');
  else if (error.status >= 500) request.log.error({ err: error }, error.code);
  else request.log.info({ code: error.code, detail: error.message }, 'refused');
}

export function sendProblem(reply: FastifyReply, error: CaptionfleetError): FastifyReply {
  // Also here, for the errors that Fastify finds before any hook runs.
  reply.header('x-request-id', reply.request.id);
  if (error.retryable) reply.header('retry-after', retryAfterSeconds(error));
  const problem = problemOf(error, reply.request.id);
  return reply.code(problem.status).header('cache-control', 'no-store').type('application/problem+json').send(problem);
}

function problemOf(error: CaptionfleetError, requestId: string): Problem {
  const { code, message, retryable } = reportError(error);
  const { status, meaning } = errorTable[code];
  return {
    type: `urn:captionfleet:error:${code}`,
    title: meaning,
    status,
    detail: message,
    code,
    retryable,
    requestId,
    ...(error instanceof RefusedRequest ? { errors: [...error.errors] } : {}),
  };
}

/** Errors of Node's HTTP parser, which come before there is a request; the default is one that is not HTTP. */
const parserErrors: Readonly<Record<string, readonly [code: ErrorCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', `the request line and headers have more than ${maxHeaderSize} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TOO_SLOW', 'the request did not arrive whole in time'],
  HPE_INVALID_METHOD: ['REQUEST_INVALID', 'the method is none of HTTP'],
  HPE_INVALID_CONTENT_LENGTH: ['REQUEST_INVALID', 'the Content-Length is not a number'],
  HPE_UNEXPECTED_CONTENT_LENGTH: ['REQUEST_INVALID', 'there are Content-Length and Transfer-Encoding, or two of one'],
};

/** Answers what is not HTTP on its bare socket, and closes it: where the next request would begin is unknown. */
export function answerParserError(cause: NodeJS.ErrnoException, socket: Socket): void {
  if (cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = parserErrors[cause.code ?? ''] ?? ['REQUEST_INVALID', 'this is not an HTTP request'];
  const problem = problemOf(new CaptionfleetError(code, message), randomUUID());
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${problem.requestId}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Errors that Fastify finds by itself; the default is a defect of ours. */
const fastifyErrors: Readonly<Record<string, readonly [code: ErrorCode, message: string]>> = {
  FST_ERR_BAD_URL: ['NOT_FOUND', 'the path is not valid'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 'there is no request of this id'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST_TOO_LARGE', `the body has more than ${imageLimits.requestBytes / 2 ** 20} MiB`],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['REQUEST_INVALID', 'the body is empty'],
  FST_ERR_CTP_EMPTY_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'there is no content-type; send application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['REQUEST_INVALID', 'the body is shorter or longer than its Content-Length'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['REQUEST_INVALID', 'the body is not JSON'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'the content-type is not application/json'],
};

/** The error of the table for whatever a route, a hook or Fastify threw. */
export function asFleetError(error: unknown): CaptionfleetError {
  if (error instanceof CaptionfleetError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [known, message] = fastifyErrors[code] ?? ['INTERNAL', 'internal error'];
  return new CaptionfleetError(known, message, { cause: error });
}

/** Bounds of what an answer repeats of a request. */
const maxErrors = 64;
const maxNameLength = 100;

/** The error of a body that does not have the documented form. */
export function invalidBody(issues: readonly FastifySchemaValidationError[]): RefusedRequest {
  const errors = issues.flatMap(fieldErrors).slice(0, maxErrors);
  const [first] = errors;
  const code = errors.every((error) => error.code === 'OPTION_INVALID') ? 'OPTION_INVALID' : 'REQUEST_INVALID';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new RefusedRequest(code, `${first?.pointer || 'the body'}: ${first?.message}${more}`, errors);
}

/** @throws REQUEST_INVALID or OPTION_INVALID, naming what is wrong */
export function parseBody<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidBody(
    parsed.error.issues.map((issue) => ({
      instancePath: `/${issue.path.join('/')}`,
      message: issue.message,
      keyword: issue.code,
      schemaPath: '',
      params: 'keys' in issue ? { keys: issue.keys } : {},
    })),
  );
}

function fieldErrors({ instancePath, message, params }: FastifySchemaValidationError): FieldError[] {
  const path = instancePath === '/' ? '' : instancePath;
  const isOption = path === '/options' || path.startsWith('/options/');
  const code = isOption ? 'OPTION_INVALID' : 'REQUEST_INVALID';
  const unknown = params['keys'];
  if (!Array.isArray(unknown)) return [{ pointer: path, code, message: message ?? 'is not valid' }];
  return unknown
    .slice(0, maxErrors)
    .map((key) => String(key).slice(0, maxNameLength))
    .map((name) => ({
      pointer: `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      code,
      message: isOption ? unknownOption(name) : `unknown field ${JSON.stringify(name)}`,
    }));
}

function unknownOption(name: string): string {
  const near = nearestOption(name);
  return `unknown option ${JSON.stringify(name)}${near === undefined || near === name ? '' : `; did you mean ${near}?`}`;
}

import { type CaptionfleetError, type ErrorCode, errorTable, reportError } from '@captionfleet/protocol/errors';
import type { FastifyReply } from 'fastify';
import type { OpenAiError } from './openai-contract.ts';
import { RefusedRequest, retryAfterSeconds } from './problem.ts';

const types: Readonly<Record<number, OpenAiError['error']['type']>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

export function openAiError(error: { readonly code: ErrorCode; readonly message: string }): OpenAiError {
  const { status } = errorTable[error.code];
  const type = status >= 500 ? 'server_error' : (types[status] ?? 'invalid_request_error');
  return { error: { message: error.message, type, param: paramOf(error), code: error.code } };
}

function paramOf(error: object): string | null {
  const [first] = error instanceof RefusedRequest ? error.errors : [];
  const path = first?.pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  return path === undefined || path === '' ? null : path;
}

export function sendOpenAiError(reply: FastifyReply, error: CaptionfleetError): FastifyReply {
  const { code, message } = reportError(error);
  if (error.retryable) reply.header('retry-after', retryAfterSeconds(error));
  // OpenAI's clients would repeat any 409, and any 5xx.
  else reply.header('x-should-retry', 'false');
  const body = error instanceof RefusedRequest ? openAiError(error) : openAiError({ code, message });
  return reply.code(error.status).header('cache-control', 'no-store').type('application/json').send(body);
}

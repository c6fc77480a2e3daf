import type { RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { FastifyReply } from 'fastify';
import { isFinished } from './request-status.ts';

const pollSeconds = 1;

/** Answers with the status of a request; one that is not finished says when to ask again. */
export function sendStatus(reply: FastifyReply, statusCode: 200 | 202, status: RequestStatus): FastifyReply {
  if (!isFinished(status)) reply.header('retry-after', pollSeconds);
  return reply.code(statusCode).header('cache-control', 'no-store').type('application/json').send(status);
}

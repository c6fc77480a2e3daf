import type { RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { FastifyReply } from 'fastify';
import { isFinished } from './request-status.ts';
import { serverTiming } from './server-timing.ts';

const pollSeconds = 1;

/** Answers with the status of a request: one that is finished says where its time went, another when to ask again. */
export function sendStatus(reply: FastifyReply, statusCode: 200 | 202, status: RequestStatus): FastifyReply {
  if (isFinished(status)) setTiming(reply, status);
  else reply.header('retry-after', pollSeconds);
  return reply.code(statusCode).header('cache-control', 'no-store').type('application/json').send(status);
}

function setTiming(reply: FastifyReply, status: RequestStatus): void {
  const timing = serverTiming(status);
  if (timing !== undefined) reply.header('server-timing', timing);
}

import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { IdParamsSchema, type OpenRequest } from './open-request.ts';
import { accessCodes, problems } from './openapi.ts';
import { eventStream, readToldId } from './request-events.ts';
import type { Waiters } from './waiters.ts';
import { whileConnected } from './while-connected.ts';

interface EventsRoute {
  /** The path that took the request. */
  readonly path: string;
  readonly operationId: string;
  readonly open: OpenRequest;
  /** Bounds the number of streams. */
  readonly streams: Waiters;
}

/** `GET {path}/{id}/events`: what happens to the images of a request, as server-sent events. */
export function addEventsRoute(
  app: Parameters<FastifyPluginCallbackZod>[0],
  { path, operationId, open, streams }: EventsRoute,
): void {
  app.get(
    `${path}/:id/events`,
    {
      config: { scope: 'captions:read' },
      schema: {
        operationId,
        summary: 'What becomes of a request, as server-sent events',
        description:
          '`image.succeeded`, `image.failed`, `image.aborted` and `image.canceled` with the image as in the status document, then `request.finished` with the document without its images, and the end of the stream.',
        params: IdParamsSchema,
        headers: z.looseObject({
          'last-event-id': z
            .string()
            .max(32_768)
            .optional()
            .describe('The id of the last event that was received: everything after it is sent.'),
        }),
        response: {
          200: { description: 'The events.', content: { 'text/event-stream': { schema: z.string() } } },
          204: z.null().describe('Everything was received: do not ask again.'),
          ...problems(
            ...accessCodes,
            'NOT_FOUND',
            'STREAMS_FULL',
            'QUEUE_UNAVAILABLE',
            'STORAGE_UNAVAILABLE',
            'INTERNAL',
          ),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const { record, look } = await open(request, signal);
      const told = readToldId(request.headers['last-event-id'] ?? '', record.images.length);
      reply.header('cache-control', 'no-store');
      if (told.isFinished) return reply.code(204).send(null);
      const looks = streams.watch(record, look, signal);
      // Also when nobody has begun to read the stream.
      reply.raw.once('close', () => void looks.return());
      // While an error still has a status of its own.
      const first = await looks.next();
      const found = async function* () {
        if (first.done) return;
        yield first.value;
        yield* looks;
      };
      return sendStream(reply, Readable.from(eventStream(found(), told), { highWaterMark: 1 }));
    },
  );
}

/** The connection ends with the stream: no proxy keeps it back, and a server that stops need not wait for it. */
function sendStream(reply: FastifyReply, stream: Readable): FastifyReply {
  const headers = { 'x-accel-buffering': 'no', connection: 'close' };
  return reply.headers(headers).type('text/event-stream').send(stream);
}

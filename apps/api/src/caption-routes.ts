import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import {
  CaptionRequestStatusSchema,
  type RequestRecord,
  type RequestStatus,
} from '@captionfleet/protocol/image-outcome';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { admitImages } from './admission.ts';
import { CaptionRequestSchema } from './caption-request.ts';
import { problems } from './openapi.ts';
import { newRequestId } from './request-id.ts';
import { followRequest, isFinished, jobsOf, statusDocument } from './request-status.ts';
import { Waiters } from './waiters.ts';

export interface CaptionRoutesConfig {
  readonly requests: RequestStore;
  readonly producer: JobProducer;
  /** Jobs that may wait in the queue. */
  readonly maxWaiting: number;
  /** Callers that may wait for their captions at a time; more get their 202 at once. */
  readonly maxWaiters: number;
  readonly publicUrl: string | undefined;
}

const maxWaitSeconds = 60;
const pollSeconds = 1;

const PreferHeaderSchema = z.looseObject({
  prefer: z
    .string()
    .optional()
    .describe(`"wait=N" (RFC 7240) keeps the answer back for up to N seconds, ${maxWaitSeconds} at most.`),
});

/** `POST /v1/captions` and `GET /v1/captions/{id}`. */
export const captionRoutes: FastifyPluginCallbackZod<CaptionRoutesConfig> = (app, config, done) => {
  const { requests, producer } = config;
  const waiters = new Waiters(producer, config.maxWaiters);
  app.addHook('preClose', async () => waiters[Symbol.dispose]());

  app.post(
    '/v1/captions',
    {
      schema: {
        operationId: 'createCaptions',
        summary: 'Caption images',
        description:
          'Accepts 1 to 64 images. An image that is refused at the door fails alone; when all are, so is the request.',
        headers: PreferHeaderSchema,
        body: CaptionRequestSchema,
        response: {
          200: statusResponse('Finished in the time that `Prefer: wait` gave.'),
          202: statusResponse('Accepted: poll `Operation-Location`.'),
          ...problems(
            'REQUEST_INVALID',
            'OPTION_INVALID',
            'REQUEST_TOO_LARGE',
            'MEDIA_TYPE_UNSUPPORTED',
            'IMAGES_REFUSED',
            'QUEUE_FULL',
            'QUEUE_UNAVAILABLE',
            'STORAGE_UNAVAILABLE',
            'INTERNAL',
          ),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      await refuseWhenFull(producer, request.body.images.length, config.maxWaiting);
      const record: RequestRecord = {
        version: 1,
        id: newRequestId(),
        createdAt: new Date().toISOString(),
        options: request.body.options,
        images: await admitImages(request.body.images, requests, signal),
      };
      await requests.writeRequest(record, { signal });
      await producer.enqueue(jobsOf(record), { signal });
      request.log.info({ captionRequestId: record.id, images: record.images.length }, 'accepted');

      const path = `/v1/captions/${record.id}`;
      reply.header('location', path).header('operation-location', `${baseUrl(request, config.publicUrl)}${path}`);
      const seconds = preferredWait(request, reply);
      const status =
        seconds === 0
          ? statusDocument(record, new Map(), new Map())
          : await waiters.wait(record.id, followRequest(record, requests, producer), { seconds, signal });
      return sendStatus(reply, isFinished(status) ? 200 : 202, status);
    },
  );

  app.get(
    '/v1/captions/:id',
    {
      schema: {
        operationId: 'getCaptions',
        summary: 'The captions of a request, or how far they are',
        headers: PreferHeaderSchema,
        params: z.object({ id: z.string().describe('The `id` of a caption request.') }),
        response: {
          200: statusResponse('The status of the request and of each image.'),
          ...problems('NOT_FOUND', 'QUEUE_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async (request, reply) => {
      const signal = whileConnected(reply);
      const id = RequestIdSchema.safeParse(request.params.id);
      const record = id.success ? await requests.readRequest(id.data, { signal }) : undefined;
      if (record === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no caption request of this id');
      const seconds = preferredWait(request, reply);
      const follow = followRequest(record, requests, producer);
      return sendStatus(reply, 200, await waiters.wait(record.id, follow, { seconds, signal }));
    },
  );
  done();
};

const statusResponse = (description: string) => ({
  description,
  content: { 'application/json': { schema: CaptionRequestStatusSchema } },
});

/** Before anything is stored; the queue itself checks again. */
async function refuseWhenFull(producer: JobProducer, images: number, maxWaiting: number): Promise<void> {
  const waiting = await producer.depth();
  if (waiting + images <= maxWaiting) return;
  throw new CaptionfleetError('QUEUE_FULL', `${waiting} images are waiting; ${images} more would exceed ${maxWaiting}`);
}

function sendStatus(reply: FastifyReply, statusCode: 200 | 202, status: RequestStatus): FastifyReply {
  if (!isFinished(status)) reply.header('retry-after', pollSeconds);
  return reply.code(statusCode).header('cache-control', 'no-store').type('application/json').send(status);
}

/** Seconds of `Prefer: wait=N`, 0 without; says in the answer what was applied. */
function preferredWait(request: FastifyRequest, reply: FastifyReply): number {
  const wished = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(
    request.headers['prefer']?.toString() ?? '',
  )?.[1];
  if (wished === undefined) return 0;
  const seconds = Math.min(Number(wished), maxWaitSeconds);
  reply.header('preference-applied', `wait=${seconds}`);
  return seconds;
}

/** Where the caller reaches this API; empty, which leaves the path relative, when the Host header is none. */
function baseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  return publicUrl ?? URL.parse(`${request.protocol}://${request.host}`)?.origin ?? '';
}

/** A signal that aborts when the caller goes away before it has its answer. */
function whileConnected(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the caller went away'));
  });
  return controller.signal;
}

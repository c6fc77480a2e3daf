import type { RequestStatusSchemas } from '@captionfleet/protocol/image-outcome';
import type { TaskType } from '@captionfleet/protocol/task';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { IdParamsSchema, type OpenRequest } from './open-request.ts';
import { accessCodes, problems } from './openapi.ts';
import { isFinished } from './request-status.ts';
import { sendStatus } from './send-status.ts';

interface CancelRoute {
  /** The path that took the request. */
  readonly path: string;
  readonly operationId: string;
  readonly schema: (typeof RequestStatusSchemas)[TaskType];
  readonly open: OpenRequest;
}

/** `POST {path}/{id}/cancel`: nobody wants what is not finished of this request. */
export function addCancelRoute(
  app: Parameters<FastifyPluginCallbackZod>[0],
  { path, operationId, schema, open }: CancelRoute,
): void {
  app.post(
    `${path}/:id/cancel`,
    {
      config: { scope: 'captions:write' },
      schema: {
        operationId,
        summary: 'Cancel what is not finished of a request',
        description:
          'Images that no worker has taken are `aborted`, those that one has are `canceled`; what is finished stays. A second time changes nothing.',
        params: IdParamsSchema,
        response: {
          200: {
            description: 'The status of the request, in which nothing is open any more.',
            content: { 'application/json': { schema } },
          },
          ...problems(...accessCodes, 'NOT_FOUND', 'QUEUE_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async (request, reply) => {
      const signal = AbortSignal.timeout(60_000);
      const { record, requests, look } = await open(request, signal);
      let status = await look(signal);
      if (!isFinished(status)) {
        await requests.writeCancellation(record.id, { signal });
        request.log.info({ canceledRequestId: record.id, counts: status.counts }, 'canceled');
        status = await look(signal);
      }
      return sendStatus(reply, 200, status);
    },
  );
}

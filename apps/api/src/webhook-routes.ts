import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type RequestId, RequestIdSchema } from '@captionfleet/protocol/image-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import {
  defaultEndpoint,
  type EndpointId,
  EndpointIdSchema,
  WebhookAttemptSchema,
  type WebhookEndpoint,
  WebhookMessageSchema,
  WebhookSchema,
} from '@captionfleet/protocol/webhook';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mapBounded } from './map-bounded.ts';
import { accessCodes, problems } from './openapi.ts';
import { newRequestId, requestIdTime } from './request-id.ts';
import { readDefaultEndpoint } from './webhook-delivery.ts';
import { newSecret, withNewSecret } from './webhook-signature.ts';
import type { Webhooks } from './webhooks.ts';

const limits = { endpoints: 32, messages: 100, replays: 1_000, readsAtOnce: 8, callMs: 60_000 } as const;

const EndpointSchema = z.object({
  id: EndpointIdSchema,
  createdAt: z.iso.datetime(),
  ...WebhookSchema.partial().shape,
  disabled: z.object({ at: z.iso.datetime(), reason: z.string() }).optional(),
});
const SecretSchema = z.object({
  secret: z.string().describe('`whsec_` and base64. It is shown here and never again.'),
});
const ParamsSchema = z.object({ id: z.string().describe('The `id` of an endpoint, or `default`.') });
const MessageSchema = WebhookMessageSchema.omit({ version: true, endpoint: true }).extend({
  attempts: z.array(WebhookAttemptSchema),
  delivering: z.boolean().describe('Whether attempts go on.'),
});
const ReplaySchema = z
  .strictObject({
    message: z.string().max(128).describe('The `id` of a message.').optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ message, since }) => (message === undefined) !== (since === undefined), {
    error: 'must have either message, or since and perhaps until: the times at which requests were accepted',
  });

const storageProblems = ['NOT_FOUND', 'STORAGE_UNAVAILABLE', 'INTERNAL'] as const;
const ok = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { 'application/json': { schema } },
});

/** `/v1/webhooks`: where a tenant is told of the ends of its requests, and what became of that. */
export const webhookRoutes: FastifyPluginCallbackZod<{ readonly webhooks: Webhooks }> = (app, { webhooks }, done) => {
  const { store, sender, announcer } = webhooks;
  const deadline = () => ({ signal: AbortSignal.timeout(limits.callMs) });

  const find = async (tenant: Tenant, text: string): Promise<WebhookEndpoint> => {
    const id = EndpointIdSchema.safeParse(text);
    const read = async (known: EndpointId) =>
      known === defaultEndpoint
        ? await readDefaultEndpoint(store, tenant, deadline())
        : await store.readEndpoint(tenant, known, deadline());
    const endpoint = id.success ? await read(id.data) : undefined;
    if (endpoint === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no webhook endpoint of this id');
    return endpoint;
  };
  const change = async (
    tenant: Tenant,
    text: string,
    make: (endpoint: WebhookEndpoint) => WebhookEndpoint,
  ): Promise<WebhookEndpoint> => {
    const { id } = await find(tenant, text);
    const changed = await store.changeEndpoint(tenant, id, make, deadline());
    announcer.forgetEndpoints(tenant);
    if (changed === undefined) throw new CaptionfleetError('NOT_FOUND', 'there is no webhook endpoint of this id');
    return changed;
  };

  app.post(
    '/v1/webhooks',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'createWebhook',
        summary: 'Register an endpoint that is told of the ends of requests',
        body: WebhookSchema,
        response: {
          201: ok('The endpoint, with its secret.', EndpointSchema.extend(SecretSchema.shape)),
          ...problems(...accessCodes, 'REQUEST_INVALID', 'URL_REFUSED', 'WEBHOOKS_FULL', ...storageProblems),
        },
      },
    },
    async (request, reply) => {
      const { tenant } = request.principal;
      sender.check(request.body.url);
      const existing = await store.listEndpoints(tenant, deadline());
      if (existing.length >= limits.endpoints) {
        throw new CaptionfleetError('WEBHOOKS_FULL', `there are ${existing.length} endpoints; remove one first`);
      }
      const secret = newSecret();
      const endpoint: WebhookEndpoint = {
        version: 1,
        id: `we_${newRequestId()}`,
        createdAt: new Date().toISOString(),
        webhook: request.body,
        secrets: [{ secret }],
      };
      await store.createEndpoint(tenant, endpoint, deadline());
      announcer.forgetEndpoints(tenant);
      request.log.info({ tenant, endpoint: endpoint.id }, 'webhook endpoint registered');
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...shown(endpoint), secret });
    },
  );

  app.get(
    '/v1/webhooks',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'listWebhooks',
        summary: 'The endpoints, without their secrets',
        response: {
          200: ok('All of them.', z.object({ data: z.array(EndpointSchema) })),
          ...problems(...accessCodes, 'STORAGE_UNAVAILABLE', 'INTERNAL'),
        },
      },
    },
    async (request) => {
      const endpoints = await store.listEndpoints(request.principal.tenant, deadline());
      return { data: endpoints.filter(({ webhook }) => webhook !== undefined).map(shown) };
    },
  );

  app.get(
    '/v1/webhooks/:id',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'getWebhook',
        summary: 'An endpoint',
        params: ParamsSchema,
        response: { 200: ok('Without its secret.', EndpointSchema), ...problems(...accessCodes, ...storageProblems) },
      },
    },
    async (request) => shown(await find(request.principal.tenant, request.params.id)),
  );

  app.delete(
    '/v1/webhooks/:id',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Remove an endpoint; what was on its way to it is dropped',
        params: ParamsSchema,
        response: { 204: z.null().describe('It is gone.'), ...problems(...accessCodes, ...storageProblems) },
      },
    },
    async (request, reply) => {
      const { tenant } = request.principal;
      const { id } = await find(tenant, request.params.id);
      await store.removeEndpoint(tenant, id, deadline());
      announcer.forgetEndpoints(tenant);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/webhooks/:id/rotate-secret',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Give an endpoint a new secret; the one before signs too for 24 hours',
        description: 'Of `default` it is the secret of the URLs that come with requests.',
        params: ParamsSchema,
        response: { 200: ok('The new secret.', SecretSchema), ...problems(...accessCodes, ...storageProblems) },
      },
    },
    async (request, reply) => {
      const secret = newSecret();
      await change(request.principal.tenant, request.params.id, (endpoint) => withNewSecret(endpoint, secret));
      return reply.header('cache-control', 'no-store').send({ secret });
    },
  );

  app.post(
    '/v1/webhooks/:id/enable',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'enableWebhook',
        summary: 'Use an endpoint again that was disabled because its receiver answered 410',
        params: ParamsSchema,
        response: { 200: ok('The endpoint.', EndpointSchema), ...problems(...accessCodes, ...storageProblems) },
      },
    },
    async (request) =>
      shown(await change(request.principal.tenant, request.params.id, ({ disabled: _, ...endpoint }) => endpoint)),
  );

  app.get(
    '/v1/webhooks/:id/messages',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'listWebhookMessages',
        summary: 'What was sent to an endpoint, the newest request first, with every attempt',
        params: ParamsSchema,
        querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(limits.messages).default(20) }),
        response: {
          200: ok('The messages.', z.object({ data: z.array(MessageSchema) })),
          ...problems(...accessCodes, 'REQUEST_INVALID', ...storageProblems),
        },
      },
    },
    async (request) => {
      const { tenant } = request.principal;
      const { id: endpoint } = await find(tenant, request.params.id);
      const messages = await store.listMessages(tenant, endpoint, deadline());
      const newest = messages.toReversed().slice(0, request.query.limit);
      const data = await mapBounded(newest, limits.readsAtOnce, async (requestId) => {
        const delivery = { tenant, endpoint, requestId };
        const message = await store.readMessage(delivery, deadline());
        if (message === undefined) return [];
        // First, so that there is no attempt of a round that is over which is not listed.
        const delivering = (await store.readOutbox(delivery, deadline())) !== undefined;
        const numbers = await store.listAttempts(delivery, deadline());
        const attempts = await mapBounded(numbers, 1, (number) => store.readAttempt(delivery, number, deadline()));
        const { version: _, endpoint: __, ...rest } = message;
        return [{ ...rest, attempts: attempts.filter((attempt) => attempt !== undefined), delivering }];
      });
      return { data: data.flat() };
    },
  );

  app.post(
    '/v1/webhooks/:id/replay',
    {
      config: { scope: 'webhooks' },
      schema: {
        operationId: 'replayWebhook',
        summary: 'Deliver messages again, one or those of a time',
        description: `At most ${limits.replays} messages, the oldest first. Those whose attempts go on anyway are left alone.`,
        params: ParamsSchema,
        body: ReplaySchema,
        response: {
          202: ok('How many are delivered again.', z.object({ replayed: z.int() })),
          ...problems(...accessCodes, 'REQUEST_INVALID', 'QUEUE_UNAVAILABLE', ...storageProblems),
        },
      },
    },
    async (request, reply) => {
      const { tenant } = request.principal;
      const { id: endpoint } = await find(tenant, request.params.id);
      const chosen = chooseMessages(request.body, await store.listMessages(tenant, endpoint, deadline()));
      const deliveries = chosen.map((requestId) => ({ tenant, endpoint, requestId }));
      return reply.code(202).send({ replayed: await webhooks.replay(deliveries, deadline().signal) });
    },
  );
  done();
};

/** What callers see of an endpoint: never a secret. */
function shown({ id, createdAt, webhook, disabled }: WebhookEndpoint): z.infer<typeof EndpointSchema> {
  return { id, createdAt, ...webhook, ...(disabled === undefined ? {} : { disabled }) };
}

function chooseMessages(
  { message, since, until }: z.infer<typeof ReplaySchema>,
  known: readonly RequestId[],
): readonly RequestId[] {
  if (message !== undefined) {
    const id = RequestIdSchema.safeParse(/^msg_([^_]+)/.exec(message)?.[1]);
    if (id.success && known.includes(id.data)) return [id.data];
    throw new CaptionfleetError('NOT_FOUND', 'this endpoint has no message of this id');
  }
  const from = Date.parse(since ?? '');
  const to = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  return known.filter((id) => requestIdTime(id) >= from && requestIdTime(id) <= to).slice(0, limits.replays);
}

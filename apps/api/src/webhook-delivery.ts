import type { RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { Tenant } from '@captionfleet/protocol/tenant';
import {
  defaultEndpoint,
  type Webhook,
  type WebhookAttempt,
  type WebhookEndpoint,
} from '@captionfleet/protocol/webhook';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { WebhookAnswer, WebhookSender } from '@captionfleet/storage/webhook-sender';
import type { Delivery, WebhookStore } from '@captionfleet/storage/webhook-store';
import { within } from '@captionfleet/telemetry/current-span';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';
import { noTracing, type Tracing, traced } from '@captionfleet/telemetry/tracing';
import type { FastifyBaseLogger } from 'fastify';
import { mapBounded } from './map-bounded.ts';
import { statusDocument } from './request-status.ts';
import { payloadOf } from './webhook-payload.ts';
import { waitAfter } from './webhook-schedule.ts';
import { newSecret, signedHeaders } from './webhook-signature.ts';

export interface DeliveryParts {
  readonly store: WebhookStore;
  readonly requests: RequestStore;
  readonly sender: Pick<WebhookSender, 'post'>;
  readonly metrics: Pick<ApiMetrics, 'webhookAttempts'>;
  readonly logger: FastifyBaseLogger;
  /** @defaultValue none */
  readonly tracing?: Tracing | undefined;
}

const readsAtOnce = 8;
/** The receiver wants no more of this kind. */
const gone = 410;

/**
 * Makes the next attempt at a message when it is due. A message is in its round of attempts as long as it has an outbox entry: that goes
 * when one succeeded, the last one failed, or there is nobody any more to deliver to.
 *
 * @returns milliseconds until it is to be looked at again; undefined when the message is settled
 * @throws STORAGE_UNAVAILABLE, the signal's reason
 */
export async function deliver(
  delivery: Delivery,
  parts: DeliveryParts,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { store, sender, metrics, logger, tracing = noTracing } = parts;
  const settle = async (): Promise<undefined> => {
    await store.removeOutbox(delivery, { signal });
  };
  const round = await store.readOutbox(delivery, { signal });
  if (round === undefined) return undefined;
  const earlier = await store.listAttempts(delivery, { signal });
  const number = Math.max(round.firstAttempt, ...earlier.map((made) => made + 1));
  const last = number > round.firstAttempt ? await store.readAttempt(delivery, number - 1, { signal }) : undefined;
  if (last !== undefined && last.nextAt === undefined) return await settle();
  const dueMs = last?.nextAt === undefined ? 0 : Date.parse(last.nextAt) - Date.now();
  if (dueMs > 0) return dueMs;

  const prepared = await prepare(delivery, parts, signal);
  if (prepared === undefined) return await settle();
  const { webhook, endpoint, message, status, traceparent } = prepared;
  const { contentType, body } = payloadOf(message, status, webhook.format);
  const startedAt = Date.now();
  const signed = { id: message.id, timestamp: Math.floor(startedAt / 1_000), body };
  const headers = { 'content-type': contentType, ...signedHeaders(signed, endpoint) };
  const attributes = { 'captionfleet.request.id': delivery.requestId, 'captionfleet.attempt': number + 1 };
  const post = { kind: 'client', parent: traceparent, attributes } as const;
  const { answer, attempt } = await traced(tracing, 'webhook', post, async (span) => {
    const answer = await sender.post(webhook.url, { headers, body }, signal);
    const attempt = attemptOf(answer, { startedAt, made: number - round.firstAttempt + 1 });
    span.set({ 'http.response.status_code': answer.status });
    if (attempt.outcome === 'failed') span.fail(String(answer.status ?? 'WEBHOOK_FAILED'));
    const line = { webhookId: message.id, attempt: number + 1, ...attempt };
    within(span, () => logger.info(line, `webhook ${attempt.outcome}`));
    return { answer, attempt };
  });
  metrics.webhookAttempts.inc({ outcome: attempt.outcome });
  await store.writeAttempt(delivery, number, attempt, { signal });
  if (answer.status === gone) await disable(delivery, parts, signal);
  if (attempt.nextAt === undefined) return await settle();
  return Math.max(0, Date.parse(attempt.nextAt) - Date.now());
}

interface Prepared {
  readonly webhook: Webhook;
  readonly endpoint: WebhookEndpoint;
  readonly message: NonNullable<Awaited<ReturnType<WebhookStore['readMessage']>>>;
  readonly status: RequestStatus;
  /** Of the request. */
  readonly traceparent: string | undefined;
}

/** Undefined when there is nobody any more to deliver to, or nothing. */
async function prepare(
  delivery: Delivery,
  { store, requests }: DeliveryParts,
  signal: AbortSignal,
): Promise<Prepared | undefined> {
  const { tenant, requestId } = delivery;
  const isDefault = delivery.endpoint === defaultEndpoint;
  const own = requests.of(tenant);
  const [message, record, endpoint] = await Promise.all([
    store.readMessage(delivery, { signal }),
    own.readRequest(requestId, { signal }),
    isDefault
      ? readDefaultEndpoint(store, tenant, { signal })
      : store.readEndpoint(tenant, delivery.endpoint, { signal }),
  ]);
  const webhook = isDefault ? record?.webhook : endpoint?.webhook;
  if (message === undefined || record === undefined || endpoint === undefined || webhook === undefined)
    return undefined;
  if (!isDefault && endpoint.disabled !== undefined) return undefined;
  const read = async (index: number) => [index, await own.readOutcome(requestId, index, { signal })] as const;
  const found = await mapBounded([...record.images.keys()], readsAtOnce, read);
  const outcomes = new Map(found.flatMap(([index, outcome]) => (outcome === undefined ? [] : [[index, outcome]])));
  // An image without an outcome, of a request that has ended, is one that the queue gave up.
  const given = new Map([...record.images.keys()].map((index) => [index, 'failed' as const]));
  const status = statusDocument(record, outcomes, given);
  return { webhook, endpoint, message, status, traceparent: record.traceparent };
}

function attemptOf(
  { status, reason, retryAfter = 0 }: WebhookAnswer,
  { startedAt, made }: { readonly startedAt: number; readonly made: number },
): WebhookAttempt {
  const now = Date.now();
  const common = {
    at: new Date(startedAt).toISOString(),
    milliseconds: now - startedAt,
    ...(status === undefined ? {} : { status }),
  };
  if (status !== undefined && status >= 200 && status <= 299) return { ...common, outcome: 'succeeded' };
  const wait = status === gone ? undefined : waitAfter(made);
  return {
    ...common,
    outcome: 'failed',
    reason: reason ?? `the receiver answered ${status}`,
    ...(wait === undefined ? {} : { nextAt: new Date(now + Math.max(wait, retryAfter * 1_000)).toISOString() }),
  };
}

/** A URL that came with a request has no endpoint to disable; its message is settled all the same. */
async function disable(
  { tenant, endpoint }: Delivery,
  { store, logger }: DeliveryParts,
  signal: AbortSignal,
): Promise<void> {
  if (endpoint === defaultEndpoint) return;
  const disabled = { at: new Date().toISOString(), reason: 'the receiver answered 410' };
  await store.changeEndpoint(tenant, endpoint, (current) => ({ ...current, disabled }), { signal });
  logger.warn({ tenant, endpoint }, 'webhook endpoint disabled: its receiver answered 410');
}

/** The tenant's default endpoint, made when it is first needed. */
export async function readDefaultEndpoint(
  store: WebhookStore,
  tenant: Tenant,
  options: { readonly signal: AbortSignal },
): Promise<WebhookEndpoint | undefined> {
  const found = await store.readEndpoint(tenant, defaultEndpoint, options);
  if (found !== undefined) return found;
  const createdAt = new Date().toISOString();
  const fresh = { version: 1, id: defaultEndpoint, createdAt, secrets: [{ secret: newSecret() }] } as const;
  await store.createEndpoint(tenant, { ...fresh, secrets: [...fresh.secrets] }, options);
  return await store.readEndpoint(tenant, defaultEndpoint, options);
}

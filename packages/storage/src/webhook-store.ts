import { blobNames, webhookMarks } from '@captionfleet/protocol/blob-names';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type RequestId, RequestIdSchema } from '@captionfleet/protocol/image-job';
import { type Lane, lanes } from '@captionfleet/protocol/queue-names';
import { type TaskType, taskTypes } from '@captionfleet/protocol/task';
import { type Tenant, TenantSchema } from '@captionfleet/protocol/tenant';
import {
  type EndpointId,
  EndpointIdSchema,
  OutboxEntrySchema,
  type WebhookAttempt,
  WebhookAttemptSchema,
  type WebhookEndpoint,
  WebhookEndpointSchema,
  type WebhookMessage,
  WebhookMessageSchema,
} from '@captionfleet/protocol/webhook';
import type { BlobStore } from './blob-store.ts';
import { parseDocument, type Schema } from './json-blobs.ts';

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A request whose end somebody wants to hear of; what is known of it without reading it. */
export interface PendingRequest {
  readonly tenant: Tenant;
  readonly id: RequestId;
  readonly lane: Lane;
  readonly task: TaskType;
  readonly images: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
}

/** One message on its way to one endpoint. */
export interface Delivery {
  readonly tenant: Tenant;
  readonly endpoint: EndpointId;
  readonly requestId: RequestId;
}

/** A delivery among those of all tenants: the name of its mark in the outbox, and its job. */
export const deliveryKey = ({ tenant, endpoint, requestId }: Delivery): string =>
  [tenant, endpoint, requestId].join('.');

/** Undefined for what is no such key. */
export function readDelivery(key: string): Delivery | undefined {
  const [tenant, endpoint, requestId] = key.split('.');
  const [whose, where, which] = [
    TenantSchema.safeParse(tenant),
    EndpointIdSchema.safeParse(endpoint),
    RequestIdSchema.safeParse(requestId),
  ];
  if (!(whose.success && where.success && which.success)) return undefined;
  return { tenant: whose.data, endpoint: where.data, requestId: which.data };
}

/** Webhooks in Blob; docs/decisions/2026-11-25-events-and-webhooks.md has the names. Fails with STORAGE_UNAVAILABLE. */
export interface WebhookStore {
  readEndpoint(tenant: Tenant, id: EndpointId, options?: CallOptions): Promise<WebhookEndpoint | undefined>;
  listEndpoints(tenant: Tenant, options?: CallOptions): Promise<WebhookEndpoint[]>;
  /** Stores the endpoint if there is none of its id. */
  createEndpoint(tenant: Tenant, endpoint: WebhookEndpoint, options?: CallOptions): Promise<void>;
  /** Replaces an endpoint by what `change` makes of it, again when another has changed it meanwhile; undefined if it is gone. */
  changeEndpoint(
    tenant: Tenant,
    id: EndpointId,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint,
    options?: CallOptions,
  ): Promise<WebhookEndpoint | undefined>;
  removeEndpoint(tenant: Tenant, id: EndpointId, options?: CallOptions): Promise<void>;

  writePending(request: PendingRequest, options?: CallOptions): Promise<void>;
  removePending(request: PendingRequest, options?: CallOptions): Promise<void>;
  listPending(options?: CallOptions): Promise<PendingRequest[]>;

  /** Begins a round of attempts at a message; `exists` while one is going on. */
  writeOutbox(delivery: Delivery, firstAttempt: number, options?: CallOptions): Promise<'created' | 'exists'>;
  readOutbox(delivery: Delivery, options?: CallOptions): Promise<{ readonly firstAttempt: number } | undefined>;
  removeOutbox(delivery: Delivery, options?: CallOptions): Promise<void>;
  listOutbox(options?: CallOptions): Promise<Delivery[]>;

  writeMessage(tenant: Tenant, message: WebhookMessage, options?: CallOptions): Promise<void>;
  readMessage(delivery: Delivery, options?: CallOptions): Promise<WebhookMessage | undefined>;
  /** The requests whose ends were told to an endpoint, the oldest first. */
  listMessages(tenant: Tenant, endpoint: EndpointId, options?: CallOptions): Promise<readonly RequestId[]>;
  /** The numbers of the attempts at a message, in their order. */
  listAttempts(delivery: Delivery, options?: CallOptions): Promise<readonly number[]>;
  writeAttempt(delivery: Delivery, number: number, attempt: WebhookAttempt, options?: CallOptions): Promise<void>;
  readAttempt(delivery: Delivery, number: number, options?: CallOptions): Promise<WebhookAttempt | undefined>;
}

const maxDocumentBytes = 64 * 1024;
/** Names that are looked at in one listing. */
const limits = { endpoints: 1_000, marks: 50_000, messages: 50_000, attempts: 10_000 } as const;
const changeTries = 5;

const jsonType = 'application/json';
const toBytes = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

export function openWebhookStore(store: BlobStore): WebhookStore {
  const read = async <T>(schema: Schema<T>, name: string, { signal }: CallOptions): Promise<T | undefined> => {
    const bytes = await store.read(name, { maxBytes: maxDocumentBytes, signal });
    return bytes === undefined ? undefined : parseDocument(schema, name, bytes);
  };
  const put = async (name: string, value: object, { signal }: CallOptions) =>
    await store.putOnce(name, toBytes(value), jsonType, { signal });
  const messageName = ({ tenant, endpoint, requestId }: Delivery) =>
    blobNames(tenant).webhookMessage(endpoint, requestId);
  const attemptName = ({ tenant, endpoint, requestId }: Delivery, number: number) =>
    blobNames(tenant).webhookAttempt(endpoint, requestId, number);

  const readEndpoint: WebhookStore['readEndpoint'] = async (tenant, id, options = {}) =>
    await read(WebhookEndpointSchema, blobNames(tenant).webhookEndpoint(id), options);

  return {
    readEndpoint,
    async listEndpoints(tenant, { signal } = {}) {
      const folder = blobNames(tenant).webhookEndpoints;
      const names = await store.list(folder, { limit: limits.endpoints, signal });
      const found = await Promise.all(names.map((name) => read(WebhookEndpointSchema, name, { signal })));
      return found.filter((endpoint) => endpoint !== undefined);
    },
    async createEndpoint(tenant, endpoint, options = {}) {
      await put(blobNames(tenant).webhookEndpoint(endpoint.id), endpoint, options);
    },
    async changeEndpoint(tenant, id, change, { signal } = {}) {
      const name = blobNames(tenant).webhookEndpoint(id);
      for (let tried = 0; tried < changeTries; tried += 1) {
        const version = await store.readVersion(name, { maxBytes: maxDocumentBytes, signal });
        if (version === undefined) return undefined;
        const changed = change(parseDocument(WebhookEndpointSchema, name, version.bytes));
        const outcome = await store.replace(name, toBytes(changed), jsonType, { etag: version.etag, signal });
        if (outcome === 'replaced') return changed;
      }
      throw new CaptionfleetError('STORAGE_UNAVAILABLE', `blob "${name}" is being changed by others all the time`);
    },
    async removeEndpoint(tenant, id, options = {}) {
      await store.remove(blobNames(tenant).webhookEndpoint(id), options);
    },

    async writePending(request, options = {}) {
      await put(webhookMarks.pending(request), {}, options);
    },
    async removePending(request, options = {}) {
      await store.remove(webhookMarks.pending(request), options);
    },
    async listPending({ signal } = {}) {
      const names = await store.list(webhookMarks.pendingFolder, { limit: limits.marks, signal });
      return names.flatMap((name) => pendingOf(name) ?? []);
    },

    writeOutbox: async (delivery, firstAttempt, options = {}) =>
      await put(webhookMarks.outbox(deliveryKey(delivery)), { version: 1, firstAttempt }, options),
    readOutbox: async (delivery, options = {}) =>
      await read(OutboxEntrySchema, webhookMarks.outbox(deliveryKey(delivery)), options),
    async removeOutbox(delivery, options = {}) {
      await store.remove(webhookMarks.outbox(deliveryKey(delivery)), options);
    },
    async listOutbox({ signal } = {}) {
      const names = await store.list(webhookMarks.outboxFolder, { limit: limits.marks, signal });
      return names.flatMap((name) => deliveryOf(name) ?? []);
    },

    async writeMessage(tenant, message, options = {}) {
      await put(blobNames(tenant).webhookMessage(message.endpoint, message.requestId), message, options);
    },
    readMessage: async (delivery, options = {}) => await read(WebhookMessageSchema, messageName(delivery), options),
    async listMessages(tenant, endpoint, { signal } = {}) {
      const folder = blobNames(tenant).webhookMessages(endpoint);
      const names = await store.list(folder, { limit: limits.messages, signal });
      const found = names.map((name) => RequestIdSchema.safeParse(name.slice(folder.length).split('/')[0]));
      return [...new Set(found.flatMap(({ data }) => data ?? []))];
    },
    async listAttempts(delivery, { signal } = {}) {
      const folder = messageName(delivery).replace(/[^/]+$/, '');
      const names = await store.list(folder, { limit: limits.attempts, signal });
      return names.flatMap((name) => attemptNumber(name.slice(folder.length)) ?? []);
    },
    async writeAttempt(delivery, number, attempt, options = {}) {
      await put(attemptName(delivery, number), attempt, options);
    },
    readAttempt: async (delivery, number, options = {}) =>
      await read(WebhookAttemptSchema, attemptName(delivery, number), options),
  };
}

function pendingOf(name: string): PendingRequest | undefined {
  const [tenant, id, lane, task, images, deadline] = name
    .slice(webhookMarks.pendingFolder.length)
    .replace(/\.json$/, '')
    .split('.');
  const [whose, which] = [TenantSchema.safeParse(tenant), RequestIdSchema.safeParse(id)];
  const type = taskTypes.find((known) => known === task);
  const ownLane = lanes.find((known) => known === lane);
  if (!(whose.success && which.success) || type === undefined || ownLane === undefined) return undefined;
  return {
    tenant: whose.data,
    id: which.data,
    lane: ownLane,
    task: type,
    images: Number(images),
    deadline: deadline === '0' ? undefined : Number(deadline),
  };
}

const deliveryOf = (name: string): Delivery | undefined =>
  readDelivery(name.slice(webhookMarks.outboxFolder.length).replace(/\.json$/, ''));

const attemptNumber = (file: string): number | undefined => {
  const number = /^attempt-(\d+)\.json$/.exec(file)?.[1];
  return number === undefined ? undefined : Number(number);
};

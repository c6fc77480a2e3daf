import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { jobId, requestKey } from '@captionfleet/protocol/image-job';
import type { RequestRecord } from '@captionfleet/protocol/image-outcome';
import { headOf } from '@captionfleet/protocol/task';
import type { Tenant } from '@captionfleet/protocol/tenant';
import { defaultEndpoint, type EndpointId, type WebhookEvent } from '@captionfleet/protocol/webhook';
import type { DeliveryQueue } from '@captionfleet/queue/delivery-queue';
import type { RequestStore } from '@captionfleet/storage/request-store';
import {
  type Delivery,
  deliveryKey,
  type PendingRequest,
  type WebhookStore,
} from '@captionfleet/storage/webhook-store';
import type { FastifyBaseLogger } from 'fastify';
import { requestIdTime } from './request-id.ts';
import { followRequest } from './request-status.ts';
import { everyQueue, type TaskQueues } from './task-queues.ts';
import { endOf } from './webhook-payload.ts';

export interface AnnouncerConfig {
  readonly store: WebhookStore;
  readonly requests: RequestStore;
  readonly queues: TaskQueues;
  readonly deliveries: Pick<DeliveryQueue, 'add' | 'unknown'>;
  readonly logger: FastifyBaseLogger;
  /** Milliseconds between two sweeps. @defaultValue 30 000 */
  readonly sweepMs?: number;
}

const limits = {
  sweepMs: 30_000,
  /** For one sweep, or one look at a request. */
  workMs: 120_000,
  /** For which it is remembered whether a tenant has endpoints. */
  endpointsMs: 10_000,
  tenants: 10_000,
  /** After which a mark without a request is one whose request was never stored. */
  orphanMs: 10 * 60_000,
  looksAtOnce: 4,
} as const;

interface Watched {
  readonly request: PendingRequest;
  /** Jobs whose end was not heard of. */
  open: number;
}

/**
 * Sees to it that the end of a request is announced to those who want to hear of it. A request is
 *
 * expected   it has a mark in `pending`, from before it was accepted
 * ended      a look at it found nothing open; then there is a message and an outbox entry for each receiver, then no mark
 *
 * A look is made when the queue has told of as many ends as the request has jobs, and by a sweep for what was not told; each process
 * does both, and all of it may be done twice.
 */
export class WebhookAnnouncer implements AsyncDisposable {
  readonly #config: AnnouncerConfig;
  readonly #watched = new Map<string, Watched>();
  readonly #endpoints = new Map<Tenant, { readonly at: number; readonly some: Promise<boolean> }>();
  readonly #subscriptions: readonly Disposable[];
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(config: AnnouncerConfig) {
    this.#config = config;
    const producers = everyQueue(config.queues).map(({ producer }) => producer);
    this.#subscriptions = producers.map((producer) => producer.onFinished((id) => this.#notice(id)));
    this.#sweepLater(0);
  }

  /** To be called before a request is stored: marks it when somebody wants to hear of its end. */
  async expect(record: RequestRecord, signal: AbortSignal): Promise<void> {
    if (record.webhook === undefined && !(await this.#hasEndpoints(record.tenant))) return;
    const { tenant, id, lane, task, images, deadline } = record;
    const request: PendingRequest = {
      tenant,
      id,
      lane,
      task: task.type,
      images: images.length,
      deadline: deadline === undefined ? undefined : Date.parse(deadline),
    };
    await this.#config.store.writePending(request, { signal });
    const jobs = images.filter((image) => 'source' in image).length;
    this.#watched.set(requestKey(tenant, id), { request, open: jobs });
  }

  /** The endpoints of a tenant have changed. */
  forgetEndpoints(tenant: Tenant): void {
    this.#endpoints.delete(tenant);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    clearTimeout(this.#timer);
    this.#stopping.abort(new CaptionfleetError('SHUTTING_DOWN', 'the API is stopping'));
    await Promise.all(this.#running);
  }

  async #hasEndpoints(tenant: Tenant): Promise<boolean> {
    const now = performance.now();
    const known = this.#endpoints.get(tenant);
    if (known !== undefined && now - known.at < limits.endpointsMs) return await known.some;
    const some = this.#config.store
      .listEndpoints(tenant)
      .then((endpoints) => endpoints.some(({ webhook, disabled }) => webhook !== undefined && disabled === undefined));
    if (this.#endpoints.size >= limits.tenants) this.#endpoints.clear();
    this.#endpoints.set(tenant, { at: now, some });
    return await some.catch((error: unknown) => {
      this.#endpoints.delete(tenant);
      throw error;
    });
  }

  #notice(id: string): void {
    const watched = this.#watched.get(id.replace(/-\d+$/, ''));
    if (watched === undefined) return;
    watched.open -= 1;
    if (watched.open <= 0) void this.#run((signal) => this.#look(watched.request, signal));
  }

  #sweepLater(milliseconds: number): void {
    const { sweepMs = limits.sweepMs } = this.#config;
    this.#timer = setTimeout(() => {
      void this.#run((signal) => this.#sweep(signal)).finally(() => {
        if (!this.#stopping.signal.aborted) this.#sweepLater(sweepMs * (0.75 + Math.random() / 2));
      });
    }, milliseconds);
    this.#timer.unref();
  }

  /** Runs to its end or until the stop; a failure is left to the next sweep. */
  #run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(limits.workMs)]);
    const running = work(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) {
          const { code, message } = reportError(error);
          this.#config.logger.warn({ code, err: error }, `webhooks: ${message}; the next sweep goes on`);
        }
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { store, deliveries } = this.#config;
    const outbox = (await store.listOutbox({ signal })).map(deliveryKey);
    const missed = outbox.length === 0 ? [] : await deliveries.unknown(outbox);
    if (missed.length > 0) await deliveries.add(missed);

    const before = [...this.#watched.keys()];
    const pending = await store.listPending({ signal });
    const marked = new Set(pending.map(({ tenant, id }) => requestKey(tenant, id)));
    // Announced by another process.
    for (const key of before) if (!marked.has(key)) this.#watched.delete(key);
    const queue = pending.values();
    const lane = async (): Promise<void> => {
      for (const request of queue) {
        signal.throwIfAborted();
        if (await this.#mayHaveEnded(request)) await this.#look(request, signal);
      }
    };
    await Promise.all(Array.from({ length: limits.looksAtOnce }, lane));
  }

  /** False while the queue knows of a job of it that is open, and its deadline is to come; without a call to Blob. */
  async #mayHaveEnded({ tenant, id: requestId, lane, task, images, deadline }: PendingRequest): Promise<boolean> {
    if (deadline !== undefined && deadline < Date.now()) return true;
    const ids = Array.from({ length: images }, (_, index) => jobId({ tenant, requestId, index }));
    const states = await this.#config.queues[lane][headOf[task]].producer.states(ids);
    return ![...states.values()].some((state) => state === 'queued' || state === 'running');
  }

  async #look(request: PendingRequest, signal: AbortSignal): Promise<void> {
    const { store, requests, queues } = this.#config;
    const { tenant, id, lane, task } = request;
    const key = requestKey(tenant, id);
    const own = requests.of(tenant);
    const record = await own.readRequest(id, { signal });
    if (record === undefined) {
      if (Date.now() - requestIdTime(id) > limits.orphanMs) await store.removePending(request, { signal });
      return;
    }
    const status = await followRequest(record, own, queues[lane][headOf[task]].producer)(signal);
    const event = endOf(status);
    if (event === undefined) {
      this.#watched.set(key, { request, open: status.counts.queued + status.counts.running });
      return;
    }
    await this.#announce(record, event, signal);
    await store.removePending(request, { signal });
    this.#watched.delete(key);
  }

  async #announce(record: RequestRecord, event: WebhookEvent, signal: AbortSignal): Promise<void> {
    const { store, deliveries } = this.#config;
    const { tenant, id: requestId } = record;
    const endpoints = await store.listEndpoints(tenant, { signal });
    const wanting = endpoints.filter(
      ({ webhook, disabled }) => disabled === undefined && webhook?.events.includes(event),
    );
    const receivers: EndpointId[] = wanting.map(({ id }) => id);
    if (record.webhook?.events.includes(event)) receivers.push(defaultEndpoint);
    const createdAt = new Date().toISOString();
    for (const endpoint of receivers) {
      const delivery = { tenant, endpoint, requestId };
      const id = messageId(delivery);
      await store.writeMessage(tenant, { version: 1, id, endpoint, requestId, event, createdAt }, { signal });
      await store.writeOutbox(delivery, 0, { signal });
    }
    await deliveries.add(receivers.map((endpoint) => deliveryKey({ tenant, endpoint, requestId })));
  }
}

export const messageId = ({ endpoint, requestId }: Pick<Delivery, 'endpoint' | 'requestId'>): string =>
  endpoint === defaultEndpoint ? `msg_${requestId}` : `msg_${requestId}_${endpoint}`;

import type { DeliveryQueue } from '@captionfleet/queue/delivery-queue';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { WebhookSender } from '@captionfleet/storage/webhook-sender';
import { type Delivery, deliveryKey, readDelivery, type WebhookStore } from '@captionfleet/storage/webhook-store';
import type { ApiMetrics } from '@captionfleet/telemetry/metrics';
import type { Tracing } from '@captionfleet/telemetry/tracing';
import type { FastifyBaseLogger } from 'fastify';
import type { TaskQueues } from './task-queues.ts';
import { WebhookAnnouncer } from './webhook-announcer.ts';
import { deliver } from './webhook-delivery.ts';

export interface WebhooksConfig {
  readonly store: WebhookStore;
  readonly requests: RequestStore;
  readonly queues: TaskQueues;
  readonly deliveries: DeliveryQueue;
  readonly sender: WebhookSender;
  readonly metrics: ApiMetrics;
  readonly logger: FastifyBaseLogger;
  /** @defaultValue none */
  readonly tracing?: Tracing | undefined;
  /** Milliseconds between two sweeps. @defaultValue 30 000 */
  readonly sweepMs?: number;
}

/** What the routes need of the webhooks, and what runs behind them until it is disposed of. */
export interface Webhooks extends AsyncDisposable {
  readonly store: WebhookStore;
  readonly sender: Pick<WebhookSender, 'check'>;
  readonly announcer: Pick<WebhookAnnouncer, 'expect' | 'forgetEndpoints'>;
  /** Begins new rounds of attempts; returns how many messages are not in one already. */
  replay(deliveries: readonly Delivery[], signal: AbortSignal): Promise<number>;
}

const limits = {
  deliveriesAtOnce: 16,
  /** Of those, to one receiver: a slow one must not hold up the others. */
  toOneReceiver: 4,
  /** Before a delivery to a busy receiver is taken up again; up to as much again is added at random. */
  busyMs: 2_000,
} as const;

export function openWebhooks(config: WebhooksConfig): Webhooks {
  const { store, sender, deliveries } = config;
  const announcer = new WebhookAnnouncer(config);
  const busy = new Map<string, number>();
  const consumer = deliveries.consume(
    async (id, signal) => {
      const delivery = readDelivery(id);
      if (delivery === undefined) return undefined;
      const receiver = receiverOf(delivery);
      const others = busy.get(receiver) ?? 0;
      if (others >= limits.toOneReceiver) return limits.busyMs * (1 + Math.random());
      busy.set(receiver, others + 1);
      try {
        return await deliver(delivery, config, signal);
      } catch (error) {
        if (!signal.aborted) config.logger.warn({ err: error, delivery: id }, 'a webhook could not be attempted');
        throw error;
      } finally {
        const left = (busy.get(receiver) ?? 1) - 1;
        if (left === 0) busy.delete(receiver);
        else busy.set(receiver, left);
      }
    },
    { concurrency: limits.deliveriesAtOnce },
  );
  return {
    store,
    sender,
    announcer,
    async replay(wanted, signal) {
      const begun: Delivery[] = [];
      for (const delivery of wanted) {
        const attempts = await store.listAttempts(delivery, { signal });
        const firstAttempt = Math.max(0, ...attempts.map((number) => number + 1));
        if ((await store.writeOutbox(delivery, firstAttempt, { signal })) === 'created') begun.push(delivery);
      }
      await deliveries.add(begun.map(deliveryKey));
      return begun.length;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([consumer[Symbol.asyncDispose](), announcer[Symbol.asyncDispose]()]);
    },
  };
}

/** URLs that came with requests count as one receiver each tenant, since the job does not say which they are. */
const receiverOf = ({ tenant, endpoint }: Delivery): string => `${tenant}.${endpoint}`;

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { RequestRecord } from '@captionfleet/protocol/image-outcome';
import type { Lane } from '@captionfleet/protocol/queue-names';
import { headOf, type ModelTask, type Task } from '@captionfleet/protocol/task';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { Webhook } from '@captionfleet/protocol/webhook';
import type { Places } from '@captionfleet/queue/producer';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { currentSpan } from '@captionfleet/telemetry/current-span';
import { noTracing, type Tracing, traced } from '@captionfleet/telemetry/tracing';
import { type ArrivedImage, admitImages } from './admission.ts';
import { refuseUnreachable } from './deadline.ts';
import { newRequestId } from './request-id.ts';
import { jobsOf } from './request-status.ts';
import type { TaskProducer } from './routed-producer.ts';
import type { TaskQueue, TaskQueues } from './task-queues.ts';
import type { Webhooks } from './webhooks.ts';

export interface SubmissionConfig {
  readonly requests: RequestStore;
  readonly queues: TaskQueues;
  /** What the fleet has models for. */
  readonly tasks: readonly ModelTask[];
  /** Counts the images of a tenant; undefined where there is no limit. @throws RATE_LIMITED */
  readonly spendImages?: ((tenant: Tenant, images: number) => Promise<void>) | undefined;
  /** Absent: nobody is told of the end of a request. */
  readonly webhooks?: Pick<Webhooks, 'sender' | 'announcer'> | undefined;
  /** @defaultValue none */
  readonly tracing?: Tracing | undefined;
}

export interface Submission {
  readonly tenant: Tenant;
  readonly task: Task;
  /** @defaultValue interactive */
  readonly lane?: Lane;
  readonly images: readonly ArrivedImage[];
  /** After this time, in UTC, nobody wants what is not finished. */
  readonly deadline?: string | undefined;
  /** Who is told of the end, beside the tenant's endpoints. */
  readonly webhook?: Webhook | undefined;
}

/** Milliseconds for the jobs of a stored request to be in the queue. */
const enqueueMs = 10_000;

/**
 * The way in of every surface of the API: looks at each image, stores the inline ones and the record of the request, and
 * enqueues its jobs. When it returns, nothing of the request can be lost.
 *
 * @throws TASK_UNSUPPORTED, URL_REFUSED (of the webhook), QUEUE_FULL, RATE_LIMITED, DEADLINE_UNREACHABLE or IMAGES_REFUSED before a record is
 * stored; QUEUE_UNAVAILABLE, STORAGE_UNAVAILABLE, or the signal's reason
 */
export async function submit(
  submission: Submission,
  config: SubmissionConfig,
  signal: AbortSignal,
): Promise<RequestRecord> {
  const { places, admitted } = await reserveAndAdmit(submission, config, signal);
  using _ = places;
  return await store({ ...admitted, id: newRequestId() }, places, config, signal);
}

/** The places are the caller's to give back. @throws what `reservePlaces` and `admit` throw */
export async function reserveAndAdmit(
  submission: Submission,
  config: SubmissionConfig,
  signal: AbortSignal,
): Promise<{ readonly places: Places; readonly admitted: Omit<RequestRecord, 'id'> }> {
  const { tenant, images } = submission;
  const attributes = { 'captionfleet.images': images.length, 'captionfleet.tenant': tenant };
  return await traced(config.tracing ?? noTracing, 'admit', { attributes }, async () => {
    const places = await reservePlaces(submission, config);
    try {
      return { places, admitted: await admit(submission, config, signal) };
    } catch (error) {
      places[Symbol.dispose]();
      throw error;
    }
  });
}

/** @throws TASK_UNSUPPORTED, URL_REFUSED, QUEUE_FULL, DEADLINE_UNREACHABLE, QUEUE_UNAVAILABLE */
export async function reservePlaces(
  { task, lane = 'interactive', images, deadline, webhook }: Submission,
  { queues, tasks, webhooks }: SubmissionConfig,
): Promise<Places> {
  assertServed(task, tasks);
  if (webhook !== undefined) assertCallable(webhook, webhooks);
  const producer = producerOf({ lane, task }, queues);
  if (deadline !== undefined) await refuseUnreachable(producer, images.length, deadline);
  return await producer.reserve(images.length, images.length, {
    tasks: [task],
    deadline: deadline === undefined ? undefined : Date.parse(deadline),
  });
}

/** What the record of a request says but for its id: its images were looked at, and the inline ones are stored. */
export async function admit(
  { tenant, task, lane = 'interactive', images, deadline, webhook }: Submission,
  config: SubmissionConfig,
  signal: AbortSignal,
): Promise<Omit<RequestRecord, 'id'>> {
  const requests = config.requests.of(tenant);
  await config.spendImages?.(tenant, images.length);
  const admitted = await admitImages(images, { tenant, requests }, signal);
  const { traceparent } = currentSpan();
  const terms = {
    ...(deadline === undefined ? {} : { deadline }),
    ...(webhook === undefined ? {} : { webhook }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  return { tenant, createdAt: new Date().toISOString(), task, lane, ...terms, images: admitted };
}

/** Writes the record of an admitted request and enqueues its jobs; those of the record that another writer was faster with. */
export async function store(
  record: RequestRecord,
  places: Places,
  { requests, queues, webhooks, tracing = noTracing }: SubmissionConfig,
  signal: AbortSignal,
  assertExpected: (standing: RequestRecord) => void = () => undefined,
): Promise<RequestRecord> {
  // Before the request can end.
  await webhooks?.announcer.expect(record, signal);
  const attributes = { 'captionfleet.request.id': record.id };
  const standing = await traced(tracing, 'store', { attributes }, () =>
    requests.of(record.tenant).writeRequest(record, { signal }),
  );
  assertExpected(standing);
  await send(standing, places, { queues, tracing });
  return standing;
}

/** What is stored is enqueued, also when its caller has gone meanwhile. */
async function send(
  record: RequestRecord,
  places: Places,
  { queues, tracing }: { readonly queues: TaskQueues; readonly tracing: Tracing },
): Promise<void> {
  const jobs = jobsOf(record);
  const { name, producer } = queueOf(record, queues);
  const attributes = {
    'messaging.system': 'bullmq',
    'messaging.operation.name': 'add',
    'messaging.operation.type': 'send',
    'messaging.destination.name': name,
    'messaging.batch.message_count': jobs.length,
    'captionfleet.request.id': record.id,
  };
  await traced(tracing, 'send', { of: name, kind: 'producer', parent: record.traceparent, attributes }, (span) => {
    const { traceparent } = span;
    const sent = traceparent === undefined ? jobs : jobs.map((job) => ({ ...job, traceparent }));
    return producer.enqueue(sent, { signal: AbortSignal.timeout(enqueueMs), places });
  });
}

const queueOf = ({ lane, task }: Pick<RequestRecord, 'lane' | 'task'>, queues: TaskQueues): TaskQueue =>
  queues[lane][headOf[task.type]];

export const producerOf = (record: Pick<RequestRecord, 'lane' | 'task'>, queues: TaskQueues): TaskProducer =>
  queueOf(record, queues).producer;

export function assertServed({ type }: Pick<Task, 'type'>, served: readonly ModelTask[]): void {
  const head = headOf[type];
  if (served.includes(head)) return;
  throw new CaptionfleetError('TASK_UNSUPPORTED', `no model of this fleet can ${head}; it can ${served.join(', ')}`);
}

function assertCallable({ url }: Webhook, webhooks: SubmissionConfig['webhooks']): void {
  if (webhooks === undefined) throw new CaptionfleetError('REQUEST_INVALID', '/webhook: this API sends no webhooks');
  webhooks.sender.check(url);
}

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { RequestRecord } from '@captionfleet/protocol/image-outcome';
import type { Lane } from '@captionfleet/protocol/queue-names';
import { headOf, type ModelTask, type Task } from '@captionfleet/protocol/task';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { JobProducer } from '@captionfleet/queue/producer';
import type { RequestStore } from '@captionfleet/storage/request-store';
import { admitImages } from './admission.ts';
import { newRequestId } from './request-id.ts';
import { jobsOf } from './request-status.ts';
import type { TaskQueues } from './task-queues.ts';
import type { DoorImage } from './task-request.ts';

export interface SubmissionConfig {
  readonly requests: RequestStore;
  readonly queues: TaskQueues;
  /** What the fleet has models for. */
  readonly tasks: readonly ModelTask[];
  /** Jobs that may wait in each queue. */
  readonly maxWaiting: number;
}

export interface Submission {
  readonly tenant: Tenant;
  readonly task: Task;
  readonly lane: Lane;
  readonly images: readonly DoorImage[];
}

/**
 * The way in of every surface of the API: looks at each image, stores the inline ones and the record of the request, and
 * enqueues its jobs. When it returns, nothing of the request can be lost.
 *
 * @throws TASK_UNSUPPORTED, QUEUE_FULL or IMAGES_REFUSED before anything is stored; QUEUE_UNAVAILABLE, STORAGE_UNAVAILABLE, or
 * the signal's reason
 */
export async function submit(
  { tenant, task, lane, images }: Submission,
  { queues, tasks, maxWaiting, ...config }: SubmissionConfig,
  signal: AbortSignal,
): Promise<RequestRecord> {
  assertServed(task, tasks);
  const requests = config.requests.of(tenant);
  const { producer } = queues[lane][headOf[task.type]];
  await refuseWhenFull(producer, images.length, maxWaiting);
  const record: RequestRecord = {
    tenant,
    id: newRequestId(),
    createdAt: new Date().toISOString(),
    task,
    lane,
    images: await admitImages(images, { tenant, requests }, signal),
  };
  await requests.writeRequest(record, { signal });
  await producer.enqueue(jobsOf(record), { signal });
  return record;
}

function assertServed({ type }: Pick<Task, 'type'>, served: readonly ModelTask[]): void {
  const head = headOf[type];
  if (served.includes(head)) return;
  throw new CaptionfleetError('TASK_UNSUPPORTED', `no model of this fleet can ${head}; it can ${served.join(', ')}`);
}

/** Before anything is stored; the queue itself checks again. */
async function refuseWhenFull(producer: JobProducer, images: number, maxWaiting: number): Promise<void> {
  const waiting = await producer.depth();
  if (waiting + images <= maxWaiting) return;
  throw new CaptionfleetError('QUEUE_FULL', `${waiting} images are waiting; ${images} more would exceed ${maxWaiting}`);
}

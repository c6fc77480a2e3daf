import type { Client } from 'openapi-fetch';
import { type Deadline, pause, startDeadline } from './deadline.ts';
import { unfinished } from './fleet-error.ts';
import { bodyMaker, type Image } from './image.ts';
import { linesOf } from './json-lines.ts';
import type { components, operations, paths } from './openapi-types.ts';
import { retryAfter, withRetries } from './retry.ts';
import type { Asked, CallOptions, RequestStatus, Task } from './task.ts';

type Answer<Operation extends keyof operations, Status extends number> = operations[Operation] extends {
  responses: Record<Status, { content: { 'application/json': infer Content } }>;
}
  ? Content
  : never;

/** What became of each item at the door: accepted, a duplicate of another's name, or refused and why. */
export type BulkAccepted = Answer<'createBulkCaptions', 202>;
export type BulkStatus = Answer<'getBulk', 200>;

type Ended<Of extends Task> = Extract<
  RequestStatus<Of>['images'][number],
  { status: 'succeeded' | 'failed' | 'aborted' | 'canceled' }
>;
/** An item that has ended; `cancelled` is one that was cancelled before it began. */
export type BulkResult<Of extends Task> = { readonly index: number; readonly customId?: string } & (
  | Omit<Extract<Ended<Of>, { status: 'succeeded' }>, 'index' | 'customId'>
  | { readonly status: 'failed' | 'aborted' | 'canceled'; readonly error: components['schemas']['ErrorReport'] }
  | { readonly status: 'cancelled' }
);

/** A great many images under one id, on the bulk lane. */
export interface BulkCalls {
  /**
   * Submits up to 10,000 images; the answer says of each whether it was accepted. A full queue is asked again, but an upload
   * whose answer is lost is not sent twice: it fails with NETWORK, and may have been accepted in part.
   */
  submit<Of extends Task>(
    task: Of,
    images: readonly Image[],
    asked: Omit<Asked[Of], 'lane' | 'webhook'>,
    options?: CallOptions,
  ): Promise<BulkAccepted>;
  status(id: string, options?: CallOptions): Promise<BulkStatus>;
  /** Waits until every item has ended or the request is cancelled; DEADLINE, with its id, when that is not in time. */
  wait(id: string, options?: CallOptions): Promise<BulkStatus>;
  /** Begins none of the items that have not begun. */
  cancel(id: string, options?: CallOptions): Promise<BulkStatus>;
  /**
   * What has become of the items that have ended, in the order of the items, as it is read. `deadlineMs` is that of the answer's
   * beginning and of each further piece. A connection that breaks is NETWORK: ask again.
   */
  results<Of extends Task>(task: Of, id: string, options?: CallOptions): AsyncGenerator<BulkResult<Of>, void>;
}

const bulkPaths = {
  caption: '/v1/bulk/captions',
  match: '/v1/bulk/match',
  embed: '/v1/bulk/embed',
  answer: '/v1/bulk/answer',
} as const satisfies Record<Task, keyof paths>;

/** Milliseconds between two looks where the fleet names none. */
const pollMs = 1_000;

export type Within = <Result>(options: CallOptions, call: (deadline: Deadline) => Promise<Result>) => Promise<Result>;

export function bulkCalls(client: Client<paths>, within: Within, standardMs: number): BulkCalls {
  const look = (id: string, deadline: Deadline) =>
    withRetries((signal) => client.GET('/v1/bulk/{id}', { params: { path: { id } }, signal }), deadline);

  const untilEnded = async (id: string, deadline: Deadline): Promise<BulkStatus> => {
    try {
      for (;;) {
        const { data, response } = await look(id, deadline);
        if (data.status === 'ended' || data.status === 'cancelled') return data;
        await pause(retryAfter(response.headers) ?? pollMs, deadline.signal);
      }
    } catch (cause) {
      throw unfinished(cause, `bulk request ${id} has not ended`, id);
    }
  };

  return {
    submit: (task, images, asked, options = {}) =>
      within(options, async (deadline) => {
        const makeBody = bodyMaker(images, asked, 'items');
        const send = async (signal: AbortSignal) => {
          const { body, ...streaming } = await makeBody();
          return await client.POST(bulkPaths[task] as typeof bulkPaths.caption, {
            // The serializer below has what is sent; this only says that there is a body.
            body: { items: [] },
            bodySerializer: () => body,
            headers: { 'content-type': 'application/json' },
            signal,
            ...streaming,
          });
        };
        const { data } = await withRetries(send, deadline, ({ status }) => status === 429);
        return data as BulkAccepted;
      }),
    status: (id, options = {}) => within(options, async (deadline) => (await look(id, deadline)).data),
    wait: (id, options = {}) => within(options, (deadline) => untilEnded(id, deadline)),
    cancel: (id, options = {}) =>
      within(options, async (deadline) => {
        const call = (signal: AbortSignal) => client.POST('/v1/bulk/{id}/cancel', { params: { path: { id } }, signal });
        return (await withRetries(call, deadline)).data;
      }),
    async *results(_task, id, { signal, deadlineMs = standardMs } = {}) {
      const stream = await within({ signal, deadlineMs }, async (deadline) => {
        const call = (each: AbortSignal) =>
          client.GET('/v1/bulk/{id}/results', { params: { path: { id } }, parseAs: 'stream', signal: each });
        return (await withRetries(call, deadline)).data as ReadableStream<Uint8Array> | null;
      });
      for await (const line of linesOf(stream, () => startDeadline(deadlineMs, signal))) {
        const { custom_id: customId, ...result } = JSON.parse(line);
        yield { ...result, ...(customId !== undefined && { customId }) };
      }
    },
  };
}

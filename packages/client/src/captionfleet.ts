import createClient from 'openapi-fetch';
import { type BulkCalls, bulkCalls, type Within } from './bulk.ts';
import { type Deadline, pause, startDeadline } from './deadline.ts';
import { unfinished } from './fleet-error.ts';
import { bodyMaker, type Image } from './image.ts';
import type { components, paths } from './openapi-types.ts';
import { retryAfter, withRetries } from './retry.ts';
import type { Asked, CallOptions, RequestStatus, Task } from './task.ts';

export type { CallOptions, RequestStatus, Task };

export type RequestSummary = components['schemas']['RequestListing']['requests'][number];

const taskPaths = {
  caption: '/v1/captions',
  match: '/v1/match',
  embed: '/v1/embed',
  answer: '/v1/answer',
} as const satisfies Record<Task, keyof paths>;

/** For the compiler all are the first: they differ in what is asked and answered, not in how. */
const pathOf = (task: Task) => taskPaths[task] as typeof taskPaths.caption;

export interface SubmitOptions extends CallOptions {
  /** Names the request, so that sending it twice makes one. @defaultValue a new one for each call, kept through its retries */
  readonly idempotencyKey?: string;
}

export interface ListOptions extends CallOptions {
  readonly status?: RequestSummary['status'];
  readonly createdAfter?: Date;
}

export interface ClientOptions {
  /** Where the fleet is, such as https://captions.example.org. */
  readonly baseUrl: string;
  /** An API key, or a token of Microsoft Entra ID. */
  readonly apiKey?: string | undefined;
  /** Milliseconds that a call has. @defaultValue 120000 */
  readonly deadlineMs?: number;
  /** @defaultValue the global fetch */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/**
 * Calls of a fleet. Each takes a signal and ends by its deadline. Each sends again what may succeed later, after the pause
 * that the fleet asks for; a submission has an idempotency key, so that this never makes two requests of one.
 *
 * All reject with FleetError, or with the reason of the signal.
 */
export interface Captionfleet {
  /** Captions images, 1 to 64, and waits for them. An image that failed says so in its own place. */
  caption(images: readonly Image[], options?: Asked['caption'] & SubmitOptions): Promise<RequestStatus<'caption'>>;
  /** Says how well each text goes with each image. */
  match(
    images: readonly Image[],
    texts: readonly string[],
    options?: Omit<Asked['match'], 'texts'> & SubmitOptions,
  ): Promise<RequestStatus<'match'>>;
  /** Turns images, and `texts`, into vectors of one space. */
  embed(images: readonly Image[], options?: Asked['embed'] & SubmitOptions): Promise<RequestStatus<'embed'>>;
  /** Asks each image each question. */
  answer(
    images: readonly Image[],
    questions: readonly string[],
    options?: Omit<Asked['answer'], 'questions'> & SubmitOptions,
  ): Promise<RequestStatus<'answer'>>;
  /** Submits without waiting: the answer has the id to wait for, and is accepted for good. */
  submit<Of extends Task>(
    task: Of,
    images: readonly Image[],
    asked: Asked[Of],
    options?: SubmitOptions,
  ): Promise<RequestStatus<Of>>;
  /** How far a request is. */
  status<Of extends Task>(task: Of, id: string, options?: CallOptions): Promise<RequestStatus<Of>>;
  /** Waits until a request is finished; DEADLINE, with its id, when it is not in time. */
  wait<Of extends Task>(task: Of, id: string, options?: CallOptions): Promise<RequestStatus<Of>>;
  /** Nobody wants what is not finished of a request; the status in which nothing is open any more. */
  cancel<Of extends Task>(task: Of, id: string, options?: CallOptions): Promise<RequestStatus<Of>>;
  /** A great many images under one id. */
  readonly bulk: BulkCalls;
  /** The caller's requests, newest first, a page at a time as they are read. `deadlineMs` is that of each page. */
  list(task: Task, options?: ListOptions): AsyncGenerator<RequestSummary, void>;
}

/** Seconds that the fleet keeps an answer back at most. */
const maxWaitSeconds = 60;
/** Milliseconds between the end of such a wait and that of the call, so that its answer still comes. */
const answerMs = 1_000;
/** Milliseconds between two looks where the fleet names none. */
const pollMs = 1_000;

export function captionfleet({ baseUrl, apiKey, deadlineMs: standard = 120_000, fetch }: ClientOptions): Captionfleet {
  const client = createClient<paths>({
    baseUrl,
    ...(apiKey === undefined ? {} : { headers: { authorization: `Bearer ${apiKey}` } }),
    ...(fetch === undefined ? {} : { fetch }),
  });

  const within: Within = async ({ signal, deadlineMs = standard }, call) => {
    const deadline = startDeadline(deadlineMs, signal);
    try {
      return await call(deadline);
    } finally {
      deadline.end();
    }
  };

  const send = async <Of extends Task>(
    task: Of,
    { images, asked, key = newKey() }: { images: readonly Image[]; asked: Asked[Of]; key?: string | undefined },
    deadline: Deadline,
    waits: boolean,
  ): Promise<Looked<Of>> => {
    const makeBody = bodyMaker(images, asked);
    const { data, response } = await withRetries(async (signal) => {
      const { body, ...streaming } = await makeBody();
      return await client.POST(pathOf(task), {
        params: { header: { 'idempotency-key': key, ...preferWait(deadline, waits) } },
        // The serializer below has what is sent; this only says that there is a body.
        body: { images: [] },
        bodySerializer: () => body,
        headers: { 'content-type': 'application/json' },
        signal,
        ...streaming,
      });
    }, deadline);
    return { status: data as unknown as RequestStatus<Of>, response };
  };

  const look = async <Of extends Task>(
    task: Of,
    id: string,
    deadline: Deadline,
    waits: boolean,
  ): Promise<Looked<Of>> => {
    const { data, response } = await withRetries(
      (signal) =>
        client.GET(`${pathOf(task)}/{id}` as const, {
          params: { path: { id }, header: preferWait(deadline, waits) },
          signal,
        }),
      deadline,
    );
    return { status: data as unknown as RequestStatus<Of>, response };
  };

  const waitFrom = async <Of extends Task>(
    task: Of,
    first: Looked<Of>,
    deadline: Deadline,
  ): Promise<RequestStatus<Of>> => {
    let looked = first;
    try {
      while (!isFinished(looked.status)) {
        await pause(retryAfter(looked.response.headers) ?? pollMs, deadline.signal);
        looked = await look(task, first.status.id, deadline, true);
      }
    } catch (cause) {
      throw unfinished(cause, `request ${first.status.id} was accepted and is not finished`, first.status.id);
    }
    return looked.status;
  };

  const run = <Of extends Task>(
    task: Of,
    images: readonly Image[],
    { signal, deadlineMs, idempotencyKey, ...asked }: Asked[Of] & SubmitOptions,
  ): Promise<RequestStatus<Of>> =>
    within({ ...(signal && { signal }), ...(deadlineMs && { deadlineMs }) }, async (deadline) => {
      const request = { images, asked: asked as unknown as Asked[Of], key: idempotencyKey };
      return await waitFrom(task, await send(task, request, deadline, true), deadline);
    });

  return {
    caption: (images, options = {}) => run('caption', images, options),
    match: (images, texts, options = {}) => run('match', images, { ...options, texts: [...texts] }),
    embed: (images, options = {}) => run('embed', images, options),
    answer: (images, questions, options = {}) => run('answer', images, { ...options, questions: [...questions] }),
    submit: (task, images, asked, options = {}) =>
      within(options, async (deadline) => {
        const { status } = await send(task, { images, asked, key: options.idempotencyKey }, deadline, false);
        return status;
      }),
    status: (task, id, options = {}) =>
      within(options, async (deadline) => (await look(task, id, deadline, false)).status),
    wait: (task, id, options = {}) =>
      within(options, async (deadline) => await waitFrom(task, await look(task, id, deadline, true), deadline)),
    cancel: (task, id, options = {}) =>
      within(options, async (deadline) => {
        const call = (signal: AbortSignal) =>
          client.POST(`${pathOf(task)}/{id}/cancel` as const, { params: { path: { id } }, signal });
        return (await withRetries(call, deadline)).data as unknown as RequestStatus<typeof task>;
      }),
    bulk: bulkCalls(client, within, standard),
    async *list(task, { status, createdAfter, ...options } = {}) {
      let cursor: string | undefined;
      do {
        const query = {
          ...(status && { status }),
          ...(createdAfter && { created_after: createdAfter.toISOString() }),
          ...(cursor && { cursor }),
        };
        const { data } = await within(options, (deadline) =>
          withRetries((signal) => client.GET(pathOf(task), { params: { query }, signal }), deadline),
        );
        yield* data.requests;
        cursor = data.nextCursor;
      } while (cursor !== undefined);
    },
  };
}

interface Looked<Of extends Task> {
  readonly status: RequestStatus<Of>;
  readonly response: Response;
}

const isFinished = ({ status }: RequestStatus<Task>): boolean => status !== 'queued' && status !== 'running';

/** As long as the fleet waits and the call has. */
function preferWait(deadline: Deadline, waits: boolean): { prefer?: string } {
  const seconds = Math.min(maxWaitSeconds, Math.floor((deadline.remainingMs() - answerMs) / 1_000));
  return waits && seconds > 0 ? { prefer: `wait=${seconds}` } : {};
}

/** 128 bits of chance. The key is a name and no secret, and Node 18 has no global `crypto`. */
function newKey(): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(Math.random() * 256));
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import { jobId } from '@captionfleet/protocol/image-job';
import type { ImageStatus, RequestStatus } from '@captionfleet/protocol/image-outcome';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { type ModelTask, type Task, TaskSchema } from '@captionfleet/protocol/task';
import type { ArrivedImage } from './admission.ts';
import { CellRefused, readImageCell } from './azureml-cell.ts';
import type { Frame } from './azureml-frame.ts';
import type { PythonValue } from './azureml-json.ts';
import type { SignatureColumns } from './azureml-swagger.ts';
import { mapBounded } from './map-bounded.ts';
import type { Principal } from './principal.ts';
import { RefusedRequest } from './problem.ts';
import { followRequest, isFinished, jobsOf } from './request-status.ts';
import { producerOf, type SubmissionConfig, submit } from './submission.ts';
import type { Waiters } from './waiters.ts';

/** What a deployment does: captions, answers, or either by the columns that come. */
export type DeploymentTask = 'caption' | 'answer' | 'auto';

export interface ScoringConfig extends SubmissionConfig {
  readonly waiters: Waiters;
  /** Jobs that may wait in a queue: as many rows as a request can have. */
  readonly maxWaiting: number;
  /** Rows that failed carry an error instead of failing the request. */
  readonly rowErrors: boolean;
  /** Milliseconds for all rows of a request together. */
  readonly timeoutMs: number;
}

export interface ScoredRow {
  readonly text: string;
  readonly error?: Pick<ErrorReport, 'code' | 'message'>;
}

/** The scoring script would have thrown; why is for the log. */
export class ScoringFailed extends Error {
  override readonly name = 'ScoringFailed';
}

/** The rows were not all scored in time. */
export class ScoringTimeout extends Error {
  override readonly name = 'ScoringTimeout';
}

const requestsAtOnce = 4;
/** Milliseconds between looks when the waiters are at their limit. */
const lookAgainMs = 1_000;

type Outcome = { readonly text: string } | { readonly error: ErrorReport };
interface Row {
  readonly position: number;
  readonly image: ArrivedImage;
}

/** The columns that a model of the fleet would have in its signature. */
export function signatureColumns(task: DeploymentTask, served: readonly ModelTask[]): SignatureColumns {
  const answers = task === 'auto' ? !served.includes('caption') && served.includes('answer') : task === 'answer';
  return answers ? ['image', 'text'] : ['image'];
}

/** Both heads and a column of questions: they were sent to be answered. */
const asksQuestions = (frame: Frame, task: DeploymentTask, served: readonly ModelTask[]): boolean =>
  task === 'auto' && served.includes('answer') && frame.column('text') !== undefined;

/**
 * Scores the rows of a frame in the fleet, all at once, and gives their texts in the order of the rows.
 *
 * @throws ScoringFailed, ScoringTimeout; QUEUE_FULL, QUEUE_UNAVAILABLE or STORAGE_UNAVAILABLE
 */
export async function scoreFrame(
  frame: Frame,
  task: DeploymentTask,
  config: ScoringConfig,
  { principal, signal }: { readonly principal: Principal; readonly signal: AbortSignal },
): Promise<readonly ScoredRow[]> {
  const columns = asksQuestions(frame, task, config.tasks) ? ['image', 'text'] : signatureColumns(task, config.tasks);
  const [images, questions] = columns.map((name) => {
    const cells = frame.column(name);
    if (cells === undefined) throw new ScoringFailed(`the frame has no column ${name}`);
    return cells;
  });
  if (images === undefined || images.length === 0) throw new ScoringFailed('the frame has no rows');
  if (images.length > config.maxWaiting) {
    throw new CaptionfleetError('QUEUE_FULL', `${images.length} rows are more than may wait`);
  }
  const outcomes = await scoreRows(images, questions, config, {
    principal,
    signal,
    deadline: performance.now() + config.timeoutMs,
  });
  return outcomes.map(rowOf);
}

interface Scoring {
  readonly principal: Principal;
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

async function scoreRows(
  images: readonly PythonValue[],
  questions: readonly PythonValue[] | undefined,
  config: ScoringConfig,
  scoring: Scoring,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const fail = (position: number, error: ErrorReport): void => {
    if (!config.rowErrors) throw new ScoringFailed(`row ${position}: ${error.message}`);
    outcomes[position] = { error };
  };
  const rows = new Map<string, { readonly task: Task; readonly rows: Row[] }>();
  for (const [position, cell] of images.entries()) {
    try {
      const question = questions?.[position];
      const task = questions === undefined ? captionTask : answerTask(question ?? null);
      const key = JSON.stringify(task);
      const group = rows.get(key) ?? { task, rows: [] };
      rows.set(key, group);
      group.rows.push({ position, image: readImageCell(cell) });
    } catch (error) {
      if (!(error instanceof CellRefused)) throw error;
      fail(position, { code: 'REQUEST_INVALID', message: error.message, retryable: false });
    }
  }
  const requests = [...rows.values()].flatMap((group) =>
    inRequests(group.rows).map((part) => ({ task: group.task, rows: part })),
  );
  await mapBounded(requests, requestsAtOnce, async (request) => {
    for (const [index, outcome] of (await scoreRequest(request, config, scoring)).entries()) {
      const position = request.rows[index]?.position ?? 0;
      if ('error' in outcome) fail(position, outcome.error);
      else outcomes[position] = outcome;
    }
  });
  return outcomes;
}

export const captionTask: Task = { type: 'caption', options: {} };

export function answerTask(question: PythonValue): Task {
  const task = TaskSchema.safeParse({ type: 'answer', questions: [question], options: {} });
  if (task.success) return task.data;
  throw new CellRefused(`the question ${task.error.issues[0]?.message ?? 'is not valid'}`);
}

/** As many rows as one request of the fleet takes. */
const inRequests = (rows: readonly Row[]): Row[][] =>
  Array.from({ length: Math.ceil(rows.length / imageLimits.perRequest) }, (_, index) =>
    rows.slice(index * imageLimits.perRequest, (index + 1) * imageLimits.perRequest),
  );

/** Makes one request of the fleet and waits for it. */
async function scoreRequest(
  { task, rows }: { readonly task: Task; readonly rows: readonly Row[] },
  config: ScoringConfig,
  { principal: { tenant }, signal, deadline }: Scoring,
): Promise<Outcome[]> {
  try {
    const record = await submit({ tenant, task, images: rows.map(({ image }) => image) }, config, signal);
    const producer = producerOf(record, config.queues);
    const follow = followRequest(record, config.requests.of(tenant), producer);
    let status: RequestStatus | undefined;
    try {
      while (status === undefined || !isFinished(status)) {
        const left = deadline - performance.now();
        if (left <= 0) throw new ScoringTimeout('not all rows were scored in time');
        // Where the waiters are at their limit it returns at once.
        if (status !== undefined) await delay(Math.min(lookAgainMs, left), undefined, { signal });
        status = await config.waiters.wait(record, follow, { seconds: left / 1_000, signal });
        signal.throwIfAborted();
      }
    } finally {
      // Nobody learns the id of this request, so nobody could ask for what has not begun yet.
      if (status === undefined || !isFinished(status)) await producer.withdraw(jobsOf(record).map(jobId));
    }
    return status.images.map(outcomeOf);
  } catch (error) {
    if (error instanceof RefusedRequest) {
      return rows.map((_, index) => {
        const { code, message } = error.errors.find((refused) => refused.index === index) ?? reportError(error);
        return { error: { code, message, retryable: false } };
      });
    }
    if (error instanceof CaptionfleetError && error.code === 'TASK_UNSUPPORTED') throw new ScoringFailed(error.message);
    throw error;
  }
}

function outcomeOf(image: ImageStatus): Outcome {
  if ('error' in image) return { error: image.error };
  if (image.status === 'succeeded' && 'captions' in image) return { text: image.captions[0]?.text ?? '' };
  if (image.status === 'succeeded' && 'answers' in image) return { text: image.answers[0]?.text ?? '' };
  throw new ScoringFailed('the result is none of this task');
}

const rowOf = (outcome: Outcome): ScoredRow =>
  'error' in outcome
    ? { text: '', error: { code: outcome.error.code, message: outcome.error.message } }
    : { text: outcome.text.trim() };

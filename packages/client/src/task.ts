import type { components } from './openapi-types.ts';

type Schemas = components['schemas'];

/** What each task is asked beside its images, and where. */
export interface Asked {
  readonly caption: Omit<Schemas['CaptionRequestInput'], 'images'>;
  readonly match: Omit<Schemas['MatchRequestInput'], 'images'>;
  readonly embed: Omit<Schemas['EmbedRequestInput'], 'images'>;
  readonly answer: Omit<Schemas['AnswerRequestInput'], 'images'>;
}

/** What is known of a request: how far it is, and what became of each image. */
interface Statuses {
  readonly caption: Schemas['CaptionRequestStatus'];
  readonly match: Schemas['MatchRequestStatus'];
  readonly embed: Schemas['EmbedRequestStatus'];
  readonly answer: Schemas['AnswerRequestStatus'];
}

export type Task = keyof Asked;
export type RequestStatus<Of extends Task> = Statuses[Of];

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call, retries and waiting included. @defaultValue that of the client */
  readonly deadlineMs?: number;
}

/**
 * Every error that leaves this fleet has a code from this table: over HTTP, in a result, in a log line or on the
 * command line. `status` is the HTTP status of a request that fails for this reason, `retryable` says whether the
 * same request may succeed later, `meaning` is the line of docs/reference/errors.md.
 */
export const errorTable = {
  CONFIG_INVALID: { status: 500, retryable: false, meaning: 'A setting is missing or wrong; the message names it.' },

  REQUEST_INVALID: { status: 400, retryable: false, meaning: 'The request does not have the documented form.' },
  OPTION_INVALID: {
    status: 400,
    retryable: false,
    meaning: 'An option or a text of the task is unknown or out of range.',
  },
  IMAGES_REFUSED: { status: 422, retryable: false, meaning: 'Every image was refused at the door; `errors` says why.' },
  REQUEST_TOO_LARGE: { status: 413, retryable: false, meaning: 'The request body is over the limit.' },
  HEADERS_TOO_LARGE: { status: 431, retryable: false, meaning: 'The request line and headers are over the limit.' },
  REQUEST_TOO_SLOW: { status: 408, retryable: true, meaning: 'The request did not arrive whole in time.' },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    retryable: false,
    meaning: 'The request body is not application/json, or is compressed.',
  },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    meaning: 'There is no key or token, or it is not one of this fleet, or no longer.',
  },
  FORBIDDEN: { status: 403, retryable: false, meaning: 'The key or token lacks the scope of this route.' },
  IDENTITY_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'The keys of the identity provider cannot be had, so its tokens cannot be checked.',
  },
  RATE_LIMITED: {
    status: 429,
    retryable: true,
    meaning: 'The caller sends more than its limit; Retry-After says when to go on.',
  },
  NOT_FOUND: { status: 404, retryable: false, meaning: 'There is no such route, request or webhook endpoint.' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, meaning: 'The route exists, with another method.' },

  IDEMPOTENCY_CONFLICT: {
    status: 409,
    retryable: false,
    meaning: 'This Idempotency-Key or id stands for a request with another body.',
  },

  FILE_IN_USE: {
    status: 409,
    retryable: false,
    meaning: 'The file is the input of a batch that has not ended.',
  },
  BATCH_ENDED: { status: 409, retryable: false, meaning: 'The batch has ended and cannot be cancelled any more.' },

  URL_REFUSED: {
    status: 422,
    retryable: false,
    meaning: 'The URL is malformed or points where the fleet will not go.',
  },
  SOURCE_NOT_FOUND: { status: 422, retryable: false, meaning: 'The URL or blob does not exist or is not readable.' },
  SOURCE_UNAVAILABLE: { status: 502, retryable: true, meaning: 'The host of the image failed or took too long.' },
  BASE64_INVALID: { status: 422, retryable: false, meaning: 'The inline image is not valid base64.' },

  IMAGE_EMPTY: { status: 422, retryable: false, meaning: 'The image has no bytes.' },
  IMAGE_TOO_LARGE: { status: 413, retryable: false, meaning: 'The image has more bytes than the limit.' },
  IMAGE_FORMAT_UNKNOWN: { status: 415, retryable: false, meaning: 'The bytes are not JPEG, PNG, WebP or GIF.' },
  IMAGE_CORRUPT: { status: 422, retryable: false, meaning: 'The image is truncated or damaged.' },
  IMAGE_TOO_SMALL: { status: 422, retryable: false, meaning: 'The image has fewer pixels than can be captioned.' },
  IMAGE_TOO_MANY_PIXELS: {
    status: 413,
    retryable: false,
    meaning: 'The image is wider, taller or larger than the limit.',
  },
  IMAGE_QUARANTINED: {
    status: 422,
    retryable: false,
    meaning: 'The image ended an inference process twice; it is not tried again.',
  },

  MODEL_NOT_FOUND: { status: 500, retryable: false, meaning: 'The model directory or one of its files is missing.' },
  MODEL_CORRUPT: {
    status: 500,
    retryable: false,
    meaning: 'A file of the model differs from its checksum or cannot be read.',
  },
  MODEL_UNSUPPORTED: {
    status: 500,
    retryable: false,
    meaning: 'The checkpoint is not one this fleet can run; the message names file and field.',
  },
  MACHINE_NOT_ALLOWED: {
    status: 500,
    retryable: false,
    meaning: 'The worker found itself on a machine size that it is not to run on.',
  },
  MACHINE_UNSUITABLE: {
    status: 500,
    retryable: false,
    meaning: "The machine is less than the model's card asks for, or its size is not one that the publisher allows.",
  },
  TASK_UNSUPPORTED: { status: 422, retryable: false, meaning: 'No model here has a head for this task.' },
  MODEL_DRIFTED: {
    status: 500,
    retryable: false,
    meaning: 'The model does not answer on this machine as it did when it was built.',
  },
  MODEL_DOWNLOAD_FAILED: { status: 502, retryable: true, meaning: 'The model hub did not give the checkpoint.' },

  QUEUE_FULL: { status: 429, retryable: true, meaning: 'More work is waiting than the fleet accepts.' },
  DEADLINE_UNREACHABLE: {
    status: 429,
    retryable: true,
    meaning: 'At the measured rate the work that waits takes longer than the deadline of the request allows.',
  },
  DEADLINE_EXCEEDED: { status: 504, retryable: false, meaning: 'The deadline of the request passed first.' },
  REQUEST_CANCELED: { status: 409, retryable: false, meaning: 'The caller canceled the request.' },
  QUEUE_UNAVAILABLE: { status: 503, retryable: true, meaning: 'Redis does not answer.' },
  WEBHOOKS_FULL: { status: 409, retryable: false, meaning: 'The tenant has as many webhook endpoints as it may.' },
  STREAMS_FULL: {
    status: 503,
    retryable: true,
    meaning: 'This process has as many event streams open as it serves.',
  },
  STORAGE_UNAVAILABLE: { status: 503, retryable: true, meaning: 'Blob storage does not answer.' },
  METADATA_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'The instance metadata service of Azure does not answer, or not as documented.',
  },
  INFERENCE_FAILED: { status: 500, retryable: true, meaning: 'The inference process failed or took too long.' },
  ATTEMPTS_EXHAUSTED: {
    status: 500,
    retryable: false,
    meaning: 'Every allowed attempt at this image was interrupted or failed.',
  },

  FILE_UNSUPPORTED: {
    status: 415,
    retryable: false,
    meaning: 'The input of a scoring job has a file that is neither CSV nor an image.',
  },
  FILE_INVALID: {
    status: 422,
    retryable: false,
    meaning: 'A file of a scoring job is not the CSV that it should be, or lacks a column.',
  },
  ERROR_THRESHOLD_EXCEEDED: {
    status: 422,
    retryable: false,
    meaning: 'More files of a scoring job failed than its error_threshold allows.',
  },
  OUTPUT_EXISTS: {
    status: 409,
    retryable: false,
    meaning: 'There is a blob already where a scoring job would write its predictions.',
  },
  JOB_TOO_LONG: { status: 500, retryable: false, meaning: 'A scoring job did not end within its days.' },

  RESULT_LATE: {
    status: 503,
    retryable: true,
    meaning: 'The result was not there in the time that this interface keeps its callers waiting.',
  },
  SHUTTING_DOWN: { status: 503, retryable: true, meaning: 'This process is stopping; another one will take the work.' },
  OUTPUT_FAILED: { status: 500, retryable: false, meaning: 'The command line cannot write its standard output.' },
  INTERNAL: { status: 500, retryable: true, meaning: 'A defect of this fleet; the log has the cause.' },
} as const satisfies Record<string, { status: number; retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof errorTable;

/** What a caller sees of an error: never a stack, a path or a decoder's own words. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export interface CaptionfleetErrorOptions extends ErrorOptions {
  /** Whole seconds after which the same request may succeed, where that is known. */
  readonly retryAfterSeconds?: number;
}

export class CaptionfleetError extends Error {
  override readonly name = 'CaptionfleetError';
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options?: CaptionfleetErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}

/** The report of any thrown value; what is not a CaptionfleetError is a defect and says nothing of its inside. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof CaptionfleetError) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  return { code: 'INTERNAL', message: 'internal error', retryable: errorTable.INTERNAL.retryable };
}

/** Rebuilds the error that `reportError` described, on the other side of a process or queue. */
export function errorFromReport(report: ErrorReport): CaptionfleetError {
  return new CaptionfleetError(report.code, report.message);
}

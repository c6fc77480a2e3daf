import { CaptionfleetError, type ErrorCode, errorTable } from '@captionfleet/protocol/errors';
import type { Problem } from '@captionfleet/protocol/problem';
import { openAiError } from './openai-error.ts';
import { operationExamples } from './openapi-operation-examples.ts';
import { retryAfterSeconds } from './problem.ts';
import { visionAnswerOf } from './vision-error.ts';

/** What the examples of the OpenAPI document have in common: one image, one request, one exchange. */
const id = '01kb2v8j4mzq0c6y3h5x9wtd7e';
const url = 'https://example.org/two-cats.jpg';
const requestId = '0b7e6f0c-2f3c-4a57-9a35-5a1a4d9f1d3e';
const caption = {
  text: 'two cats sleeping on a couch',
  tokens: [30522, 2048, 8870, 5777, 2006, 1037, 6411, 102],
  confidence: 0.67,
  meanLogProbability: -0.4,
};
const answer = { ...caption, question: 'how many cats are there?', text: '2', tokens: [30524, 1016, 102] };
const match = { text: 'two cats', probability: 0.98, similarity: 0.43 };
const embedding = { image: [0.6, -0.8], texts: [{ text: 'two cats', embedding: [0.8, -0.6] }] };
const refused = {
  code: 'IMAGE_CORRUPT',
  message: 'the image begins as jpeg but is truncated or damaged',
  retryable: false,
};

/** A finished request of two images, of which the second failed. */
const statusWith = (result: object): object => ({
  id,
  status: 'succeeded',
  createdAt: '2026-11-25T12:00:00.000Z',
  counts: { queued: 0, running: 0, succeeded: 1, failed: 1, aborted: 0, canceled: 0 },
  images: [
    {
      index: 0,
      customId: 'living-room',
      status: 'succeeded',
      ...result,
      image: { width: 640, height: 480, format: 'jpeg', sha256: 'c0'.repeat(32) },
      model: { id: 'Salesforce/blip-image-captioning-base', revision: '89b09ea', variant: 'fp32' },
      timings: { queueMs: 4, batchMs: 1, fetchMs: 31, preprocessMs: 9, inferenceMs: 41 },
    },
    { index: 1, status: 'failed', error: refused },
  ],
});

const images = [{ url, customId: 'living-room' }, { blob: { container: 'captionfleet', name: 'images/c0c0.jpg' } }];

/** An example of each named schema that is a body or an answer. */
const schemaExamples: Readonly<Record<string, object>> = {
  CaptionRequestInput: { images, options: { num_beams: 3, max_new_tokens: 20 } },
  MatchRequestInput: { images, texts: ['two cats', 'a dog on a beach'] },
  EmbedRequestInput: { images, texts: ['two cats'] },
  AnswerRequestInput: { images, questions: ['how many cats are there?'] },
  CaptionRequestStatus: statusWith({ captions: [caption] }),
  MatchRequestStatus: statusWith({ matches: [match, { ...match, text: 'a dog on a beach', probability: 0.01 }] }),
  EmbedRequestStatus: statusWith({ embedding }),
  AnswerRequestStatus: statusWith({ answers: [answer] }),
  RequestListing: {
    requests: [
      {
        id,
        status: 'running',
        createdAt: '2026-11-25T12:00:00.000Z',
        counts: { queued: 3, running: 1, succeeded: 60, failed: 0, aborted: 0, canceled: 0 },
        lane: 'bulk',
      },
    ],
    nextCursor: id,
  },
  ImageAnalysisResult: {
    modelVersion: 'Salesforce/blip-image-captioning-base@89b09ea',
    captionResult: { text: caption.text, confidence: caption.confidence },
    metadata: { width: 640, height: 480 },
  },
};

/** What was wrong, in the words of the fleet; the meaning of the code where it is missing. */
const details: Readonly<Partial<Record<ErrorCode, string>>> = {
  REQUEST_INVALID: '/images: must be an array of 1 to 64 images',
  OPTION_INVALID: 'unknown option "num_beam"; did you mean num_beams?',
  IMAGES_REFUSED: 'the image was refused: the inline image is not base64',
  REQUEST_TOO_LARGE: 'the body has more than 64 MiB',
  HEADERS_TOO_LARGE: 'the request line and headers have more than 16384 bytes',
  MEDIA_TYPE_UNSUPPORTED: 'the content-type is not application/json',
  NOT_FOUND: 'there is no request of this id',
  IDEMPOTENCY_CONFLICT: `request ${id} was sent under this name with another body`,
  UNAUTHENTICATED: 'the key is not one of this fleet',
  FORBIDDEN: 'the key lacks the scope captions:write',
  TASK_UNSUPPORTED: 'no model of this fleet can answer; it can caption, match',
};

/** An example of each problem that a response can be. */
export const problemExamples = (codes: readonly ErrorCode[]): Record<string, { summary: string; value: Problem }> =>
  Object.fromEntries(codes.map((code) => [code, { summary: errorTable[code].meaning, value: problemExample(code) }]));

function problemExample(code: ErrorCode): Problem {
  const { status, retryable, meaning } = errorTable[code];
  const first = { pointer: '/images/0', index: 0, code: 'BASE64_INVALID', message: 'is not base64' } as const;
  return {
    type: `urn:captionfleet:error:${code}`,
    title: meaning,
    status,
    detail: details[code] ?? meaning,
    code,
    retryable,
    requestId,
    ...(code === 'IMAGES_REFUSED' ? { errors: [first] } : {}),
  };
}

/** The error of the fleet behind each status of Azure's form. */
const visionCodes: Readonly<Record<string, ErrorCode>> = {
  400: 'IMAGE_FORMAT_UNKNOWN',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  415: 'MEDIA_TYPE_UNSUPPORTED',
  429: 'QUEUE_FULL',
  500: 'INTERNAL',
  503: 'RESULT_LATE',
};

function visionExample(status: string): object | undefined {
  const code = visionCodes[status];
  if (code === undefined) return undefined;
  const error = new CaptionfleetError(code, details[code] ?? errorTable[code].meaning);
  return visionAnswerOf(error, retryAfterSeconds(error)).body;
}

/** The error of the fleet behind each status of OpenAI's form, where an operation has none of its own. */
const openAiCodes: Readonly<Record<string, ErrorCode>> = {
  ...visionCodes,
  400: 'REQUEST_INVALID',
  404: 'NOT_FOUND',
  'deleteFile 409': 'FILE_IN_USE',
  'cancelBatch 409': 'BATCH_ENDED',
  413: 'REQUEST_TOO_LARGE',
  422: 'TASK_UNSUPPORTED',
  503: 'STORAGE_UNAVAILABLE',
};

function openAiExample(operationId: string, status: string): object | undefined {
  const code = openAiCodes[`${operationId} ${status}`] ?? openAiCodes[status];
  return code === undefined ? undefined : openAiError({ code, message: errorTable[code].meaning });
}

/** The example of a body (`where` is "body") or of the answer with a status. */
export function exampleOf(operationId: string, where: string, schemaName: string | undefined): unknown {
  const own = operationExamples[`${operationId} ${where}`];
  if (own !== undefined || schemaName === undefined) return own;
  if (schemaName === 'OpenAiError') return openAiExample(operationId, where);
  return schemaName === 'ImageAnalysisError' ? visionExample(where) : schemaExamples[schemaName];
}

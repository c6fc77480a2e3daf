import { CaptionfleetError, type ErrorCode } from '@captionfleet/protocol/errors';
import { RefusedRequest } from './problem.ts';
import { type VisionErrorBody, visionLimits } from './vision-contract.ts';

/** Codes of Azure's `innererror`: those of Image Analysis 3.2, which its documentation lists. */
type InnerCode =
  | 'BadArgument'
  | 'InvalidImageFormat'
  | 'InvalidImageSize'
  | 'InvalidModel'
  | 'NotSupportedImage'
  | 'NotSupportedLanguage'
  | 'NotSupportedVisualFeature'
  | 'UnsupportedMediaType';

/** A request that cannot be what its caller wants; `code` is Azure's, of the error itself or of its innererror. */
export class VisionRefusal extends CaptionfleetError {
  readonly azure: InnerCode | 'MissingApiVersionParameter' | 'UnsupportedApiVersionValue';

  constructor(azure: VisionRefusal['azure'], message: string) {
    super('OPTION_INVALID', message);
    this.azure = azure;
  }
}

/** Azure's own sentences, as its client libraries and its users have recorded them. */
const azureSays = {
  bytes: `The image size is not allowed to be zero or larger than ${visionLimits.imageBytes} bytes.`,
  sides: `The image dimension is not allowed to be smaller than ${visionLimits.minSide} and larger than ${visionLimits.maxSide}.`,
  format: 'Image format is not valid.',
  url: 'The provided image url is not accessible.',
  key: 'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
} as const;

interface VisionAnswer {
  readonly status: number;
  readonly body: VisionErrorBody;
}

const answer = (status: number, code: string, message: string): VisionAnswer => ({
  status,
  body: { error: { code, message } },
});

const invalid = (message: string, inner?: { code: InnerCode; message: string }, status = 400): VisionAnswer => ({
  status,
  body: { error: { code: 'InvalidRequest', message, ...(inner === undefined ? {} : { innererror: inner }) } },
});

const wrongBytes = (): VisionAnswer => invalid(azureSays.bytes);
const wrongSides = (message: string): VisionAnswer =>
  invalid(azureSays.sides, { code: 'InvalidImageSize', message: asSentence(message) });
const wrongFormat = (message: string): VisionAnswer =>
  invalid(azureSays.format, { code: 'InvalidImageFormat', message: asSentence(message) });
const wrongUrl = (message: string): VisionAnswer => invalid(`${azureSays.url} ${asSentence(message)}`);

/** What Azure says where this fleet says one of these codes; the rest follows from their status. */
const answers: Readonly<Partial<Record<ErrorCode, (message: string) => VisionAnswer>>> = {
  IMAGE_EMPTY: wrongBytes,
  IMAGE_TOO_LARGE: wrongBytes,
  IMAGE_TOO_SMALL: wrongSides,
  IMAGE_TOO_MANY_PIXELS: wrongSides,
  IMAGE_FORMAT_UNKNOWN: wrongFormat,
  IMAGE_CORRUPT: wrongFormat,
  IMAGE_QUARANTINED: (message) =>
    invalid(asSentence(message), { code: 'NotSupportedImage', message: asSentence(message) }),
  URL_REFUSED: wrongUrl,
  SOURCE_NOT_FOUND: wrongUrl,
  SOURCE_UNAVAILABLE: wrongUrl,
  TASK_UNSUPPORTED: (message) =>
    invalid(asSentence(message), { code: 'NotSupportedVisualFeature', message: asSentence(message) }),
  NOT_FOUND: () => answer(404, '404', 'Resource not found'),
};

/** The answer, in Azure's shape, to a request that ended with an error. */
export function visionAnswerOf(thrown: CaptionfleetError, retryAfterSeconds: number): VisionAnswer {
  const error = onlyRefusal(thrown);
  const message = asSentence(error.message);
  if (error instanceof VisionRefusal) {
    return error.azure === 'MissingApiVersionParameter' || error.azure === 'UnsupportedApiVersionValue'
      ? answer(400, error.azure, message)
      : invalid(message, { code: error.azure, message });
  }
  const known = answers[error.code];
  if (known !== undefined) return known(error.message);
  switch (error.status) {
    case 401:
      return answer(401, '401', azureSays.key);
    case 403:
    case 405:
    case 408:
      return answer(error.status, String(error.status), message);
    case 415:
      return invalid(message, { code: 'UnsupportedMediaType', message }, 415);
    case 429:
      return answer(429, '429', `${message} Please retry after ${retryAfterSeconds} seconds.`);
    case 502:
    case 503:
      return answer(503, 'ServiceUnavailable', message);
  }
  if (error.status >= 500) return answer(500, 'InternalServerError', message);
  return invalid(message, { code: 'BadArgument', message });
}

/** Of a request with one image, why that one was refused at the door. */
function onlyRefusal(error: CaptionfleetError): CaptionfleetError {
  const [first] = error instanceof RefusedRequest && error.code === 'IMAGES_REFUSED' ? error.errors : [];
  return first === undefined ? error : new CaptionfleetError(first.code, first.message, { cause: error });
}

/** The fleet's messages begin small and end without a full stop; Azure's are sentences. */
function asSentence(message: string): string {
  const capital = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

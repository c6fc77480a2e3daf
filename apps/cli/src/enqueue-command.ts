import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { type CaptionRequestStatus, CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { type ImageInput, imageLimits } from '@captionfleet/protocol/image-reference';
import { ProblemSchema } from '@captionfleet/protocol/problem';
import { expandInputs, isUrl, readImageFile } from './image-inputs.ts';

interface EnqueueFlags {
  /** Base URL of the API. */
  readonly api: string;
  /** Stay until the captions are there, this many seconds at most; 0 returns at once. */
  readonly wait: number;
  /** A key or token, for a fleet that asks for one. */
  readonly key?: string | undefined;
}

export type EnqueueEvent =
  /** `files` are the images of the request, in its order. */
  | { readonly type: 'request-posted'; readonly files: readonly string[]; readonly status: CaptionRequestStatus }
  /** Of an image that was not posted, or refused, or not captioned. */
  | { readonly type: 'image-failed'; readonly file: string; readonly error: ErrorReport };

interface Posting {
  readonly file: string;
  readonly image: ImageInput;
}

/** Bytes of the images of one request: the body has options and punctuation beside them. */
const maxImageBytes = imageLimits.requestBytes - 64 * 1024;

/**
 * Posts images to a fleet's API, in requests that keep its limits on images and bytes. A file that cannot be read fails
 * alone, and so does an image that the fleet refuses.
 */
export async function* enqueueCommand(
  inputs: readonly string[],
  options: GenerationOptions,
  flags: EnqueueFlags,
  signal: AbortSignal,
): AsyncGenerator<EnqueueEvent> {
  const target: Target = { api: readApiUrl(flags.api), wait: flags.wait, key: flags.key };
  const files = await expandInputs(inputs);
  if (files.length === 0) throw new CaptionfleetError('SOURCE_NOT_FOUND', `no images in ${inputs.join(', ')}`);
  let group: Posting[] = [];
  let bytes = 0;
  for (const file of files) {
    const read = await readInput(file);
    if ('error' in read) {
      yield { type: 'image-failed', file, error: read.error };
      continue;
    }
    const size = JSON.stringify(read.image).length + 1;
    if (group.length === imageLimits.perRequest || bytes + size > maxImageBytes) {
      yield* post(group, options, target, signal);
      [group, bytes] = [[], 0];
    }
    group.push({ file, image: read.image });
    bytes += size;
  }
  if (group.length > 0) yield* post(group, options, target, signal);
}

function readApiUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new CaptionfleetError('OPTION_INVALID', '--api: must be an http or https URL');
}

async function readInput(file: string): Promise<{ image: ImageInput } | { error: ErrorReport }> {
  if (isUrl(file)) return { image: { url: file } };
  try {
    return { image: { base64: Buffer.from(await readImageFile(file)).toString('base64') } };
  } catch (error) {
    return { error: reportError(error) };
  }
}

interface Target {
  readonly api: URL;
  readonly wait: number;
  readonly key: string | undefined;
}

async function* post(
  group: readonly Posting[],
  options: GenerationOptions,
  target: Target,
  signal: AbortSignal,
): AsyncGenerator<EnqueueEvent> {
  const files = group.map(({ file }) => file);
  const body = { images: group.map(({ image }) => image), options };
  const answer = await call('/v1/captions', target, signal, body);
  if ('refused' in answer) {
    for (const { index, error } of answer.refused) {
      yield { type: 'image-failed', file: files[index] ?? '', error };
    }
    return;
  }
  const status = await waitFor(answer, target, signal);
  yield { type: 'request-posted', files, status };
  for (const image of status.images) {
    if ('error' in image) {
      yield { type: 'image-failed', file: files[image.index] ?? '', error: image.error };
    }
  }
}

async function waitFor(
  posted: CaptionRequestStatus,
  target: Target,
  signal: AbortSignal,
): Promise<CaptionRequestStatus> {
  const deadline = Date.now() + target.wait * 1000;
  let status = posted;
  while ((status.status === 'queued' || status.status === 'running') && Date.now() < deadline) {
    await delay(250, undefined, { signal });
    const answer = await call(`/v1/captions/${posted.id}`, target, signal);
    if (!('refused' in answer)) status = answer;
  }
  return status;
}

/** The images that were refused, when all of a request were. */
interface Refusal {
  readonly refused: readonly { readonly index: number; readonly error: ErrorReport }[];
}

async function call(
  path: string,
  { api, key }: Target,
  signal: AbortSignal,
  body?: object,
): Promise<CaptionRequestStatus | Refusal> {
  const url = new URL(path, api);
  const within = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  const post = { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, { signal: within, headers, ...(body === undefined ? {} : post) }).catch(
    (cause: unknown) => {
      signal.throwIfAborted();
      throw new CaptionfleetError('SOURCE_UNAVAILABLE', `${url.origin} does not answer; is the fleet up? (npm start)`, {
        cause,
      });
    },
  );
  const answer: unknown = await response.json().catch(() => undefined);
  const status = CaptionRequestStatusSchema.safeParse(answer);
  if (response.ok && status.success) return status.data;
  const problem = ProblemSchema.safeParse(answer);
  if (response.ok || !problem.success) {
    const type = response.headers.get('content-type') ?? 'nothing';
    const message = `--api: ${url.origin} is not a Captionfleet API: ${url.pathname} answered ${response.status}, ${type}`;
    throw new CaptionfleetError('CONFIG_INVALID', message);
  }
  const { code, detail, errors = [] } = problem.data;
  if (code !== 'IMAGES_REFUSED')
    throw new CaptionfleetError(code, `${url.origin} answered ${response.status}: ${detail}`);
  return {
    refused: errors.map(({ index = 0, code, message }) => ({ index, error: { code, message, retryable: false } })),
  };
}

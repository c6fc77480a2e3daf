import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { type CaptionRequestStatus, CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { type ImageInput, imageLimits } from '@captionfleet/protocol/image-reference';
import { expandInputs, isUrl, readImageFile } from './image-inputs.ts';

interface EnqueueFlags {
  readonly api: string;
  /** Stay until the captions are there, this many seconds at most; 0 returns at once. */
  readonly wait: number;
}

/** Posts images to a fleet's API, at most `imageLimits.perRequest` a request. Yields the status of each request. */
export async function* enqueueCommand(
  inputs: readonly string[],
  options: GenerationOptions,
  flags: EnqueueFlags,
  signal: AbortSignal,
): AsyncGenerator<{ files: readonly string[]; status: CaptionRequestStatus }> {
  const files = await expandInputs(inputs);
  if (files.length === 0) throw new CaptionfleetError('SOURCE_NOT_FOUND', `no images in ${inputs.join(', ')}`);
  for (let start = 0; start < files.length; start += imageLimits.perRequest) {
    const group = files.slice(start, start + imageLimits.perRequest);
    const images = await Promise.all(group.map(imageInput));
    const posted = await call(new URL('/v1/captions', flags.api), signal, { images, options });
    yield { files: group, status: await waitFor(posted, flags, signal) };
  }
}

async function imageInput(file: string): Promise<ImageInput> {
  return isUrl(file) ? { url: file } : { base64: Buffer.from(await readImageFile(file)).toString('base64') };
}

async function waitFor(
  posted: CaptionRequestStatus,
  { api, wait }: EnqueueFlags,
  signal: AbortSignal,
): Promise<CaptionRequestStatus> {
  const deadline = Date.now() + wait * 1000;
  let status = posted;
  while ((status.status === 'queued' || status.status === 'running') && Date.now() < deadline) {
    await delay(250, undefined, { signal });
    status = await call(new URL(`/v1/captions/${posted.id}`, api), signal);
  }
  return status;
}

async function call(url: URL, signal: AbortSignal, body?: object): Promise<CaptionRequestStatus> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, { signal: within, ...(body === undefined ? {} : post) }).catch((cause: unknown) => {
    throw new CaptionfleetError('SOURCE_UNAVAILABLE', `${url.origin} does not answer; is the fleet up? (npm start)`, {
      cause,
    });
  });
  const answer: unknown = await response.json();
  if (response.ok) return CaptionRequestStatusSchema.parse(answer);
  const problem = answer as { code?: string; detail?: string; title?: string };
  throw new CaptionfleetError(
    'REQUEST_INVALID',
    `${url.pathname} answered ${response.status} ${problem.code ?? ''}: ${problem.detail ?? problem.title ?? ''}`,
  );
}

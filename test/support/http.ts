import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { type CaptionRequestStatus, CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import type { ImageInput } from '@captionfleet/protocol/image-reference';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export async function postCaptions(
  baseUrl: string,
  body: { images: readonly ImageInput[]; options?: GenerationOptions } | object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${baseUrl}/v1/captions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(90_000),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Reads a request until it is finished; fails when it is not within `deadlineMs`. */
export async function waitForCaptions(baseUrl: string, id: string, deadlineMs: number): Promise<CaptionRequestStatus> {
  let status: CaptionRequestStatus | undefined;
  await waitFor(`request ${id} to finish`, deadlineMs, async () => {
    const url = `${baseUrl}/v1/captions/${id}`;
    const response = await fetch(url, { headers: { prefer: 'wait=10' }, signal: AbortSignal.timeout(20_000) });
    status = CaptionRequestStatusSchema.parse(await response.json());
    return status.status === 'succeeded' || status.status === 'failed';
  });
  if (status === undefined) throw new Error('unreachable: waitFor returned without a status');
  return status;
}

/** Asks `check` again and again until it says yes; fails after `deadlineMs` and says what it waited for. */
export async function waitFor(what: string, deadlineMs: number, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

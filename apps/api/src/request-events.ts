import type { ImageStatus, RequestStatus } from '@captionfleet/protocol/image-outcome';
import { isFinished } from './request-status.ts';

/** Milliseconds after which a client opens a stream again that broke. */
const retryMs = 1_000;
const finishedMark = '.';

/**
 * How much of a request a client knows: the images that it was told of, and whether it was told of the end. It is the id of each
 * event, so that `Last-Event-ID` is enough to go on: no process and no Redis has to remember what was sent to whom.
 */
export interface Told {
  readonly images: Set<number>;
  isFinished: boolean;
}

/** A bit an image, as base64url, and a dot at the end when the end was told. */
export function toldId({ images, isFinished: end }: Told): string {
  const bytes = new Uint8Array(Math.ceil((Math.max(-1, ...images) + 1) / 8));
  for (const index of images) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  return Buffer.from(bytes).toString('base64url') + (end ? finishedMark : '');
}

/** What the id of an event says; one that is none says nothing, so everything is told again. */
export function readToldId(id: string, imageCount: number): Told {
  const text = id.endsWith(finishedMark) ? id.slice(0, -1) : id;
  const bytes = /^[\w-]*$/.test(text) ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
  const isSet = (index: number): boolean => (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  const images = new Set(Array.from({ length: imageCount }, (_, index) => index).filter(isSet));
  return { images, isFinished: id.endsWith(finishedMark) && images.size === imageCount };
}

export type RequestEvent =
  | { readonly type: `image.${ImageStatus['status']}`; readonly id: string; readonly data: ImageStatus }
  | { readonly type: 'request.finished'; readonly id: string; readonly data: Omit<RequestStatus, 'images'> };

/** The events of a status that were not told yet; marks them as told. */
export function untoldEvents(status: RequestStatus, told: Told): RequestEvent[] {
  const events: RequestEvent[] = [];
  for (const image of status.images) {
    if (image.status === 'queued' || image.status === 'running' || told.images.has(image.index)) continue;
    told.images.add(image.index);
    events.push({ type: `image.${image.status}`, id: toldId(told), data: image });
  }
  if (isFinished(status) && !told.isFinished) {
    told.isFinished = true;
    const { images: _, ...summary } = status;
    events.push({ type: 'request.finished', id: toldId(told), data: summary });
  }
  return events;
}

const textOf = ({ id, type, data }: RequestEvent): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

/** The text of an event stream that tells what `looks` find until they end; a comment keeps it alive while nothing happens. */
export async function* eventStream(
  looks: AsyncIterable<RequestStatus>,
  told: Told,
  { heartbeatMs = 15_000 } = {},
): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n\n`;
  let wroteAt = performance.now();
  for await (const status of looks) {
    const events = untoldEvents(status, told);
    const isQuiet = events.length === 0;
    if (isQuiet && performance.now() - wroteAt < heartbeatMs) continue;
    wroteAt = performance.now();
    yield isQuiet ? ': still open\n\n' : events.map(textOf).join('');
  }
}

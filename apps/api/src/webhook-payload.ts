import type { RequestStatus } from '@captionfleet/protocol/image-outcome';
import type { WebhookEvent, WebhookFormat, WebhookMessage } from '@captionfleet/protocol/webhook';

/** Bytes of a status document above which a payload has it without its images. */
const maxDataBytes = 256 * 1024;

/** The event that the end of a request is; undefined while it has not ended. */
export function endOf({ status }: Pick<RequestStatus, 'status'>): WebhookEvent | undefined {
  return status === 'queued' || status === 'running' ? undefined : `request.${status}`;
}

interface Payload {
  readonly contentType: string;
  readonly body: string;
}

/** The body of a message: the same bytes for each attempt, since a request that has ended does not change. */
export function payloadOf(message: WebhookMessage, status: RequestStatus, format: WebhookFormat): Payload {
  const { event, createdAt, id } = message;
  const data = boundedData(status);
  if (format === 'standard') {
    return { contentType: 'application/json', body: JSON.stringify({ type: event, timestamp: createdAt, data }) };
  }
  return {
    contentType: 'application/cloudevents+json; charset=utf-8',
    body: JSON.stringify(cloudEvent({ id, type: event, subject: status.id, time: createdAt, data })),
  };
}

interface CloudEventParts {
  readonly id: string;
  readonly type: string;
  /** The request. */
  readonly subject: string;
  readonly time?: string;
  readonly data: object;
}

/** CloudEvents 1.0, structured JSON. */
export const cloudEvent = ({ id, type, subject, time, data }: CloudEventParts): object => ({
  specversion: '1.0',
  id,
  source: 'urn:captionfleet',
  type: `captionfleet.${type}`,
  subject,
  ...(time === undefined ? {} : { time }),
  datacontenttype: 'application/json',
  data,
});

function boundedData(status: RequestStatus): object {
  if (Buffer.byteLength(JSON.stringify(status)) <= maxDataBytes) return status;
  const { images: _, ...rest } = status;
  return { ...rest, imagesOmitted: true };
}

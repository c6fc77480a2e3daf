import { z } from 'zod';
import { RequestIdSchema } from './image-job.ts';

/** How requests end; each is the type of a message. */
export const webhookEvents = ['request.succeeded', 'request.failed', 'request.aborted', 'request.canceled'] as const;
export const WebhookEventSchema = z.enum(webhookEvents);
export type WebhookEvent = z.infer<typeof WebhookEventSchema>;

const EventsSchema = z
  .array(WebhookEventSchema)
  .min(1)
  .max(webhookEvents.length)
  .default([...webhookEvents])
  .describe('The ends to be told of; all when absent.');
const FormatSchema = z
  .enum(['standard', 'cloudevents'])
  .default('standard')
  .describe('standard: {type, timestamp, data}; cloudevents: CloudEvents 1.0 in structured JSON. Both are signed.');
export type WebhookFormat = z.infer<typeof FormatSchema>;

/** What a caller says of a receiver. */
export const WebhookSchema = z.strictObject({
  url: z.string().max(2_048).describe('An https URL on a public address; it gets a signed POST.'),
  events: EventsSchema,
  format: FormatSchema,
});
export type Webhook = z.infer<typeof WebhookSchema>;

/** The endpoint that stands for the URLs which come with requests; its secret signs what they get. */
export const defaultEndpoint = 'default';
export const EndpointIdSchema = z
  .string()
  .regex(/^(?:default|we_[0-9a-hjkmnp-tv-z]{26})$/, 'must be the id of an endpoint');
export type EndpointId = z.infer<typeof EndpointIdSchema>;

/** An endpoint as it is stored; the only thing of a webhook that changes. */
export const WebhookEndpointSchema = z.strictObject({
  version: z.literal(1),
  id: EndpointIdSchema,
  createdAt: z.iso.datetime(),
  /** Absent of the default endpoint. */
  webhook: WebhookSchema.optional(),
  /** `whsec_` and base64; the newest first. Others sign too until they expire. */
  secrets: z.array(z.strictObject({ secret: z.string(), expiresAt: z.iso.datetime().optional() })).min(1),
  disabled: z.strictObject({ at: z.iso.datetime(), reason: z.string() }).optional(),
});
export type WebhookEndpoint = z.infer<typeof WebhookEndpointSchema>;

/** That an endpoint is to be told of the end of a request. */
export const WebhookMessageSchema = z.strictObject({
  version: z.literal(1),
  /** The same for each attempt: receivers tell duplicates by it. */
  id: z.string(),
  endpoint: EndpointIdSchema,
  requestId: RequestIdSchema,
  event: WebhookEventSchema,
  createdAt: z.iso.datetime(),
});
export type WebhookMessage = z.infer<typeof WebhookMessageSchema>;

export const WebhookAttemptSchema = z.strictObject({
  at: z.iso.datetime(),
  outcome: z.enum(['succeeded', 'failed']),
  /** What the receiver answered; absent when it did not. */
  status: z.int().optional(),
  /** Why it failed, in our words. */
  reason: z.string().optional(),
  milliseconds: z.int(),
  /** Absent after the last one. */
  nextAt: z.iso.datetime().optional(),
});
export type WebhookAttempt = z.infer<typeof WebhookAttemptSchema>;

/** That a message is being delivered. Attempts before `firstAttempt` belong to an earlier round. */
export const OutboxEntrySchema = z.strictObject({ version: z.literal(1), firstAttempt: z.int().min(0) });

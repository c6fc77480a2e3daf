import { createHmac, randomBytes } from 'node:crypto';
import type { WebhookEndpoint } from '@captionfleet/protocol/webhook';

const secretPrefix = 'whsec_';
const secretBytes = 32;
/** Milliseconds for which a secret that was replaced signs too. */
const overlapMs = 24 * 60 * 60 * 1_000;

export const newSecret = (): string => secretPrefix + randomBytes(secretBytes).toString('base64');

interface Signed {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers of Standard Webhooks 1.0, with a signature for each secret that has not expired. */
export function signedHeaders(
  { id, timestamp, body }: Signed,
  { secrets }: Pick<WebhookEndpoint, 'secrets'>,
): Record<string, string> {
  const valid = secrets.filter(({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > timestamp * 1_000);
  const signatures = valid.map(({ secret }) => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}

/** The endpoint with a new secret first; the ones before sign for a day more. */
export function withNewSecret(endpoint: WebhookEndpoint, secret: string, now = Date.now()): WebhookEndpoint {
  const expiresAt = new Date(now + overlapMs).toISOString();
  const others = endpoint.secrets
    .filter((old) => old.expiresAt === undefined || Date.parse(old.expiresAt) > now)
    .map((old) => ({ expiresAt, ...old }));
  return { ...endpoint, secrets: [{ secret }, ...others].slice(0, maxSecrets) };
}

/** Signatures that a message has at most. */
const maxSecrets = 4;

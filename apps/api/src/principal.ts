import { defaultTenant, type Tenant } from '@captionfleet/protocol/tenant';

/** Who sent a request. */
export interface Principal {
  /** For logs and rate limits: an id of the caller, never a secret. */
  readonly id: string;
  /** Whose requests the caller makes and sees. */
  readonly tenant: Tenant;
}

/** Everybody, where callers are not told apart. */
export const anyone: Principal = { id: 'anyone', tenant: defaultTenant };

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
}

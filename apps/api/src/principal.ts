import { type Scope, scopes } from '@captionfleet/protocol/scope';
import { defaultTenant, type Tenant } from '@captionfleet/protocol/tenant';

/** Who sent a request. */
export interface Principal {
  /** For logs and rate limits: an id of the caller, never a secret. */
  readonly id: string;
  /** Whose requests the caller makes and sees. */
  readonly tenant: Tenant;
  /** What the caller may do. */
  readonly scopes: ReadonlySet<Scope>;
}

/** Everybody, where callers are not told apart. */
export const anyone: Principal = { id: 'anyone', tenant: defaultTenant, scopes: new Set(scopes) };

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body is read, on every route that is not public. */
    principal: Principal;
  }
}

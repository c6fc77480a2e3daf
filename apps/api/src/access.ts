import { readApiKey } from '@captionfleet/protocol/api-key';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Scope } from '@captionfleet/protocol/scope';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { Budget, RateLimiter } from '@captionfleet/queue/rate-limits';
import type { ApiKeys } from './api-keys.ts';
import type { EntraTokens } from './entra-tokens.ts';
import { anyone, type Principal } from './principal.ts';

/** Who may call, and how often. */
export interface Access {
  /**
   * Whom a key or token names.
   *
   * @throws UNAUTHENTICATED; IDENTITY_UNAVAILABLE or STORAGE_UNAVAILABLE when that cannot be told now; RATE_LIMITED
   */
  readonly authenticate: (credential: string | undefined) => Promise<Principal>;
  /** Counts a request of the caller; undefined where there is no limit. @throws RATE_LIMITED */
  readonly spendRequest: (principal: Principal) => Promise<Budget | undefined>;
  /** Counts images of a tenant, whatever key or token they come with. @throws RATE_LIMITED */
  readonly spendImages: (tenant: Tenant, images: number) => Promise<void>;
}

export interface AccessConfig {
  /** What is accepted; a way that is undefined is not. */
  readonly keys: Pick<ApiKeys, 'authenticate'> | undefined;
  readonly entra: Pick<EntraTokens, 'authenticate'> | undefined;
  /** Of one caller. */
  readonly requests: RateLimiter | undefined;
  /** Of one tenant. */
  readonly images: RateLimiter | undefined;
}

/** Access by keys, by tokens, or by either. */
export function openAccess({ keys, entra, requests, images }: AccessConfig): Access {
  const wanted = [keys && 'an API key', entra && 'an access token'].filter((word) => word !== undefined).join(' or ');
  return {
    async authenticate(credential) {
      if (credential === undefined || credential === '') {
        throw new CaptionfleetError('UNAUTHENTICATED', `send ${wanted} as Authorization: Bearer`);
      }
      if (keys !== undefined && credential.startsWith('cap_')) {
        const key = readApiKey(credential);
        if (key !== undefined) return await keys.authenticate(key);
        throw new CaptionfleetError('UNAUTHENTICATED', 'the key is cut off or misspelt: its checksum is wrong');
      }
      if (entra !== undefined && credential.split('.').length === 3) return await entra.authenticate(credential);
      throw new CaptionfleetError('UNAUTHENTICATED', `this is not ${wanted}`);
    },
    spendRequest: async ({ id }) => await requests?.spend(id),
    spendImages: async (tenant, count) => void (await images?.spend(tenant, count)),
  };
}

/** For a fleet that does not tell callers apart: only where nobody else can reach it. */
export const openToAnyone: Access = {
  authenticate: async () => anyone,
  spendRequest: async () => undefined,
  spendImages: async () => undefined,
};

export interface LetIn {
  readonly principal: Principal;
  /** What the caller has left; undefined where there is no limit. */
  readonly budget: Budget | undefined;
}

/**
 * Lets a request in, or says why not: the way in of every surface.
 *
 * @throws what `Access` throws, and FORBIDDEN
 */
export async function letIn(access: Access, credential: string | undefined, scope: Scope): Promise<LetIn> {
  const principal = await access.authenticate(credential);
  const budget = await access.spendRequest(principal);
  if (!principal.scopes.has(scope)) throw new CaptionfleetError('FORBIDDEN', `this needs the scope ${scope}`);
  return { principal, budget };
}

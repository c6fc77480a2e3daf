import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { scopes as allScopes, type Scope } from '@captionfleet/protocol/scope';
import type { Tenant } from '@captionfleet/protocol/tenant';
import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Principal } from './principal.ts';

export interface EntraConfig {
  /** Origin of the identity provider. */
  readonly authority: string;
  /** The Entra tenants whose tokens are accepted: their ids, in lower case. */
  readonly tenants: readonly string[];
  /** The application id of this API's registration. */
  readonly clientId: string;
  /** Our tenants by `{tid}/{application}` or `{tid}`; a token of neither belongs to the tenant of its own tid. */
  readonly tenantNames: ReadonlyMap<string, Tenant>;
}

const limits = {
  /** Seconds by which clocks may differ. */
  clockSeconds: 60,
  /** Milliseconds for the keys of the provider to arrive. */
  fetchMs: 5_000,
  /** Between two fetches that unknown key ids cause: anybody can make these up. */
  cooldownMs: 30_000,
  /** For which fetched keys count: so long a key that the provider withdrew is believed. */
  keysMs: 60 * 60 * 1_000,
  /** Characters; Entra's stay below 8 KiB, which is what fits into headers. */
  token: 12_000,
} as const;

const Guid = z.string().toLowerCase();
const ClaimsSchema = z.looseObject({
  tid: Guid,
  exp: z.number(),
  nbf: z.number(),
  iat: z.number(),
  /** Who it is about; of an application, its service principal. */
  oid: Guid,
  /** The application that it was given to: v2, v1. */
  azp: Guid.optional(),
  appid: Guid.optional(),
  /** What a person allowed the application, and what an administrator gave to it. */
  scp: z.string().optional(),
  roles: z.array(z.string()).optional(),
});
type Claims = z.infer<typeof ClaimsSchema>;

/** Marks of ID tokens: they tell an application who signed in and open no API. */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash'] as const;

/**
 * Callers by access tokens of Microsoft Entra ID, v1 or v2. A token names no key and no issuer that is believed: `jku`, `jwk` and
 * `x5u` are not looked at, and the keys are those of the tenants that are configured.
 */
export class EntraTokens {
  readonly #config: EntraConfig;
  readonly #keys: ReadonlyMap<string, JWTVerifyGetKey>;

  constructor(config: EntraConfig) {
    this.#config = config;
    this.#keys = new Map(config.tenants.map((tid) => [tid, keysOf(config.authority, tid)]));
  }

  /** @throws UNAUTHENTICATED, or IDENTITY_UNAVAILABLE when the provider's keys cannot be had: then no token is believed */
  async authenticate(token: string): Promise<Principal> {
    const claims = await this.#verify(token);
    const { tid, oid, scp, roles = [] } = claims;
    const application = claims.azp ?? claims.appid;
    if (application === undefined || idTokenClaims.some((name) => name in claims)) {
      throw refused('this is an ID token; send an access token for this API');
    }
    if (scp === undefined && roles.length === 0) throw refused('the token has neither scp nor roles');
    const granted = new Set([...(scp ?? '').split(' '), ...roles]);
    const { tenantNames } = this.#config;
    return {
      id: `entra:${tid}:${application}:${oid}`,
      tenant: tenantNames.get(`${tid}/${application}`) ?? tenantNames.get(tid) ?? tid,
      scopes: new Set(allScopes.filter((scope: Scope) => granted.has(scope))),
    };
  }

  async #verify(token: string): Promise<Claims> {
    if (token.length > limits.token) throw refused('the token is longer than any of Entra');
    const tid = unverifiedTid(token);
    const keys = this.#keys.get(tid ?? '');
    if (tid === undefined || keys === undefined) throw refused('the token is of no tenant that this fleet accepts');
    const { authority, clientId } = this.#config;
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        issuer: [`${authority}/${tid}/v2.0`, `https://sts.windows.net/${tid}/`],
        audience: [clientId, `api://${clientId}`],
        clockTolerance: limits.clockSeconds,
      });
      return ClaimsSchema.parse(payload);
    } catch (error) {
      if (error instanceof CaptionfleetError) throw error;
      throw refused(reasonOf(error), error);
    }
  }
}

/** Which tenant's keys to check with; what it says is believed only when they fit. */
function unverifiedTid(token: string): string | undefined {
  try {
    const { tid }: JWTPayload = decodeJwt(token);
    return typeof tid === 'string' ? tid.toLowerCase() : undefined;
  } catch {
    return undefined;
  }
}

function keysOf(authority: string, tid: string): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(`${authority}/${tid}/discovery/v2.0/keys`), {
    timeoutDuration: limits.fetchMs,
    cooldownDuration: limits.cooldownMs,
    cacheMaxAge: limits.keysMs,
  });
  return async (header, token) => {
    if (header?.kid === undefined) throw new errors.JWKSNoMatchingKey();
    try {
      return await remote(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) throw cause;
      const message = 'the keys of the identity provider cannot be had';
      throw new CaptionfleetError('IDENTITY_UNAVAILABLE', message, { cause, retryAfterSeconds: 5 });
    }
  };
}

/** In our words: a caller learns which check failed, and nothing that a library has to say. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `the claim ${error.claim} is not accepted`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the token must be signed with RS256';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the token is signed with an unknown key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  if (error instanceof z.ZodError) return `the claim ${error.issues[0]?.path[0]?.toString()} is missing or wrong`;
  return 'the token cannot be read';
}

const refused = (why: string, cause?: unknown): CaptionfleetError =>
  new CaptionfleetError('UNAUTHENTICATED', why, { cause });

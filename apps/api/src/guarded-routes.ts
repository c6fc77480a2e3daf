import type { IncomingHttpHeaders } from 'node:http';
import { CaptionfleetError, type ErrorCode } from '@captionfleet/protocol/errors';
import type { Scope } from '@captionfleet/protocol/scope';
import { type Budget, RateLimited } from '@captionfleet/queue/rate-limits';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Access, letIn } from './access.ts';
import { readerPath } from './reader-page.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller needs for this route. Every route declares it but those in `publicPaths`. */
    scope?: Scope;
    /** Where this route's callers put their key or token. Default: `bearerOrApiKey`. */
    credentialOf?: (headers: IncomingHttpHeaders) => string | undefined;
  }
}

/** What probes and newcomers ask. Nothing of any tenant is here. */
export const publicPaths: ReadonlySet<string> = new Set(['/', '/livez', '/readyz', '/openapi.json', readerPath]);

const isPublic = (url: string): boolean => publicPaths.has(url) || url.startsWith(`${readerPath}/`);

/**
 * Before a request's body is read: finds out who sends it, whether they may, and how often. A route that declares no scope and
 * is not public is refused when it is added, so that the API does not start with one.
 */
export function guardRoutes(app: FastifyInstance, access: Access): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.scope !== undefined || isPublic(url)) return;
    throw new CaptionfleetError('INTERNAL', `${method} ${url} declares no scope`);
  });
  app.addHook('onRequest', async (request, reply) => {
    const { url = '', config } = request.routeOptions;
    if (request.is404 || isPublic(url)) return;
    const { scope, credentialOf = bearerOrApiKey } = config;
    if (scope === undefined) throw new CaptionfleetError('INTERNAL', `${url} declares no scope`);
    const credential = credentialOf(request.headers);
    try {
      const { principal, budget } = await letIn(access, credential, scope);
      request.principal = principal;
      request.log = request.log.child({ principal: principal.id });
      if (budget !== undefined) tellBudget(reply, budget);
    } catch (error) {
      if (error instanceof RateLimited) tellBudget(reply, error.budget);
      else if (error instanceof CaptionfleetError) challenge(reply, error.code, { credential, scope });
      throw error;
    }
  });
}

/** `Authorization: Bearer ...`, else `X-Api-Key: ...`. */
export function bearerOrApiKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization, 'x-api-key': apiKey } = headers;
  if (authorization !== undefined) return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  return typeof apiKey === 'string' ? apiKey : undefined;
}

interface Attempt {
  readonly credential: string | undefined;
  readonly scope: Scope;
}

/** RFC 6750, section 3. */
function challenge(reply: FastifyReply, code: ErrorCode, { credential, scope }: Attempt): void {
  if (code === 'FORBIDDEN') reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`);
  if (code !== 'UNAUTHENTICATED') return;
  reply.header('www-authenticate', credential === undefined ? 'Bearer' : 'Bearer error="invalid_token"');
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10. */
function tellBudget(reply: FastifyReply, { unit, limit, seconds, remaining, resetSeconds }: Budget): void {
  reply
    .header('ratelimit-policy', `"${unit}";q=${limit};w=${seconds}`)
    .header('ratelimit', `"${unit}";r=${remaining};t=${resetSeconds}`);
}

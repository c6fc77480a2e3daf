import { list, optional, withDefault } from '@captionfleet/protocol/settings';
import { TenantSchema } from '@captionfleet/protocol/tenant';
import { z } from 'zod';
import type { EntraConfig } from './entra-tokens.ts';
import { isLoopback } from './loopback.ts';

const guid = z
  .string()
  .regex(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i, 'must be an id such as 72f988bf-86f1-41af-91ab-2d7cd011db47')
  .toLowerCase();

const authority = z
  .url({ protocol: /^https?$/, error: 'must be a URL such as https://login.microsoftonline.com' })
  .refine((text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === 'https:' || isLoopback(hostname);
  }, 'must be https: whoever stands between could give keys of their own');

/** `{tid}=tenant` or `{tid}/{application}=tenant`. */
const tenantName = z.string().transform((text, context) => {
  const [, tid, application, name] = /^([^/=]+)(?:\/([^/=]+))?=([^=]+)$/.exec(text) ?? [];
  const parsed = z
    .object({ tid: guid, application: guid.optional(), name: TenantSchema })
    .safeParse({ tid, application, name });
  if (parsed.success) return parsed.data;
  context.addIssue('must be pairs TENANT_ID=tenant or TENANT_ID/APPLICATION_ID=tenant');
  return z.NEVER;
});

/** The variables of the identity provider; docs/reference/authentication.md says where their values are found. */
export const entraVariables = {
  /** The Entra tenants whose tokens are accepted. */
  CAPTIONFLEET_ENTRA_TENANTS: list(guid),
  /** The application id of the API's registration. */
  CAPTIONFLEET_ENTRA_CLIENT_ID: optional(guid),
  /** The fleet's name for the tenant of a token, where that is not the id of the Entra tenant. */
  CAPTIONFLEET_ENTRA_TENANT_NAMES: list(tenantName),
  CAPTIONFLEET_ENTRA_AUTHORITY: withDefault(authority, 'https://login.microsoftonline.com'),
};
type EntraVariables = z.infer<z.ZodObject<typeof entraVariables>>;

/** For use in a transform where tokens are accepted: an issue when something is missing. */
export function entraConfig(variables: EntraVariables, context: z.core.$RefinementCtx): EntraConfig {
  const tenants = variables.CAPTIONFLEET_ENTRA_TENANTS;
  const clientId = variables.CAPTIONFLEET_ENTRA_CLIENT_ID;
  const names = variables.CAPTIONFLEET_ENTRA_TENANT_NAMES;
  const complain = (name: keyof EntraVariables, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (tenants.length === 0) complain('CAPTIONFLEET_ENTRA_TENANTS', 'must name the tenants whose tokens are accepted');
  if (clientId === undefined)
    complain('CAPTIONFLEET_ENTRA_CLIENT_ID', "must be the application id of this API's registration");
  if (names.some(({ tid }) => !tenants.includes(tid))) {
    complain('CAPTIONFLEET_ENTRA_TENANT_NAMES', 'names a tenant that CAPTIONFLEET_ENTRA_TENANTS does not');
  }
  return {
    authority: variables.CAPTIONFLEET_ENTRA_AUTHORITY.replace(/\/+$/, ''),
    tenants,
    clientId: clientId ?? '',
    tenantNames: new Map(
      names.map(({ tid, application, name }) => [application ? `${tid}/${application}` : tid, name]),
    ),
  };
}

import { z } from 'zod';

/** What a caller may do. Each scope is fixed when its key is made, and none includes another. */
export const scopeTable = {
  'captions:write': 'post images, for any task',
  'captions:read': 'see what became of them',
  webhooks: 'say where the ends of requests are told, and see what was sent',
  batches: 'make, follow and cancel batches',
} as const satisfies Record<string, string>;

export type Scope = keyof typeof scopeTable;
export const scopes = Object.keys(scopeTable) as [Scope, ...Scope[]];
export const ScopeSchema = z.enum(scopes);

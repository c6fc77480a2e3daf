import { z } from 'zod';

/** Whose requests, images and results these are. Nothing of one tenant is ever shown to another. */
export const TenantSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 lower-case letters, digits and inner hyphens');
export type Tenant = z.infer<typeof TenantSchema>;

/** Whose everything is where callers are not told apart. What is stored of it has no tenant in its name. */
export const defaultTenant: Tenant = 'default';

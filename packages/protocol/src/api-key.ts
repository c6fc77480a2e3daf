import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { ScopeSchema } from './scope.ts';
import { TenantSchema } from './tenant.ts';

/**
 * `cap_<environment>_<id>_<secret><checksum>`: the prefix is what secret scanners look for, the id names the key in lists and
 * logs, the secret is 32 random bytes, and the checksum, the CRC-32 of what stands before it, tells a key that was cut off or
 * misspelt from one that is unknown, without a look at the store. All but the environment in base62.
 */
const form = /^(cap_[a-z0-9]{1,16}_([0-9A-Za-z]{11})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const lengths = { id: 11, idBytes: 8, secret: 43, secretBytes: 32, checksum: 6 } as const;
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Part of a key that says where it is for, such as `live` or `test`; for people and scanners, it opens nothing. */
export const KeyEnvironmentSchema = z
  .string()
  .regex(/^[a-z0-9]{1,16}$/, 'must be 1 to 16 lower-case letters or digits');
export const KeyIdSchema = z.string().regex(/^[0-9A-Za-z]{11}$/, 'must be the id of a key, 11 letters and digits');

/** What is kept of a key: never the key. Written once; nothing, and no caller, changes it later. */
export const ApiKeyRecordSchema = z.strictObject({
  version: z.literal(1),
  id: KeyIdSchema,
  /** The SHA-256 of the whole key, in hex. 256 random bits need no slow hash. */
  sha256: z.string().regex(/^[\da-f]{64}$/),
  tenant: TenantSchema,
  scopes: z.array(ScopeSchema).min(1),
  /** What people call it. */
  name: z.string().max(100).optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecordSchema>;

export interface ApiKey {
  readonly id: string;
  /** The whole key: the secret. */
  readonly text: string;
}

export function makeApiKey(environment: string): ApiKey {
  const id = base62(randomBytes(lengths.idBytes), lengths.id);
  const secret = base62(randomBytes(lengths.secretBytes), lengths.secret);
  const start = `cap_${KeyEnvironmentSchema.parse(environment)}_${id}_${secret}`;
  return { id, text: `${start}${checksumOf(start)}` };
}

/** The key that a text is by its form and checksum; undefined when it is none. */
export function readApiKey(text: string): ApiKey | undefined {
  const [, start = '', id = '', checksum] = form.exec(text) ?? [];
  return checksum !== undefined && checksum === checksumOf(start) ? { id, text } : undefined;
}

export const digestOfKey = ({ text }: ApiKey): Buffer => createHash('sha256').update(text).digest();

function checksumOf(start: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(start));
  return base62(bytes, lengths.checksum);
}

function base62(bytes: Uint8Array, length: number): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; rest > 0n; rest /= 62n) text = `${digits[Number(rest % 62n)]}${text}`;
  return text.padStart(length, '0');
}

import { randomBytes } from 'node:crypto';
import type { RequestId } from '@captionfleet/protocol/image-job';

const crockford = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new ULID in lower case: 48 bits of time, so that ids sort by age, then 80 bits from the system's secure generator,
 * so that nobody can guess the id of another caller's request.
 */
export function newRequestId(now = Date.now()): RequestId {
  const value = (BigInt(now) << 80n) | BigInt(`0x${randomBytes(10).toString('hex')}`);
  const digit = (place: number): string => crockford.charAt(Number((value >> BigInt(5 * place)) & 31n));
  return Array.from({ length: 26 }, (_, index) => digit(25 - index)).join('');
}

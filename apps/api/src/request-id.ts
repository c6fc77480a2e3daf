import { randomBytes } from 'node:crypto';
import type { RequestId } from '@captionfleet/protocol/image-job';

const crockford = '0123456789abcdefghjkmnpqrstvwxyz';
const chanceBits = 80n;

/**
 * A new ULID in lower case: 48 bits of time, so that ids sort by age, then 80 bits from the system's secure generator,
 * so that nobody can guess the id of another caller's request.
 */
export const newRequestId = (now = Date.now()): RequestId =>
  encode((BigInt(now) << chanceBits) | BigInt(`0x${randomBytes(10).toString('hex')}`));

/** The first of all ids of a millisecond. */
export const firstRequestId = (now: number): RequestId => encode(BigInt(now) << chanceBits);

/** Milliseconds since the epoch. */
export const requestIdTime = (id: RequestId): number =>
  [...id.slice(0, 10)].reduce((time, digit) => time * 32 + crockford.indexOf(digit), 0);

function encode(value: bigint): RequestId {
  const digit = (place: number): string => crockford.charAt(Number((value >> BigInt(5 * place)) & 31n));
  return Array.from({ length: 26 }, (_, index) => digit(25 - index)).join('');
}

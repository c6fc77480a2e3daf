import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Azure's WireServer: the one address that serves secrets of the machine from within public unicast space. */
const wireServer = '168.63.129.16';
const globalIpv6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True for the addresses of hosts on the public internet: IANA global unicast. Loopback, private, link-local, shared and
 * reserved ranges are false, and so is every IPv6 form that carries an IPv4 address (mapped, 6to4, Teredo, NAT64).
 */
export function isPublicAddress(address: string): boolean {
  // ipaddr.js also reads 127.1 and 0x7f.1; only the canonical forms count here. A zone id (%eth0) is never public.
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || address === wireServer) return false;
  return parsed.kind() === 'ipv4' || parsed.match(globalIpv6);
}

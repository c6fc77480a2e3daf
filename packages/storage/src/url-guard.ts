import { isIP, isIPv4, isIPv6 } from 'node:net';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { isPublicAddress } from './address-guard.ts';

/** Names that resolve inside a network: special-use domains of IANA, and the habits of clusters and offices. */
const reservedSuffix =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|arpa|svc|onion|test|invalid)$/;
const privateLink = /(?:^|\.)privatelink\./;
const hostLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * Decides from its text alone whether a URL of a caller may be used, and returns it parsed: nothing parses it a second time, so no
 * two parsers can disagree on its host. What its name resolves to is checked when a connection is made.
 *
 * @param exempt `host:port` pairs that may be private and may use any port.
 * @throws URL_REFUSED. Messages name the host at most: path and query of an image URL may hold a signature.
 */
export function parseCallerUrl(text: string, exempt: ReadonlySet<string>): URL {
  if (text.length > imageLimits.urlLength) throw refused(`is longer than ${imageLimits.urlLength} characters`);
  if (/[\s\\\p{Cc}]/u.test(text)) throw refused('contains a space, a control character or a backslash');
  const authority = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1];
  const url = URL.parse(text);
  if (authority === undefined || url === null) throw refused('is not an http or https URL with a host');
  if (authority.includes('@')) throw refused('contains a user name or password');
  if (exempt.has(hostAndPort(url))) return url;

  const port = url.port === '' ? undefined : `uses port ${url.port}; only 80 and 443 are allowed`;
  const problem = port ?? (isIP(bareHost(url)) === 0 ? hostNameProblem(url.hostname) : addressProblem(url, authority));
  if (problem !== undefined) throw refused(`${problem}; ${howToExempt(url)}`);
  return url;
}

/** For whoever runs the fleet. */
export const howToExempt = (url: Pick<URL, 'hostname' | 'port' | 'protocol'>): string =>
  `CAPTIONFLEET_ALLOW_PRIVATE_HOSTS would have to name ${hostAndPort(url)}`;

/** `host:port` with the port always written and IPv6 in brackets, as the list of exempt hosts has it. */
export function hostAndPort({ hostname, port, protocol }: Pick<URL, 'hostname' | 'port' | 'protocol'>): string {
  const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
  return `${host}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

/** The host without the brackets of an IPv6 address. */
const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

function addressProblem(url: URL, authority: string): string | undefined {
  // 127.1, 0x7f000001 and full-width digits all parse as 127.0.0.1: nobody writes a public address like that.
  if (isIPv4(url.hostname) && authority.replace(/:\d*$/, '') !== url.hostname) {
    return 'writes an IPv4 address in an unusual form';
  }
  return isPublicAddress(bareHost(url)) ? undefined : `points to ${url.hostname}, which is not a public address`;
}

function hostNameProblem(host: string): string | undefined {
  if (!host.includes('.')) return `names "${host}", which is not a full domain name`;
  if (host.length > 253 || !host.split('.').every((label) => hostLabel.test(label))) return 'has a malformed host name';
  if (reservedSuffix.test(host) || privateLink.test(host)) return `names "${host}", which is a private name`;
  return undefined;
}

export const refused = (problem: string): CaptionfleetError =>
  new CaptionfleetError('URL_REFUSED', `the URL ${problem}`);

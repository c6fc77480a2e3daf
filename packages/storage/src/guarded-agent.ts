import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { isPublicAddress } from './address-guard.ts';
import { hostAndPort, howToExempt, refused } from './url-guard.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export const resolveBySystem: Resolve = async (host) => await lookup(host, { all: true });

/** Milliseconds that a host may take to accept a connection, TLS included, to begin its answer, and between two pieces. */
export const transferLimits = { connectMs: 5_000, headersMs: 5_000, silenceMs: 5_000 } as const;

/**
 * An HTTP agent that connects to public addresses only. A name is resolved once per connection; if any of its addresses is
 * not public the connection is refused, else one of exactly these addresses is dialled: a second, different answer of the
 * name server is never asked for.
 *
 * @param exempt `host:port` pairs whose addresses are not checked.
 * @param options.headersMs Milliseconds for the beginning of an answer.
 */
export function guardedAgent(
  exempt: ReadonlySet<string>,
  resolve: Resolve,
  { headersMs = transferLimits.headersMs }: { readonly headersMs?: number } = {},
): Agent {
  const addressesOf = async (target: Parameters<typeof hostAndPort>[0]): Promise<readonly ResolvedAddress[]> => {
    const host = target.hostname;
    const isExempt = exempt.has(hostAndPort(target));
    const family = isIP(host);
    const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
    const bad = isExempt ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
    if (bad !== undefined)
      throw refused(`names "${host}", which leads to ${bad.address}, not a public address; ${howToExempt(target)}`);
    return addresses;
  };

  return new Agent({
    connect: (options, callback) => {
      addressesOf(options).then(
        (addresses) => {
          const connect = buildConnector({
            allowH2: false,
            timeout: transferLimits.connectMs,
            lookup: answering(addresses),
          });
          connect(options, callback);
        },
        (error: Error) => callback(error, null),
      );
    },
    connections: 16,
    pipelining: 1,
    headersTimeout: headersMs,
    bodyTimeout: transferLimits.silenceMs,
    // Short, so that no connection outlives for long what its name was checked for.
    keepAliveTimeout: 2_000,
    keepAliveMaxTimeout: 2_000,
  });
}

/** A lookup that knows its answer, in both forms in which node:net asks. */
function answering(addresses: readonly ResolvedAddress[]): LookupFunction {
  const [first] = addresses;
  return (_host, options, callback) => {
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

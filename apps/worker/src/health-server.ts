import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { isAllowedHost } from '@captionfleet/protocol/host-header';
import type { Scrape } from '@captionfleet/telemetry/openmetrics';

export interface HealthServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Names that operators call it by; addresses and localhost always pass. */
  readonly allowedHosts: readonly string[];
  /** Each rejects while its part is not ready. They run at every question, within a deadline. */
  readonly checks: Readonly<Record<string, (options: { readonly signal: AbortSignal }) => Promise<unknown>>>;
  /** The metrics, in a format that the `Accept` of the scraper names. */
  readonly scrape: (accept: string | undefined) => Promise<Scrape>;
}

export interface HealthServer extends AsyncDisposable {
  readonly url: string;
}

const limits = { checkMs: 2000, requestMs: 5000, connections: 32, headerBytes: 8192 } as const;

/**
 * /livez is 200 while this process turns its event loop, /readyz is 200 while every check passes and else 503 with the
 * names of those that do not, /metrics is for Prometheus.
 *
 * @throws CONFIG_INVALID when the address cannot be listened on
 */
export async function openHealthServer({
  host,
  port,
  allowedHosts,
  checks,
  scrape,
}: HealthServerConfig): Promise<HealthServer> {
  const routes: Record<string, (response: ServerResponse, request: IncomingMessage) => void | Promise<void>> = {
    '/livez': (response) => answer(response, 200, { status: 'alive' }),
    '/readyz': async (response) => {
      const failing = await runChecks(checks);
      answer(response, failing.length === 0 ? 200 : 503, {
        status: failing.length === 0 ? 'ready' : 'unready',
        failing,
      });
    },
    '/metrics': async (response, { headers }) => {
      const { contentType, body } = await scrape(headers.accept);
      response.writeHead(200, { 'content-type': contentType }).end(body);
    },
  };
  const server = createServer({ maxHeaderSize: limits.headerBytes, requestTimeout: limits.requestMs });
  server.maxConnections = limits.connections;
  server.on('request', (request, response) => {
    const route = routes[request.url?.split('?')[0] ?? ''];
    if (!isAllowedHost(request.headers.host, allowedHosts))
      answer(response, 403, { status: 'not called by this name' });
    else if (route === undefined || request.method !== 'GET') answer(response, 404, { status: 'not found' });
    else Promise.try(route, response, request).catch(() => response.destroy());
  });
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function runChecks(checks: HealthServerConfig['checks']): Promise<string[]> {
  const signal = AbortSignal.timeout(limits.checkMs);
  const late = once(signal, 'abort');
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const passed = check({ signal }).then(
        () => true,
        () => false,
      );
      return { name, passed: await Promise.race([passed, late.then(() => false)]) };
    }),
  );
  return results.filter(({ passed }) => !passed).map(({ name }) => name);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    const busy = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const problem = busy ? 'is in use' : 'cannot be listened on';
    const address = `CAPTIONFLEET_HEALTH_HOST ${host}, CAPTIONFLEET_HEALTH_PORT ${port}`;
    throw new CaptionfleetError('CONFIG_INVALID', `${address} ${problem}`, { cause });
  }
}

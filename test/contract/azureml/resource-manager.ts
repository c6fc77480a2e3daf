import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

interface ResourceManagerOptions {
  /** A private key and its certificate. */
  readonly pem: string;
  readonly endpoint: string;
  readonly deployments: readonly string[];
  readonly keys: { readonly primaryKey: string; readonly secondaryKey: string };
  /** `http://host:port` of the surface. */
  readonly surface: string;
}

/** As much of Azure Resource Manager as unmodified clients ask before they call an online endpoint. */
export async function startResourceManager(
  options: ResourceManagerOptions,
): Promise<AsyncDisposable & { readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer({ key: options.pem, cert: options.pem }, (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'https://localhost');
    asked.push(`${request.method} ${pathname.replace(/^.*\/onlineEndpoints/, '/onlineEndpoints')}`);
    answer(options, `https://localhost:${(server.address() as AddressInfo).port}`)(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

const answer =
  ({ endpoint, deployments, keys, surface }: ResourceManagerOptions, self: string): RequestListener =>
  (request, response) => {
    const { pathname } = new URL(request.url ?? '', self);
    const here = `/onlineEndpoints/${endpoint}`;
    const resource = (name: string, properties: object) => ({
      id: pathname,
      name,
      type: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints',
      location: 'westeurope',
      tags: {},
      properties,
    });
    const known: Readonly<Record<string, unknown>> = {
      'GET /metadata/endpoints': [
        {
          name: 'LocalCloud',
          portal: 'https://portal.azure.com',
          resourceManager: `${self}/`,
          authentication: { loginEndpoint: `${self}/login`, audiences: [self] },
          suffixes: { storage: 'core.windows.net' },
        },
      ],
      [`GET ${here}`]: resource(endpoint, {
        authMode: 'Key',
        provisioningState: 'Succeeded',
        publicNetworkAccess: 'Enabled',
        scoringUri: `${surface}/score`,
        swaggerUri: `${surface}/swagger.json`,
        traffic: {},
      }),
      [`GET ${here}/deployments`]: {
        value: deployments.map((name) =>
          resource(name, { endpointComputeType: 'Managed', provisioningState: 'Succeeded' }),
        ),
      },
      [`POST ${here}/listKeys`]: keys,
    };
    const body = known[`${request.method} ${pathname.replace(/^.*(?=\/onlineEndpoints)/, '').replace(/\/+$/, '')}`];
    request.resume();
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { error: { code: 'NotFound', message: `there is no ${pathname}` } }));
  };

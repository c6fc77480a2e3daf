import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

interface ResourceManagerOptions {
  /** A private key and its certificate. */
  readonly pem: string;
  readonly endpoint: string;
  readonly deployments: readonly string[];
  readonly keys: { readonly primaryKey: string; readonly secondaryKey: string };
  /** `http://host:port` of the surface. */
  readonly surface: string;
}

interface ResourceManager extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly string[];
  /** Ends the connections of the next calls of the batch endpoint in place of their answers. */
  dropAnswers(calls: number): void;
}

/** As much of Azure Resource Manager as unmodified clients ask before they call an online or a batch endpoint. */
export async function startResourceManager(options: ResourceManagerOptions): Promise<ResourceManager> {
  const asked: string[] = [];
  const forwarding = { drops: 0 };
  const server = createServer({ key: options.pem, cert: options.pem }, (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'https://localhost');
    if (pathname.startsWith('/region/')) {
      asked.push(`${request.method} ${pathname}`);
      void forward(request, response, options.surface, forwarding);
      return;
    }
    asked.push(`${request.method} ${pathname.replace(/^.*\/onlineEndpoints/, '/onlineEndpoints')}`);
    answer(options, `https://localhost:${(server.address() as AddressInfo).port}`)(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    asked,
    dropAnswers(calls) {
      forwarding.drops = calls;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Hands a call of the batch endpoint on to the surface, as the gateway of a region does. */
async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  surface: string,
  forwarding: { drops: number },
): Promise<void> {
  const body = await buffer(request);
  const names = ['authorization', 'content-type', 'azureml-model-deployment', 'repeatability_request-id'];
  const headers = names.flatMap((name): [string, string][] => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const answered = await fetch(surface + (request.url ?? '').replace(/^\/region/, ''), {
    method: request.method ?? 'GET',
    headers,
    ...(body.byteLength > 0 ? { body } : {}),
  });
  const content = await answered.text();
  if (forwarding.drops > 0) {
    forwarding.drops -= 1;
    request.socket.destroy();
    return;
  }
  response.writeHead(answered.status, { 'content-type': answered.headers.get('content-type') ?? 'text/plain' });
  response.end(content);
}

const answer =
  ({ endpoint, deployments, keys, surface }: ResourceManagerOptions, self: string): RequestListener =>
  (request, response) => {
    const { pathname } = new URL(request.url ?? '', self);
    const here = `/onlineEndpoints/${endpoint}`;
    const batch = `/batchEndpoints/${endpoint}`;
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
      [`GET ${batch}`]: resource(endpoint, {
        authMode: 'AADToken',
        provisioningState: 'Succeeded',
        scoringUri: `${self}/region/jobs`,
        defaults: { deploymentName: deployments[0] },
      }),
      [`GET ${batch}/deployments`]: { value: deployments.map((name) => resource(name, {})) },
      'GET /workspaces/workspace': resource('workspace', { discoveryUrl: `${self}/discovery` }),
      'GET /discovery': { api: `${self}/region` },
    };
    const body =
      known[
        `${request.method} ${pathname.replace(/^.*(?=\/(?:online|batch)Endpoints|\/workspaces\/[^/]+$)/, '').replace(/\/+$/, '')}`
      ];
    request.resume();
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { error: { code: 'NotFound', message: `there is no ${pathname}` } }));
  };

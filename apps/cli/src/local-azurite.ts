import { createRequire } from 'node:module';
import { startLocalProcess, waitUntilReady } from './local-process.ts';

export interface LocalAzurite extends AsyncDisposable {
  readonly endpoint: string;
  readonly connectionString: string;
  readonly pid: number;
  readonly ended: Promise<string>;
}

// Azurite's account and key are published by Microsoft and the same everywhere: they protect nothing and are no secret.
const developmentAccount = 'devstoreaccount1';
const developmentKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

export const azuriteConnectionString = (endpoint: string): string =>
  `DefaultEndpointsProtocol=http;AccountName=${developmentAccount};AccountKey=${developmentKey};BlobEndpoint=${endpoint}/${developmentAccount};`;

/** Starts Azurite, Microsoft's own emulator of Blob storage, on a free loopback port. Without `directory` in memory. */
export async function startLocalAzurite(options: { directory?: string } = {}): Promise<LocalAzurite> {
  const require = createRequire(import.meta.url);
  const main = require.resolve('azurite/dist/src/blob/main.js');
  const lastLines: string[] = [];
  let endpoint: string | undefined;
  const server = startLocalProcess({
    name: 'azurite',
    command: process.execPath,
    arguments: [
      main,
      ...['--blobHost', '127.0.0.1', '--blobPort', '0', '--skipApiVersionCheck', '--disableTelemetry'],
      ...(options.directory === undefined ? ['--inMemoryPersistence'] : ['--location', options.directory]),
    ],
    onLine: (line) => {
      endpoint ??= /listens on (http:\/\/\S+)/.exec(line)?.[1];
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
    },
  });
  try {
    await waitUntilReady(server, 'azurite', async () => endpoint !== undefined, { deadlineMs: 60_000, lastLines });
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    endpoint: endpoint ?? '',
    connectionString: azuriteConnectionString(endpoint ?? ''),
    pid: server.pid,
    ended: server.ended,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

export interface ImageHost extends AsyncDisposable {
  readonly url: string;
  /** For CAPTIONFLEET_ALLOW_PRIVATE_HOSTS. */
  readonly host: string;
}

/** Serves the files of a directory on loopback. */
export async function startImageHost(directory: string): Promise<ImageHost> {
  const server = createServer(async ({ url = '/' }, response) => {
    const bytes = await readFile(join(directory, basename(url))).catch(() => undefined);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

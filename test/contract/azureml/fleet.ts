import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { startApi } from '../../../apps/cli/src/local-app.ts';
import { findFreePort } from '../../../apps/cli/src/local-process.ts';
import { demoCheckpoint, demoSamples } from '../../../apps/cli/src/state-directory.ts';
import { putBlob } from '../../support/blobs.ts';
import { startFleet } from '../../support/fleet.ts';
import type { ShapeImages } from './shapes.ts';

/** A PNG of 16 x 16 red pixels: its base64 fits into a query. */
const tinyPng =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAMAAAAoLQ9TAAAAA1BMVEXIKChQLvxyAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADklEQVQYlWNgGAUMSAAAARAAAVGhZwQAAAAASUVORK5CYII=';

export async function readShapeImages(): Promise<ShapeImages> {
  const sample = (name: string): Promise<Buffer> => readFile(join(demoSamples, name));
  return {
    tiny: Buffer.from(tinyPng, 'base64'),
    boat: await sample('boat-on-the-water.jpg'),
    penguin: await sample('penguin-and-triangle.webp'),
  };
}

/** Has the images as `/tiny.png`, `/boat.jpg`, `/penguin.webp`, a redirect as `/moved.jpg`, and text as `/text.txt`. */
export async function startImageServer(images: ShapeImages): Promise<AsyncDisposable & { readonly url: string }> {
  const files: Readonly<Record<string, Uint8Array>> = {
    '/tiny.png': images.tiny,
    '/boat.jpg': images.boat,
    '/penguin.webp': images.penguin,
    '/text.txt': Buffer.from('text'),
  };
  const server: Server = createServer(({ url = '' }, response) => {
    const path = url.replace(/\?.*/, '');
    const file = files[path];
    if (path === '/moved.jpg') response.writeHead(302, { location: '/boat.jpg' }).end();
    else response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

export interface ContractFleet extends AsyncDisposable {
  /** Of the native API, which captions and answers. */
  readonly url: string;
  /** Of the surface as a container that captions, and as one that answers. */
  readonly captionPort: number;
  readonly answerPort: number;
  /** Stores a blob in the container `photos`, which the fleet may read. */
  put(name: string, bytes: Buffer): Promise<void>;
  /** Starts the surface once more, with other settings, and returns its port. */
  start(settings: Readonly<Record<string, string>>): Promise<number>;
}

/** A fleet with the demo model whose workers may fetch from `imageServer`. */
export async function startContractFleet(imageServer: string): Promise<ContractFleet> {
  const parts = new AsyncDisposableStack();
  try {
    const shared = {
      CAPTIONFLEET_AZUREML: 'container',
      CAPTIONFLEET_VARIANT: 'fp32',
      CAPTIONFLEET_IMAGE_CONTAINERS: 'photos',
      LOG_LEVEL: 'warn',
    };
    const captionPort = await findFreePort();
    const fleet = parts.use(
      await startFleet({
        workers: 1,
        checkpoint: demoCheckpoint,
        env: {
          ...shared,
          CAPTIONFLEET_AZUREML_PORT: String(captionPort),
          CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: new URL(imageServer).host,
        },
      }),
    );
    const start = async (settings: Readonly<Record<string, string>>) => {
      const port = await findFreePort();
      const env = {
        ...process.env,
        ...shared,
        CAPTIONFLEET_HOME: fleet.scratch,
        REDIS_URL: fleet.redisUrl,
        AZURE_STORAGE_CONNECTION_STRING: fleet.connectionString,
        CAPTIONFLEET_CONTAINER: fleet.container,
        CAPTIONFLEET_AZUREML_PORT: String(port),
        ...settings,
      };
      return { port, api: parts.use(await startApi(await findFreePort(), env, AbortSignal.timeout(60_000))) };
    };
    const answering = await start({ CAPTIONFLEET_TASKS: 'answer' });
    const both = await start({ CAPTIONFLEET_TASKS: 'caption,answer' });
    return {
      url: both.api.url,
      captionPort,
      answerPort: answering.port,
      async put(name, bytes) {
        const service = BlobServiceClient.fromConnectionString(fleet.connectionString);
        await service.getContainerClient('photos').createIfNotExists();
        await putBlob(fleet.connectionString, 'photos', name, bytes);
      },
      start: async (settings) => (await start(settings)).port,
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

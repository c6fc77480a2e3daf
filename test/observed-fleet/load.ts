import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { goldenDirectory } from '../support/fleet.ts';
import { postCaptions } from '../support/http.ts';

/** What callers do to a fleet meanwhile; its fields may be changed at any time. */
export interface Load extends AsyncDisposable {
  damaged: boolean;
  webhook: { readonly url: string } | undefined;
  /** An image that nobody sent before: a photograph, and bytes behind its end that decoders do not read. */
  image(): { readonly base64: string };
  /** An image whose host takes seconds to give it. */
  slowImage(): { readonly url: string };
}

/** Images a second at the least and at the most; a wave of `waveMs` goes between. */
const rates = { least: 1, most: 4 } as const;
const waveMs = 60_000;

export interface SlowHost extends AsyncDisposable {
  /** Name and port, which the fleet must be allowed to fetch from. */
  readonly host: string;
}

/** Milliseconds that the slow host takes for an image. */
const slowMs = 4_000;

const readPhotograph = (): Promise<Buffer> => readFile(join(goldenDirectory, 'images', '04-small.png'));

export async function startSlowHost(): Promise<SlowHost> {
  const photograph = await readPhotograph();
  const server = createServer((_, response) => {
    const timer = setTimeout(() => response.setHeader('content-type', 'image/png').end(photograph), slowMs);
    response.once('close', () => clearTimeout(timer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Posts images without waiting for their captions, faster and slower in turn, until it is disposed of. */
export async function startLoad(apiUrl: string, slowHost: string): Promise<Load> {
  const photograph = await readPhotograph();
  const stop = new AbortController();
  const load: Load = {
    damaged: false,
    webhook: undefined,
    image: () => ({ base64: Buffer.concat([photograph, randomBytes(8)]).toString('base64') }),
    slowImage: () => ({ url: `http://${slowHost}/${randomBytes(8).toString('hex')}.png` }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await posting;
    },
  };
  const damagedImage = () => {
    const whole = Buffer.from(load.image().base64, 'base64');
    return { base64: Buffer.concat([whole.subarray(0, whole.length / 3), randomBytes(8)]).toString('base64') };
  };
  const post = async () => {
    const image = load.damaged ? damagedImage() : load.image();
    const body = { images: [image], ...(load.webhook === undefined ? {} : { webhook: load.webhook }) };
    // A fleet that is being broken refuses and hangs; that is what is looked at.
    await postCaptions(apiUrl, body).catch(() => undefined);
  };
  const posting = (async () => {
    const started = Date.now();
    while (!stop.signal.aborted) {
      void post();
      const height = (1 - Math.cos((2 * Math.PI * (Date.now() - started)) / waveMs)) / 2;
      const rate = rates.least + (rates.most - rates.least) * height;
      await pause(1_000 / rate, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return load;
}

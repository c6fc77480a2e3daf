// For tests only: stands between a client and Redis, and plays a network that fails.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface TestProxy extends AsyncDisposable {
  /** The URL of Redis by way of this proxy. */
  readonly url: string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again, at the same port. */
  heal(): Promise<void>;
  /** Keeps connections open and lets nothing through them, in either direction. */
  freeze(): void;
}

export async function startTestProxy(redisUrl: string): Promise<TestProxy> {
  const target = new URL(redisUrl);
  const sockets = new Set<Socket>();
  const accept = (near: Socket): void => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  };
  const server: Server = createServer(accept).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    cut,
    async heal() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await cut();
    },
  };
}

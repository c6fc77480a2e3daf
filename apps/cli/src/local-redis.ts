import { connect } from 'node:net';
import { findFreePort, type LocalProcess, startLocalProcess, waitUntilReady } from './local-process.ts';

export interface LocalRedis extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly ended: Promise<string>;
}

/**
 * Starts the redis-server found on PATH, bound to loopback. With `directory` it keeps an append-only file there and
 * survives a restart; without, it keeps nothing. `noeviction` because BullMQ's keys are the work itself.
 */
export async function startLocalRedis(
  options: { directory?: string; extraArguments?: readonly string[] } = {},
): Promise<LocalRedis> {
  const port = await findFreePort();
  const lastLines: string[] = [];
  const persistence =
    options.directory === undefined
      ? ['--appendonly', 'no']
      : ['--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', options.directory];
  const server: LocalProcess = startLocalProcess({
    name: 'redis-server',
    command: 'redis-server',
    arguments: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'],
      ...persistence,
      ...(options.extraArguments ?? []),
    ],
    onLine: (line) => {
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
    },
  });
  try {
    await waitUntilReady(server, 'redis-server', () => answersPing(port), { deadlineMs: 30_000, lastLines });
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid,
    ended: server.ended,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** True once Redis has loaded its data: before that it answers -LOADING. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('data', (data) => settle(data.toString().startsWith('+PONG')));
  });
}

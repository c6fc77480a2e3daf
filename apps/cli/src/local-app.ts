import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort, type LocalProcess, startLocalProcess, waitUntilReady } from './local-process.ts';
import { entryPoint, stateDirectory } from './state-directory.ts';

export interface LocalApp extends LocalProcess {
  readonly url: string;
}

/** Starts the API on a port and waits until it is ready: Redis and Blob storage answer. */
export function startApi(port: number, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<LocalApp> {
  return startApp('api', port, { ...env, HOST: env['HOST'] ?? '127.0.0.1', PORT: String(port) }, signal);
}

/** Starts a worker and waits until it is ready: a model is loaded and warm. The URL is the one of its health server. */
export async function startWorker(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<LocalApp> {
  const port = await findFreePort();
  const health = { CAPTIONFLEET_HEALTH_HOST: '127.0.0.1', CAPTIONFLEET_HEALTH_PORT: String(port) };
  return await startApp('worker', port, { ...env, ...health }, signal);
}

/** Its output goes to a log file; the last lines of it go into the error when it does not become ready. */
async function startApp(
  name: 'api' | 'worker',
  port: number,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<LocalApp> {
  const logs = join(stateDirectory(env), 'logs');
  await mkdir(logs, { recursive: true });
  const log = createWriteStream(join(logs, `${name}.log`), { flags: 'a' });
  const lastLines: string[] = [];
  const app = startLocalProcess({
    name: `the ${name}`,
    command: process.execPath,
    arguments: [entryPoint(name)],
    env,
    // Longer than the worker's own deadline for draining.
    stopMs: 40_000,
    onLine: (line) => {
      log.write(`${line}\n`);
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => {
    signal.throwIfAborted();
    const within = AbortSignal.any([signal, AbortSignal.timeout(2000)]);
    return (await fetch(`${url}/readyz`, { signal: within }).catch(() => undefined))?.ok ?? false;
  };
  try {
    await waitUntilReady(app, `the ${name}`, isReady, { deadlineMs: 120_000, lastLines });
  } catch (error) {
    await app[Symbol.asyncDispose]();
    throw error;
  }
  return { ...app, url };
}

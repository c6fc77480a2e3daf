import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createDirectory } from './create-directory.ts';
import { findFreePort, type LocalProcess, startError, startLocalProcess, waitUntilReady } from './local-process.ts';
import { entryPoint, stateDirectory } from './state-directory.ts';

export interface LocalApp extends LocalProcess {
  readonly url: string;
}

/** Milliseconds that Redis and Blob storage may take to answer an API that is up. */
const backendMs = 10_000;

export interface LocalApi extends LocalApp {
  /** Of its listener for operators. */
  readonly adminUrl: string;
}

/** Starts the API on a port and waits until it is ready: Redis and Blob storage answer. */
export async function startApi(port: number, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<LocalApi> {
  const adminPort = await findFreePort();
  const listeners = {
    HOST: env['HOST'] ?? '127.0.0.1',
    PORT: String(port),
    CAPTIONFLEET_ADMIN_HOST: '127.0.0.1',
    CAPTIONFLEET_ADMIN_PORT: String(adminPort),
  };
  const api = await startApp('api', port, { ...env, ...listeners }, signal);
  return { ...api, adminUrl: `http://127.0.0.1:${adminPort}` };
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
  await createDirectory(logs, 'CAPTIONFLEET_HOME');
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
  let unreadySince = Number.POSITIVE_INFINITY;
  const isReady = async () => {
    signal.throwIfAborted();
    const within = AbortSignal.any([signal, AbortSignal.timeout(2000)]);
    const answer = await fetch(`${url}/readyz`, { signal: within }).catch(() => undefined);
    if (answer !== undefined) unreadySince = Math.min(unreadySince, Date.now());
    // A worker answers before its model is loaded; an API only lacks what it depends on.
    if (name === 'api' && answer?.ok === false && Date.now() - unreadySince > backendMs) {
      throw startError('the api is not ready', lastLines);
    }
    return answer?.ok ?? false;
  };
  try {
    await waitUntilReady(app, `the ${name}`, isReady, { deadlineMs: 120_000, lastLines });
  } catch (error) {
    await app[Symbol.asyncDispose]();
    throw error;
  }
  return { ...app, url };
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CaptionfleetError, type ErrorCode, errorTable } from '@captionfleet/protocol/errors';

export interface LocalProcess extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when the process has ended, with how it did: a signal, or an exit status. */
  readonly ended: Promise<string>;
}

interface LocalProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
  /** How long an ordered end may take before the process is killed. */
  readonly stopMs?: number;
}

/** Linux ends the child when we die by SIGKILL, so that nothing is left running. */
const dieWithParent =
  process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0
    ? ['setpriv', '--pdeathsig', 'TERM']
    : [];

/**
 * Starts a process in a group of its own: a Ctrl-C at the terminal reaches only us, and we end the parts in the right
 * order. Disposing sends SIGTERM, then SIGKILL after `stopMs`.
 */
export function startLocalProcess(options: LocalProcessOptions): LocalProcess {
  const [command = options.command, ...commandArguments] = [...dieWithParent, options.command, ...options.arguments];
  const child = spawn(command, commandArguments, {
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? `exit status ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  for (const stream of [child.stdout, child.stderr]) readLines(stream, options.onLine);
  if (child.pid === undefined) {
    throw new CaptionfleetError(
      'CONFIG_INVALID',
      `${options.name} could not be started: is ${options.command} installed?`,
    );
  }
  return {
    pid: child.pid,
    child,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), options.stopMs ?? 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function readLines(stream: Readable, onLine: ((line: string) => void) | undefined): void {
  createInterface({ input: stream }).on('line', (line) => onLine?.(line));
}

/**
 * Waits until `check` says yes; fails when the process ends first or the deadline passes, with the code and the words of
 * the last error that it wrote.
 */
export async function waitUntilReady(
  process: LocalProcess,
  name: string,
  check: () => Promise<boolean>,
  { deadlineMs, lastLines }: { deadlineMs: number; lastLines: readonly string[] },
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  let ended = false;
  void process.ended.then(() => {
    ended = true;
  });
  while (!(await check())) {
    if (ended) throw startError(`${name} ended while starting`, lastLines);
    if (Date.now() > deadline) throw startError(`${name} was not ready within ${deadlineMs} ms`, lastLines);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The error of a start that failed: what the process itself gave as the reason, else all of its last lines. */
export function startError(what: string, lastLines: readonly string[]): CaptionfleetError {
  const messages = lastLines.map(messageOf).filter((message) => message !== '');
  const [, code = '', reason] = messages.map((message) => /^([A-Z_]+): (.+)$/.exec(message)).findLast(isReason) ?? [];
  if (Object.hasOwn(errorTable, code)) return new CaptionfleetError(code as ErrorCode, `${what}: ${reason}`);
  return new CaptionfleetError('CONFIG_INVALID', [what, messages.join(' | ')].filter((part) => part !== '').join(': '));
}

const isReason = (match: RegExpExecArray | null): match is RegExpExecArray => match?.[1] !== undefined;

/** The message of a line of a log, which is JSON; another line is one itself. */
function messageOf(line: string): string {
  try {
    return String(JSON.parse(line).msg ?? '');
  } catch {
    return line;
  }
}

/** A TCP port that was free a moment ago; `preferred` if it is, else any. */
export async function findFreePort(preferred = 0): Promise<number> {
  for (const candidate of preferred === 0 ? [0] : [preferred, 0]) {
    const port = await tryListen(candidate);
    if (port !== undefined) return port;
  }
  throw new CaptionfleetError('CONFIG_INVALID', 'no free TCP port on 127.0.0.1');
}

async function tryListen(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}

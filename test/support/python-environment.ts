import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { announce } from './containers.ts';

const directory = new URL('../../.captionfleet/contract/', import.meta.url).pathname;

/**
 * Installs Python packages into an environment of their own, once: until what is required changes.
 *
 * @returns the environment's interpreter
 */
export async function pythonEnvironment(name: string, requirementsFile: string): Promise<string> {
  const environment = join(directory, `${name}-python`);
  const python = join(environment, 'bin', 'python');
  const stamp = join(environment, 'installed.txt');
  const requirements = await readFile(requirementsFile, 'utf8');
  const installed = await readFile(stamp, 'utf8').catch(() => undefined);
  if (installed === requirements) return python;
  announce(`installing ${requirementsFile.split('/').at(-1)} into ${environment}`);
  await runPython('python3', ['-m', 'venv', '--clear', environment]);
  await runPython(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsFile]);
  await writeFile(stamp, requirements);
  return python;
}

interface RunOptions {
  /** Given to its standard input. */
  readonly input?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** Runs a program of the environment to its end and returns what it printed; throws with all that it printed when it fails. */
export async function runPython(
  program: string,
  commandArguments: readonly string[],
  { input = '', env = {}, directory }: RunOptions = {},
): Promise<string> {
  const child = spawn(program, commandArguments, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 300_000,
    cwd: directory,
    env: { ...process.env, ...env },
  });
  child.stdin.end(input);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode === 0) return output;
  throw new Error(`${program} ${commandArguments.join(' ')} failed:\n${output}${errors}`);
}

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

/** Runs Python to its end and returns what it printed; throws with its errors when it fails. */
export async function runPython(
  python: string,
  commandArguments: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(python, commandArguments, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: 300_000,
  });
  child.stdin.end(input);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode === 0) return output;
  throw new Error(`${python} ${commandArguments.join(' ')} failed:\n${errors}`);
}

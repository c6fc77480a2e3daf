import { existsSync } from 'node:fs';
import type { StartedTestContainer } from 'testcontainers';

interface Image {
  readonly image: string;
  readonly port: number;
  readonly command?: readonly string[];
}

/**
 * Starts a container where Docker answers and the image can be had; undefined elsewhere, and the caller starts a real
 * local process instead. The same tests run on both; which one it was is printed once.
 */
export async function startContainer({ image, port, command }: Image): Promise<StartedTestContainer | undefined> {
  // Importing testcontainers costs half a second: ask for a socket first.
  if (process.env['DOCKER_HOST'] === undefined && !existsSync('/var/run/docker.sock')) return undefined;
  try {
    const { GenericContainer } = await import('testcontainers');
    const container = new GenericContainer(image).withExposedPorts(port).withStartupTimeout(60_000);
    if (command !== undefined) container.withCommand([...command]);
    return await container.start();
  } catch (error) {
    process.stderr.write(`# no container of ${image} (${error instanceof Error ? error.message : String(error)})\n`);
    return undefined;
  }
}

const announced = new Set<string>();

/** Says once a process what a test's backend is. */
export function announce(line: string): void {
  if (!announced.has(line)) process.stderr.write(`# ${line}\n`);
  announced.add(line);
}

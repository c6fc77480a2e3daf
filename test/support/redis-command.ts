import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Sends one command to a Redis by redis-cli, as an operator would, and returns what it prints. @throws what Redis says */
export async function redisCommand(url: string, ...command: readonly string[]): Promise<string> {
  const child = spawn('redis-cli', ['-u', url, ...command], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const [status] = await once(child, 'close');
  if (status !== 0 || /^\(error\)|^ERR /m.test(output))
    throw new Error(`redis-cli ${command.join(' ')}: ${output.trim()}`);
  return output.trim();
}

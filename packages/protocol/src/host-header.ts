import { isIP } from 'node:net';

/**
 * Whether a server that only its operators should reach may answer a request of this Host. A page in an operator's browser can
 * make its own name lead to the server (DNS rebinding), and then the browser sends that name; it cannot make an address lie. So
 * addresses, `localhost` and the names that are `allowed` pass, and every other name is refused.
 */
export function isAllowedHost(host: string | undefined, allowed: readonly string[] = []): boolean {
  const [, name] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  if (name === undefined) return false;
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6;
  const lower = name.toLowerCase();
  return isIP(name) === 4 || lower === 'localhost' || allowed.includes(lower);
}

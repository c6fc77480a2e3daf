import type { WireResponse } from './exchange.ts';

/** What of an answer must be equal: the status, the body to the byte, and the headers that callers read. */
export interface ComparableAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const compared =
  /^(?:content-type|content-length|allow|location|retry-after|traceid|x-request-id|x-ms-.*|ms-azureml-.*|azureml-.*)$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Ids and times that are made anew each time are compared by their form, and by which are the same. */
export function comparable({ status, headers, body }: WireResponse): ComparableAnswer {
  const made = uuid.test(headers['x-request-id'] ?? '') ? headers['x-request-id'] : undefined;
  const entries = Object.entries(headers)
    .filter(([name]) => compared.test(name))
    .map(([name, value]) => [name, value === made ? 'a new UUID' : steady(name, value)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return { status, headers: Object.fromEntries(entries), body: body.toString('latin1') };
}

function steady(name: string, value: string): string {
  if (name === 'x-ms-run-fn-exec-ms' && /^\d+\.\d{3}$/.test(value)) return 'milliseconds';
  // Flask writes them in the order of a hash.
  if (name === 'allow') return value.split(', ').sort().join(', ');
  return value;
}

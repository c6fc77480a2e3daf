import type { ErrorCode } from '@captionfleet/protocol/errors';
import { exampleOf, problemExamples } from './openapi-examples.ts';
import { tagOf } from './openapi-tags.ts';

interface MediaType {
  readonly schema?: object;
}
interface Described {
  readonly description?: string;
  readonly content?: Readonly<Record<string, MediaType>>;
}
interface Operation {
  readonly operationId?: string;
  readonly requestBody?: Described;
  readonly responses?: Readonly<Record<string, Described>>;
}

/** Gives an operation its group, and an example to each of its bodies and answers that has one. */
export function completeOperation(
  path: string,
  operation: Operation,
  codesOf: (status: string, description: string) => readonly ErrorCode[],
): void {
  const { operationId = '', requestBody, responses = {} } = operation;
  Object.assign(operation, { tags: [tagOf(path)] });
  addExamples(requestBody, (name, lines) => exampleOf(operationId, lines ? 'lines' : 'body', name));
  for (const [status, response] of Object.entries(responses)) {
    addExamples(response, (name, lines) => exampleOf(operationId, lines ? `${status} lines` : status, name));
    const problem = response.content?.['application/problem+json'];
    if (problem === undefined) continue;
    Object.assign(problem, { examples: problemExamples(codesOf(status, response.description ?? '')) });
  }
}

function addExamples(
  described: Described | undefined,
  find: (schemaName: string | undefined, isLines: boolean) => unknown,
): void {
  for (const [type, media] of Object.entries(described?.content ?? {})) {
    // Bytes have none that JSON could hold.
    if (type === 'application/octet-stream') continue;
    const example = find(nameOf(media.schema), type === 'application/x-ndjson');
    if (example !== undefined) Object.assign(media, { example });
  }
}

const nameOf = (schema: object = {}): string | undefined =>
  '$ref' in schema ? String(schema.$ref).split('/').at(-1) : undefined;

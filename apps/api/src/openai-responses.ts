import { type ErrorCode, errorTable } from '@captionfleet/protocol/errors';
import { OpenAiErrorSchema } from './openai-contract.ts';
import { accessCodes, problems } from './openapi.ts';

const early = problems();

/** The error responses of a route: those that come before it is known have the form of all others. */
export function openAiErrors(...codes: readonly ErrorCode[]) {
  const all = new Set<ErrorCode>(['REQUEST_INVALID', ...accessCodes, ...codes, 'INTERNAL']);
  const byStatus = Object.groupBy(all, (code) => errorTable[code].status);
  const own = Object.entries(byStatus).map(([status, group]) => [
    status,
    {
      description: (group ?? []).map((code) => `\`${code}\`: ${errorTable[code].meaning}`).join('\n\n'),
      content: { 'application/json': { schema: OpenAiErrorSchema }, ...early[status]?.content },
    },
  ]);
  return { ...early, ...Object.fromEntries(own) };
}

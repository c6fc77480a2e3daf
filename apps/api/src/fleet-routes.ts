import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readerPath } from './reader-page.ts';
import { visionPath } from './vision-contract.ts';

/** A part that the API needs; throws when it does not answer. */
export type Check = (options: { signal: AbortSignal }) => Promise<unknown>;

export interface FleetRoutesConfig {
  readonly checks: Readonly<Record<string, Check>>;
}

const checkMs = 2_000;

const ReadinessSchema = z.object({
  status: z.enum(['ready', 'unready']),
  checks: z.record(
    z.string(),
    z.object({ ok: z.boolean(), milliseconds: z.int(), code: z.string().optional() }).describe('One part.'),
  ),
});

/** What operators and probes ask: is it alive, can it work, what can it do. */
export const fleetRoutes: FastifyPluginCallbackZod<FleetRoutesConfig> = (app, { checks }, done) => {
  const quiet = { logLevel: 'warn' } as const;

  const routes = {
    name: 'captionfleet',
    captions: '/v1/captions',
    match: '/v1/match',
    embed: '/v1/embed',
    answer: '/v1/answer',
    bulk: '/v1/bulk/captions',
    files: '/v1/files',
    batches: '/v1/batches',
    imageAnalysis: visionPath,
    webhooks: '/v1/webhooks',
    models: '/v1/models',
    info: '/info',
    openapi: '/openapi.json',
    docs: readerPath,
    ready: '/readyz',
  };
  app.get(
    '/',
    {
      ...quiet,
      schema: {
        operationId: 'listRoutes',
        summary: 'The routes of this API',
        response: { 200: z.record(z.string(), z.string()).describe('Paths by what they are for.') },
      },
    },
    async () => routes,
  );

  app.get(
    '/livez',
    {
      ...quiet,
      schema: {
        operationId: 'isAlive',
        summary: 'The process answers',
        response: { 200: z.object({ status: z.literal('alive') }).describe('It does.') },
      },
    },
    async () => ({ status: 'alive' as const }),
  );

  app.get(
    '/readyz',
    {
      ...quiet,
      schema: {
        operationId: 'isReady',
        summary: 'Redis and Blob storage answer',
        response: { 200: ReadinessSchema.describe('They do.'), 503: ReadinessSchema.describe('One of them does not.') },
      },
    },
    async (_, reply) => {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => [name, await measure(check)] as const),
      );
      const ready = results.every(([, { ok }]) => ok);
      reply.code(ready ? 200 : 503).header('cache-control', 'no-store');
      return { status: ready ? ('ready' as const) : ('unready' as const), checks: Object.fromEntries(results) };
    },
  );

  app.get(
    '/openapi.json',
    {
      ...quiet,
      schema: {
        operationId: 'getOpenApi',
        summary: 'This document',
        response: { 200: z.looseObject({}).describe('OpenAPI 3.1.') },
      },
    },
    async (_, reply) => reply.serializer(JSON.stringify).send({ ...app.swagger() }),
  );
  done();
};

async function measure(check: Check): Promise<{ ok: boolean; milliseconds: number; code?: string }> {
  const started = performance.now();
  const milliseconds = (): number => Math.round(performance.now() - started);
  try {
    await within(check, checkMs);
    return { ok: true, milliseconds: milliseconds() };
  } catch (error) {
    return { ok: false, milliseconds: milliseconds(), code: reportError(error).code };
  }
}

/** Also ends when the check itself pays no heed to its signal. */
async function within(check: Check, limitMs: number): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  const late = new Promise<never>((_, reject) => {
    const reason = new CaptionfleetError('INTERNAL', `no answer in ${limitMs} ms`);
    signal.addEventListener('abort', () => reject(reason), { once: true });
  });
  await Promise.race([check({ signal }), late]);
}

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Seconds that a browser remembers what it may send. */
const rememberedSeconds = 600;

/**
 * Lets pages of these origins call from a browser; without any, the API says nothing to browsers, which then let no page call.
 * Nothing that a browser sends by itself opens the fleet: a page needs a key as any caller does.
 */
export async function letPagesCall(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  app.addHook('onRequest', async ({ method, headers }) => {
    if (method !== 'OPTIONS') return;
    if (headers.origin !== undefined && headers['access-control-request-method'] !== undefined) return;
    throw new CaptionfleetError('REQUEST_INVALID', 'OPTIONS is for the preflight of a browser, and this is none');
  });
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: [
      'Idempotent-Replayed',
      'Location',
      'Operation-Location',
      'Preference-Applied',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'X-Request-Id',
    ],
    maxAge: rememberedSeconds,
  });
}

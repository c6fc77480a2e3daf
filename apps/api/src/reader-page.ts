import swaggerUi from '@fastify/swagger-ui';
import type { FastifyPluginAsync } from 'fastify';

export const readerPath = '/docs';

/** Nothing from another host, in no frame, and nothing inline but one attribute of Swagger UI; its style sheet has pictures as data. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-hashes' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The OpenAPI document as a page to read and try, all of it from this process. */
export const readerPage: FastifyPluginAsync = async (app) => {
  app.addHook('onSend', async (_, reply) => {
    reply
      .header('content-security-policy', contentSecurityPolicy)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer');
  });
  await app.register(swaggerUi, {
    routePrefix: readerPath,
    logLevel: 'warn',
    theme: { title: 'Captionfleet' },
    uiConfig: { deepLinking: true, docExpansion: 'list', displayRequestDuration: true, validatorUrl: null },
  });
};

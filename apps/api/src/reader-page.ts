import swaggerUi from '@fastify/swagger-ui';
import type { FastifyPluginAsync } from 'fastify';

export const readerPath = '/docs';

/** Nothing from another host, nothing inline, in no frame; pictures of the page's own style sheet are data. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
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

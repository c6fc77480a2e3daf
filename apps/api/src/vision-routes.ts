import type { IncomingHttpHeaders } from 'node:http';
import { CaptionfleetError, errorFromReport } from '@captionfleet/protocol/errors';
import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { problems } from './openapi.ts';
import { Permits } from './permits.ts';
import { asFleetError, logRefusal, retryAfterSeconds } from './problem.ts';
import type { SubmissionConfig } from './submission.ts';
import { addVisionBodies, imageOf, type SentImage } from './vision-body.ts';
import { captionNow } from './vision-caption.ts';
import {
  VisionErrorSchema,
  VisionQueryDescription,
  type VisionResult,
  VisionResultSchema,
  visionLimits,
  visionVersions,
} from './vision-contract.ts';
import { visionAnswerOf } from './vision-error.ts';
import { genderNeutral } from './vision-gender.ts';
import { type QueryParameters, readVisionQuery } from './vision-query.ts';
import { Waiters } from './waiters.ts';
import { whileConnected } from './while-connected.ts';

export interface VisionRoutesConfig extends SubmissionConfig {
  /** Callers that may wait for their captions at a time; more are refused. */
  readonly maxWaiters: number;
  /** Seconds from an image's acceptance to its answer; visionLimits.answerSeconds without. */
  readonly visionAnswerSeconds?: number;
}

/**
 * The captions of Azure AI Vision Image Analysis 4.0: a program that calls it moves here by changing its endpoint. Registered
 * under /computervision, where every error has Azure's form.
 */
export const visionRoutes: FastifyPluginCallbackZod<VisionRoutesConfig> = (app, config, done) => {
  const { visionAnswerSeconds: answerSeconds = visionLimits.answerSeconds } = config;
  const waiters = new Waiters([config.queues.interactive.caption.producer], config.maxWaiters);
  const permits = new Permits(config.maxWaiters);
  app.addHook('preClose', async () => waiters[Symbol.dispose]());

  addVisionBodies(app);
  app.addHook('onSend', async (request, reply) => {
    reply
      .header('apim-request-id', request.id)
      .header('request-id', request.id)
      .header('api-supported-versions', visionVersions.join(','))
      .header('x-envoy-upstream-service-time', Math.round(reply.elapsedTime))
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store');
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = asVisionError(thrown);
    logRefusal(error, request, reply);
    return sendVisionError(reply, error);
  });

  app.setNotFoundHandler(() => {
    throw new CaptionfleetError('NOT_FOUND', 'there is no such route');
  });

  const analyse = async (request: FastifyRequest, reply: FastifyReply): Promise<VisionResult> => {
    const query = readVisionQuery(request.query as QueryParameters);
    const image = imageOf(request.body);
    const outcome = await captionNow(
      image,
      request,
      { ...config, permits, waiters, answerSeconds },
      whileConnected(reply),
    );
    return resultOf(outcome, image, query.genderNeutral);
  };
  const route = {
    // What is wrong with a query has Azure's words, so that this schema only describes it.
    validatorCompiler: () => (value: unknown) => ({ value }),
    // Before the body is read: nobody uploads 20 MB to learn that a parameter is misspelt.
    onRequest: async ({ query }: FastifyRequest) => void readVisionQuery(query as QueryParameters),
  };
  app.post(
    '/imageanalysis::analyze',
    {
      ...route,
      config: { scope: 'captions:write', credentialOf: visionKeyOf },
      schema: {
        operationId: 'analyzeImage',
        summary: 'Caption an image as Azure AI Vision Image Analysis 4.0 does',
        description: 'The body is the bytes of an image, or JSON with its URL.',
        querystring: VisionQueryDescription,
        response: visionResponses,
      },
    },
    analyse,
  );
  done();
};

const response = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': { schema } },
});
const early = problems();
const visionResponses = {
  200: response('The caption.', VisionResultSchema),
  400: {
    description:
      '`InvalidRequest`, `MissingApiVersionParameter` or `UnsupportedApiVersionValue`; innererror says more.',
    content: { 'application/json': { schema: VisionErrorSchema }, ...early['400']?.content },
  },
  401: response('`401`: the key is missing or wrong.', VisionErrorSchema),
  403: response('`403`: the key or token lacks the scope of this route.', VisionErrorSchema),
  408: early['408'],
  415: response('`InvalidRequest`: neither bytes nor JSON.', VisionErrorSchema),
  429: response(
    '`429`: the caller is over its limit, or more work is waiting than the fleet accepts.',
    VisionErrorSchema,
  ),
  431: early['431'],
  500: response('`InternalServerError`: the image could not be captioned.', VisionErrorSchema),
  503: response(
    '`ServiceUnavailable`: a part does not answer, or the caption was not there in time.',
    VisionErrorSchema,
  ),
};

/** What opens the fleet to a caller, in either of Azure's forms: a key in a header of its own, or a bearer token. */
export function visionKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['ocp-apim-subscription-key'];
  if (typeof key === 'string' && key !== '') return key;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** @throws the error of an image that was not captioned, and what Azure would not have taken */
function resultOf(outcome: ImageOutcome, image: SentImage, neutral: boolean): VisionResult {
  if (outcome.status !== 'succeeded') throw failureOf(errorFromReport(outcome.error), image);
  const [caption] = 'captions' in outcome ? outcome.captions : [];
  if (caption === undefined) throw new CaptionfleetError('INTERNAL', 'the outcome of a caption has none');
  const { width, height } = outcome.image;
  const { minSide, maxSide } = visionLimits;
  if (Math.min(width, height) < minSide || Math.max(width, height) > maxSide) {
    const code = Math.min(width, height) < minSide ? 'IMAGE_TOO_SMALL' : 'IMAGE_TOO_MANY_PIXELS';
    throw new CaptionfleetError(code, `the image has ${width} x ${height} pixels`);
  }
  const { id, revision } = outcome.model;
  return {
    modelVersion: `${id}@${revision}`,
    captionResult: { text: neutral ? genderNeutral(caption.text) : caption.text, confidence: caption.confidence },
    metadata: { width, height },
  };
}

/** Bytes that the caller sent lie in the fleet's own storage: no fault of theirs when it does not give them. */
function failureOf(error: CaptionfleetError, image: SentImage): CaptionfleetError {
  const ofSource = error.code === 'SOURCE_NOT_FOUND' || error.code === 'SOURCE_UNAVAILABLE';
  if ('url' in image || !ofSource) return error;
  return new CaptionfleetError('STORAGE_UNAVAILABLE', 'the image was stored and cannot be read', { cause: error });
}

/** The error of whatever was thrown, with the limits and types of these routes where Fastify speaks of its own. */
function asVisionError(thrown: unknown): CaptionfleetError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || code === 'FST_ERR_CTP_EMPTY_TYPE') {
    return new CaptionfleetError(
      'MEDIA_TYPE_UNSUPPORTED',
      'the Content-Type must be application/octet-stream, for the bytes of an image, or application/json, for its url',
    );
  }
  if (code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return asFleetError(thrown);
  return new CaptionfleetError('REQUEST_TOO_LARGE', `a JSON body has at most ${visionLimits.jsonBytes} bytes`);
}

function sendVisionError(reply: FastifyReply, error: CaptionfleetError): FastifyReply {
  const retryAfter = retryAfterSeconds(error);
  if (error.retryable) reply.header('retry-after', retryAfter);
  const { status, body } = visionAnswerOf(error, retryAfter);
  return reply.code(status).header('x-ms-error-code', body.error.code).type('application/json').send(body);
}

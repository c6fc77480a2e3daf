import { imageLimits } from '@captionfleet/protocol/image-reference';
import { z } from 'zod';

/**
 * Azure AI Vision Image Analysis 4.0 as its clients see it: the specification in Azure/azure-rest-api-specs
 * (specification/ai/ImageAnalysis), and what its client libraries recorded of the service.
 */
export const visionPath = '/computervision/imageanalysis:analyze';

/** A client that encodes the colon of the path means the same path. */
export const withPlainColon = (url: string): string =>
  url.replace(/^(\/computervision\/imageanalysis)%3a(?=analyze(?:[?#]|$))/i, '$1:');

/** Versions of the interface whose captions have this form. The specification has the first; callers send the second too. */
export const visionVersions = ['2023-10-01', '2024-02-01'] as const;

export const visionLimits = {
  imageBytes: imageLimits.bytes,
  /** Pixels of each side of an image. */
  minSide: 50,
  maxSide: 16_000,
  /** Bytes of a JSON body, which names one URL. */
  jsonBytes: 64 * 1024,
  /** Seconds from the acceptance of an image to its answer. */
  answerSeconds: 30,
} as const;

/** What can be asked of an image, in the specification's spelling; their case does not matter. */
export const visionFeatures = ['tags', 'caption', 'denseCaptions', 'objects', 'read', 'smartCrops', 'people'] as const;

/** For the OpenAPI document; vision-query.ts reads them, so that a wrong one gets Azure's words. It forgives case. */
export const VisionQueryDescription = z.object({
  'api-version': z.enum(visionVersions),
  features: z
    .string()
    .regex(/^caption(,caption)*$/)
    .describe('Visual features with commas between them; this fleet has `caption`.'),
  language: z.literal('en').default('en').describe('Language of the caption.'),
  'gender-neutral-caption': z
    .enum(['true', 'false'])
    .default('false')
    .describe('Whether words such as man and girl become person and child.'),
  'model-version': z.literal('latest').default('latest').describe('A fleet runs one model.'),
});

export const VisionUrlDescription = z.object({
  url: z
    .string()
    .describe(`An http or https URL of at most ${imageLimits.urlLength} characters.`)
    .meta({ format: 'uri', maxLength: imageLimits.urlLength }),
});

export const VisionResultSchema = z.object({
  modelVersion: z.string().describe('The model of the fleet, as id@revision.'),
  captionResult: z.object({
    text: z.string(),
    confidence: z
      .number()
      .describe(
        "Geometric mean of the probabilities of the caption's tokens, in (0, 1]: a likelihood, not calibrated.",
      ),
  }),
  metadata: z.object({ width: z.int(), height: z.int() }).describe('Pixels of the image as it is shown.'),
});
export type VisionResult = z.infer<typeof VisionResultSchema>;

export const VisionErrorSchema = z.object({
  error: z.object({
    code: z.string().describe('Also in the header x-ms-error-code.'),
    message: z.string(),
    innererror: z.object({ code: z.string(), message: z.string() }).optional(),
  }),
});
export type VisionErrorBody = z.infer<typeof VisionErrorSchema>;

import { z } from 'zod';

/** What a variant must keep of fp32's answers on the same images. */
export const parityThresholds = {
  /** Share of token positions that are equal, of the longer caption's. */
  tokenAgreement: 0.95,
  /** Mean absolute difference of the captions' mean log-probabilities, in nats. */
  logProbabilityDifference: 0.05,
  /** Mean absolute difference of match probabilities, and of similarities. */
  matchDifference: 0.02,
  similarityDifference: 0.02,
} as const;

export type ParityThresholds = { readonly [Name in keyof typeof parityThresholds]: number };

export const ParityReportSchema = z.strictObject({
  accepted: z.boolean(),
  /** Why not: the figures that missed their thresholds. */
  reason: z.string().optional(),
  /** Pictures that both were asked about. */
  probes: z.int().min(1),
  equalCaptions: z.number(),
  tokenAgreement: z.number(),
  logProbabilityDifference: z.number(),
  matchDifference: z.number().optional(),
  similarityDifference: z.number().optional(),
  thresholds: z.record(z.string(), z.number()),
});
export type ParityReport = z.infer<typeof ParityReportSchema>;

/** What a model says of one probe. Each part has something in it when the model has the task. */
export const ProbeAnswerSchema = z.object({
  captions: z.array(z.object({ tokens: z.array(z.int()), meanLogProbability: z.number() })),
  matches: z.array(z.object({ probability: z.number(), similarity: z.number() })),
});
export type ProbeAnswer = z.infer<typeof ProbeAnswerSchema>;

/** Compares a variant's answers with fp32's, probe by probe. */
export function judgeParity(
  exact: readonly ProbeAnswer[],
  variant: readonly ProbeAnswer[],
  thresholds: ParityThresholds = parityThresholds,
): ParityReport {
  const captions = pairs(exact, variant, ({ captions }) => captions);
  const matches = pairs(exact, variant, ({ matches }) => matches);
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const figures = {
    ...(captions.length === 0
      ? { equalCaptions: 1, tokenAgreement: 1, logProbabilityDifference: 0 }
      : {
          equalCaptions: mean(captions.map(([a, b]) => Number(agreement(a.tokens, b.tokens) === 1))),
          tokenAgreement: mean(captions.map(([a, b]) => agreement(a.tokens, b.tokens))),
          logProbabilityDifference: mean(
            captions.map(([a, b]) => Math.abs(a.meanLogProbability - b.meanLogProbability)),
          ),
        }),
    ...(matches.length === 0
      ? {}
      : {
          matchDifference: mean(matches.map(([a, b]) => Math.abs(a.probability - b.probability))),
          similarityDifference: mean(matches.map(([a, b]) => Math.abs(a.similarity - b.similarity))),
        }),
  };
  const reason = Object.entries(thresholds)
    .filter(([name, limit]) => !passes(name, figures[name as keyof typeof figures], limit))
    .map(([name, limit]) => `${name} is ${figures[name as keyof typeof figures]?.toFixed(4)}, the limit ${limit}`)
    .join('; ');
  return {
    accepted: reason === '',
    ...(reason === '' ? {} : { reason }),
    probes: exact.length,
    ...figures,
    thresholds: { ...thresholds },
  };
}

/** NaN passes nothing; a figure that was not measured passes. */
const passes = (name: string, figure: number | undefined, limit: number): boolean =>
  figure === undefined || (name === 'tokenAgreement' ? figure >= limit : figure <= limit);

function pairs<Part>(
  exact: readonly ProbeAnswer[],
  variant: readonly ProbeAnswer[],
  parts: (answer: ProbeAnswer) => readonly Part[],
): readonly (readonly [Part, Part])[] {
  const others = variant.flatMap(parts);
  return exact.flatMap(parts).map((part, index) => [part, others[index] as Part]);
}

function agreement(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  return a.filter((token, place) => token === b[place]).length / length;
}

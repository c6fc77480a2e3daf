import type { NextToken } from '../../packages/blip/src/sequence-search.ts';

/** log(sum(exp(x))) in float64, shifted by the largest x. */
export function logSumExp(values: Float32Array): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** What a decoder with these logits says of the next token. */
export const nextToken = (logits: Float32Array): NextToken => ({ logits, logNormalizer: logSumExp(logits) });

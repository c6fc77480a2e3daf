/** A generated caption, before it is text. */
export interface FoundSequence {
  /** With bos, the prompt, and the end token when it was reached; without padding. */
  readonly tokens: readonly number[];
  /** Sum of the natural log-probabilities that the model itself gave the generated tokens. */
  readonly logProbability: number;
}

/** What the decoder says of the token that follows a row. */
export interface NextToken {
  /** [vocabulary] */
  readonly logits: Float32Array;
  /** log(sum(exp(logits))): what a logit is above its token's log-probability. */
  readonly logNormalizer: number;
}

/** A row of the next decoder step. */
export interface SearchRow {
  readonly token: number;
  /** The row of this image's last step that it continues. */
  readonly source: number;
}

/**
 * The search for one image's captions, one decoder step at a time. It begins with what follows the prompt, in one
 * row; from then on it asks for `width` rows in each step until it is finished. It sees its own image only: what it finds
 * does not depend on the images that are decoded beside it.
 */
export interface SequenceSearch {
  /** Rows in every step after the first. */
  readonly width: number;
  /**
   * Takes what follows each of its rows; returns the rows of the next step, or undefined when it is finished. The logits are
   * valid during the call only and must not be changed.
   */
  advance(following: readonly NextToken[]): readonly SearchRow[] | undefined;
  /** The best captions, best first, once it is finished. */
  results(): readonly FoundSequence[];
}

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Tensor } from 'onnxruntime-node';
import type { ModelDirectory } from './model-directory.ts';
import { integers } from './tensors.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * Texts go into an encoder packed: their tokens behind each other, one a row, and each row with the number of its text.
 * Nothing is padded, so a text's states are those that it has alone, and no row is computed for nothing.
 */
export type TokenizedText = readonly number[];

/** Rows of one run at most, unless a single text is longer: the scores between all rows grow with their square. */
const maxRows = 256;

/**
 * The tokens of texts as an encoder reads them: [CLS], the text, [SEP].
 *
 * @throws OPTION_INVALID naming one that is longer than the model
 */
export function tokenizeTexts(
  texts: readonly string[],
  name: 'texts' | 'questions',
  { manifest }: ModelDirectory,
  tokenizer: Tokenizer,
): readonly TokenizedText[] {
  const { maxPositions } = manifest.text;
  return texts.map((text, index) => {
    const tokens = tokenizer.encodeFramed(text);
    if (tokens.length <= maxPositions) return tokens;
    throw new CaptionfleetError(
      'OPTION_INVALID',
      `${name}[${index}] has ${tokens.length} tokens with [CLS] and [SEP]; the model has ${maxPositions}`,
    );
  });
}

/** Cuts a list into parts for one run each; a text takes `copies` times its rows. */
export function partsOfTexts<Text extends { readonly tokens: TokenizedText }>(
  texts: readonly Text[],
  copies: number,
): readonly (readonly Text[])[] {
  const parts: Text[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const text of texts) {
    const more = text.tokens.length * copies;
    if (rows + more > maxRows) {
      parts.push([]);
      rows = 0;
    }
    parts.at(-1)?.push(text);
    rows += more;
  }
  return parts;
}

export interface PackedTexts {
  /** The row of each text's first token. */
  readonly starts: readonly number[];
  readonly inputs: { readonly ids: Tensor; readonly positions: Tensor; readonly segments: Tensor };
}

export function packTexts(texts: readonly TokenizedText[]): PackedTexts {
  let rows = 0;
  const starts = texts.map((tokens) => {
    const start = rows;
    rows += tokens.length;
    return start;
  });
  return {
    starts,
    inputs: {
      ids: integers(texts.flat()),
      positions: integers(texts.flatMap((tokens) => [...tokens.keys()])),
      segments: integers(texts.flatMap((tokens, segment) => tokens.map(() => segment))),
    },
  };
}

import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import type { Caption } from '@captionfleet/protocol/task-result';
import type { InferenceSession } from 'onnxruntime-node';
import { startBeamSearch } from './beam-search.ts';
import { type DecodeItem, decodeGroup, type States } from './decode-group.ts';
import { type GenerationConfig, resolveGenerationConfig } from './generation-config.ts';
import type { ModelManifest } from './model-directory.ts';
import { startSampling } from './sampling-search.ts';
import type { FoundSequence, SequenceSearch } from './sequence-search.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A text that is searched, with others, in the states that it is given before the generator runs. */
export interface PlannedText {
  /** bos and the prompt's tokens. */
  readonly prompt: readonly number[];
  readonly search: SequenceSearch;
  states: States;
  /** Milliseconds: its equal share of the runs that it was in. */
  spentMs: number;
}

/** Generates texts with one decoder. */
export interface TextGenerator {
  /** @throws OPTION_INVALID */
  plan(options: GenerationOptions): PlannedText;
  /** @throws the signal's reason between two steps */
  run(texts: readonly PlannedText[], signal: AbortSignal): Promise<void>;
  /** As many as `num_return_sequences`, best first, of a text that has run. */
  captions(text: PlannedText): Caption[];
}

/** Rows of one decoder step at most: beyond it a step gains nothing and its state grows. */
const maxRows = 64;

export function textGenerator(decoder: InferenceSession, manifest: ModelManifest, tokenizer: Tokenizer): TextGenerator {
  const toCaption = captionsOf(manifest, tokenizer);
  return {
    plan(options) {
      const { prompt, config } = readGeneration(options, manifest, tokenizer);
      return {
        prompt,
        search: startSearch(prompt, config),
        states: { values: new Float32Array(0), tokens: 1 },
        spentMs: 0,
      };
    },
    async run(texts, signal) {
      for (const group of groupTexts(texts)) {
        const started = performance.now();
        await decodeGroup(decoder, manifest, group, signal);
        const share = (performance.now() - started) / group.length;
        for (const text of group) text.spentMs += share;
      }
    },
    captions: ({ search, prompt }) => search.results().map((found) => toCaption(found, prompt.length)),
  };
}

const startSearch = (prompt: readonly number[], config: GenerationConfig): SequenceSearch =>
  config.numBeams > 1 ? startBeamSearch(prompt, config) : startSampling(prompt, config);

/** The decoder steps texts together whose prompts and states are equally long and that ask for equally many rows. */
function groupTexts<Text extends DecodeItem>(texts: readonly Text[]): readonly (readonly Text[])[] {
  const alike = Map.groupBy(texts, ({ prompt, search, states }) =>
    [search.width, prompt.length, states.tokens].join(':'),
  );
  return [...alike.values()].flatMap((group) => {
    const size = Math.max(1, Math.floor(maxRows / (group[0]?.search.width ?? 1)));
    return Array.from({ length: Math.ceil(group.length / size) }, (_, part) =>
      group.slice(part * size, (part + 1) * size),
    );
  });
}

/** What options ask for: the tokens that a text starts with, bos among them, and how it goes on. @throws OPTION_INVALID */
export function readGeneration(
  options: GenerationOptions,
  { text: { bosTokenId, sepTokenId, padTokenId, maxPositions } }: ModelManifest,
  tokenizer: Tokenizer,
): { readonly prompt: readonly number[]; readonly config: GenerationConfig } {
  const prompt = [bosTokenId, ...(options.prompt === undefined ? [] : tokenizer.encode(options.prompt))];
  const limits = { endTokenId: sepTokenId, padTokenId, maxPositions };
  return { prompt, config: resolveGenerationConfig(options, prompt.length, limits) };
}

/** Makes captions of a model's tokens. */
export function captionsOf(
  { text: { bosTokenId, sepTokenId, padTokenId } }: ModelManifest,
  tokenizer: Tokenizer,
): (found: FoundSequence, promptLength: number) => Caption {
  // bos and sep by id: some tokenizers list them as ordinary pieces.
  const frame = new Set([bosTokenId, sepTokenId, padTokenId]);
  return ({ tokens, logProbability }, promptLength) => {
    const meanLogProbability = logProbability / (tokens.length - promptLength);
    return {
      text: tokenizer.decode(tokens.filter((token) => !frame.has(token))),
      tokens: [...tokens],
      confidence: Math.exp(meanLogProbability),
      meanLogProbability,
    };
  };
}

import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { z } from 'zod';
import { parseModelJson, readModelJson } from './model-json.ts';

const size = z.int().min(1).max(1_000_000);
const tokenId = z.int().min(0);
const epsilon = z.number().positive().max(1);
/** transformers calls the exact erf form "gelu"; its tanh approximations have other names and other values. */
const activation = z.literal('gelu', { error: 'only the exact "gelu" is supported' }).default('gelu');

// Defaults are those of BlipTextConfig and BlipVisionConfig in transformers 5.23 (configuration_blip.py).
const TextConfigSchema = z
  .object({
    vocab_size: size.default(30524),
    hidden_size: size.default(768),
    intermediate_size: size.default(3072),
    num_hidden_layers: size.default(12),
    num_attention_heads: z.int({
      error: ({ input }) =>
        input === undefined
          ? 'must be given: the class default of 8 loads BLIP weights without an error and captions wrongly'
          : undefined,
    }),
    max_position_embeddings: size.default(512),
    hidden_act: activation,
    layer_norm_eps: epsilon.default(1e-12),
    bos_token_id: tokenId.default(30522),
    pad_token_id: tokenId.default(0),
    sep_token_id: tokenId.default(102),
    tie_word_embeddings: z.boolean().default(true),
  })
  .superRefine((text, context) => {
    const { hidden_size, num_attention_heads, num_hidden_layers, vocab_size } = text;
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (!dividesInto(num_attention_heads, hidden_size)) {
      refuse('num_attention_heads', `${num_attention_heads} heads do not divide hidden_size ${hidden_size}`);
    }
    // Every shape is the same with 8 heads and with 12, so nothing else would notice (transformers issue 22625).
    if (num_attention_heads === 8 && hidden_size === 768 && num_hidden_layers === 12) {
      refuse(
        'num_attention_heads',
        'is 8, but BLIP base was trained with 12: this config.json was saved with the wrong value; take a later revision or correct it to 12',
      );
    }
    for (const field of ['bos_token_id', 'pad_token_id', 'sep_token_id'] as const) {
      if (text[field] >= vocab_size) refuse(field, `${text[field]} is outside the vocabulary of ${vocab_size}`);
    }
  });

const VisionConfigSchema = z
  .object({
    hidden_size: size.default(768),
    intermediate_size: size.default(3072),
    num_hidden_layers: size.default(12),
    num_attention_heads: size.default(12),
    image_size: size.max(4096).default(384),
    patch_size: size.default(16),
    hidden_act: activation,
    layer_norm_eps: epsilon.default(1e-5),
  })
  .superRefine((vision, context) => {
    const { hidden_size, image_size, num_attention_heads, patch_size } = vision;
    if (!dividesInto(num_attention_heads, hidden_size)) {
      const message = `${num_attention_heads} heads do not divide hidden_size ${hidden_size}`;
      context.addIssue({ code: 'custom', path: ['num_attention_heads'], message });
    }
    if (!dividesInto(patch_size, image_size)) {
      const message = `${patch_size} does not divide image_size ${image_size}`;
      context.addIssue({ code: 'custom', path: ['patch_size'], message });
    }
  });

const dividesInto = (divisor: number, total: number): boolean => divisor >= 1 && total % divisor === 0;

/** transformers' classes whose checkpoints are taken; checkpoint-tasks.ts says what each is for. */
const architectures = [
  'BlipForConditionalGeneration',
  'BlipForImageTextRetrieval',
  'BlipForQuestionAnswering',
] as const;
export type Architecture = (typeof architectures)[number];
const isKnown = (name: string): name is Architecture => (architectures as readonly string[]).includes(name);

const ConfigSchema = z.object({
  model_type: z.literal('blip', { error: 'must be "blip"' }),
  architectures: z
    .array(z.string())
    .transform((names) => names.filter(isKnown))
    .refine((names) => names.length > 0, `must hold one of ${architectures.join(', ')}`)
    .default([]),
  image_text_hidden_size: size.default(256),
  text_config: TextConfigSchema,
  vision_config: VisionConfigSchema.prefault({}),
  tie_word_embeddings: z.boolean().default(true),
});

/** The numbers of text encoders and decoders, under the field's words. */
export interface TextConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Tokens that a text can have at most, those around it included: a caption's bos and prompt, [CLS] and [SEP]. */
  readonly maxPositions: number;
  readonly layerNormEpsilon: number;
  readonly bosTokenId: number;
  /** Ends a caption: BLIP's generate passes it as eos; `eos_token_id` of the configuration is never used. */
  readonly sepTokenId: number;
  readonly padTokenId: number;
  /** Whether the language-model head may take its missing half from the word embeddings. */
  readonly tieWordEmbeddings: boolean;
}

/** The vision encoder's numbers. Sizes are in pixels; the image is a square. */
export interface VisionConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly layerNormEpsilon: number;
}

/** What turns an RGB byte b of channel c into the model's input: (b * rescaleFactor - mean[c]) / std[c]. */
export interface PixelConfig {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly rescaleFactor: number;
}

export interface CheckpointConfig {
  /** The known ones of those that config.json names; none when it names none. */
  readonly architectures: readonly Architecture[];
  readonly text: TextConfig;
  readonly vision: VisionConfig;
  readonly pixels: PixelConfig;
  /** Numbers of an embedding of an image or a text. */
  readonly projectionSize: number;
  /** The file that the pixel configuration was read from. */
  readonly preprocessorFile: string;
}

const onlyTrue = z.literal(true, { error: 'only true is supported' }).optional();
const triple = z.tuple([z.number(), z.number(), z.number()]);
const PreprocessorSchema = z.object({
  image_processor_type: z
    .string()
    .regex(/^BlipImageProcessor(Fast|Pil)?$/, 'must be "BlipImageProcessor"')
    .optional(),
  do_resize: onlyTrue,
  do_rescale: onlyTrue,
  do_normalize: onlyTrue,
  do_convert_rgb: onlyTrue,
  resample: z.literal(3, { error: 'only 3, bicubic, is supported' }).optional(),
  size: z.union([z.object({ height: size, width: size }), size.transform((side) => ({ height: side, width: side }))], {
    error: 'must be {"height": pixels, "width": pixels}',
  }),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  image_mean: triple.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: triple
    .refine((std) => std.every((value) => value > 0), 'must be positive')
    .default([0.26862954, 0.26130258, 0.27577711]),
});

/**
 * Reads config.json and preprocessor_config.json of a Hugging Face BLIP checkpoint and refuses whatever the built model
 * would not do exactly as transformers does.
 *
 * @throws MODEL_NOT_FOUND for a missing file, MODEL_CORRUPT for one that is not JSON, MODEL_UNSUPPORTED naming file and
 * field for anything else
 */
export async function readCheckpointConfig(directory: string): Promise<CheckpointConfig> {
  const file = 'config.json';
  const json = await readModelJson(directory, file);
  if (json === undefined) {
    throw new CaptionfleetError('MODEL_NOT_FOUND', `${directory} has no ${file}; a checkpoint directory is needed`);
  }
  const config = parseModelJson(ConfigSchema, json, file, 'MODEL_UNSUPPORTED');
  const { text_config: text, vision_config: vision } = config;
  const preprocessor = await readPreprocessor(directory, vision.image_size);
  return {
    architectures: config.architectures,
    projectionSize: config.image_text_hidden_size,
    text: {
      vocabularySize: text.vocab_size,
      hiddenSize: text.hidden_size,
      intermediateSize: text.intermediate_size,
      layers: text.num_hidden_layers,
      heads: text.num_attention_heads,
      maxPositions: text.max_position_embeddings,
      layerNormEpsilon: text.layer_norm_eps,
      bosTokenId: text.bos_token_id,
      sepTokenId: text.sep_token_id,
      padTokenId: text.pad_token_id,
      // transformers ties when either level asks for it (get_expanded_tied_weights_keys).
      tieWordEmbeddings: config.tie_word_embeddings || text.tie_word_embeddings,
    },
    vision: {
      hiddenSize: vision.hidden_size,
      intermediateSize: vision.intermediate_size,
      layers: vision.num_hidden_layers,
      heads: vision.num_attention_heads,
      imageSize: vision.image_size,
      patchSize: vision.patch_size,
      layerNormEpsilon: vision.layer_norm_eps,
    },
    ...preprocessor,
  };
}

const CombinedProcessorSchema = z.object({ image_processor: z.unknown() });

/** transformers 5 saves a whole processor as processor_config.json, with the image processor inside it. */
async function findPreprocessor(directory: string): Promise<{ file: string; json: unknown }> {
  const file = 'preprocessor_config.json';
  const json = await readModelJson(directory, file);
  if (json !== undefined) return { file, json };
  const combinedFile = 'processor_config.json';
  const combined = await readModelJson(directory, combinedFile);
  if (combined === undefined) throw new CaptionfleetError('MODEL_NOT_FOUND', `${directory} has no ${file}`);
  const { image_processor } = parseModelJson(CombinedProcessorSchema, combined, combinedFile, 'MODEL_UNSUPPORTED');
  return { file: combinedFile, json: image_processor };
}

async function readPreprocessor(
  directory: string,
  imageSize: number,
): Promise<Pick<CheckpointConfig, 'pixels' | 'preprocessorFile'>> {
  const { file, json } = await findPreprocessor(directory);
  const { size, rescale_factor, image_mean, image_std } = parseModelJson(
    PreprocessorSchema,
    json,
    file,
    'MODEL_UNSUPPORTED',
  );
  if (size.height !== imageSize || size.width !== imageSize) {
    const given = `${size.width}x${size.height}`;
    const message = `${file}: size: ${given} differs from vision_config.image_size ${imageSize} of config.json`;
    throw new CaptionfleetError('MODEL_UNSUPPORTED', message);
  }
  return { pixels: { mean: image_mean, std: image_std, rescaleFactor: rescale_factor }, preprocessorFile: file };
}

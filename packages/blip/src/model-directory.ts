import { createHash } from 'node:crypto';
import { rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { headOf, type ModelTask, modelTasks, type TaskType } from '@captionfleet/protocol/task';
import { z } from 'zod';
import { readChunks } from './file-chunks.ts';
import { isMissing, parseModelJson, readModelJson } from './model-json.ts';
import { ParityReportSchema, ProbeAnswerSchema } from './parity-gate.ts';

export const manifestFile = 'manifest.json';

/** The files of a model; the manifest's `tokenizer` names one more. */
export const modelFiles = {
  visionEncoder: 'vision-encoder.onnx',
  textDecoder: 'text-decoder.onnx',
  textEncoder: 'text-encoder.onnx',
  questionEncoder: 'question-encoder.onnx',
  answerDecoder: 'answer-decoder.onnx',
  /** The values of all graphs, which name it as their external data. */
  weights: 'weights.bin',
  config: 'config.json',
} as const;

/** fp32 is exact and always there; int8 is there when it passed the parity gate. */
export const variants = ['fp32', 'int8'] as const;
export type Variant = (typeof variants)[number];

/** A variant's own form of a file that has one: `weights.bin` of int8 is `weights.int8.bin`. */
export const variantFile = (file: string, variant: Variant): string =>
  variant === 'fp32' ? file : file.replace(/\.\w+$/, `.${variant}$&`);

/** The whole greedy captioner as one graph, for GPUs; there when the model was built with it. */
export const captionGraphFiles = { fp32: 'caption-graph.onnx', fp16: 'caption-graph.fp16.onnx' } as const;
export type CaptionGraphPrecision = keyof typeof captionGraphFiles;

/** The graphs that each task needs beside the vision encoder. */
const graphsFor: Readonly<Record<ModelTask, readonly string[]>> = {
  caption: [modelFiles.textDecoder],
  match: [modelFiles.textEncoder],
  answer: [modelFiles.questionEncoder, modelFiles.answerDecoder],
};

/** The graphs of a model with these tasks, by their names in fp32. */
export const graphFiles = (tasks: readonly ModelTask[]): readonly string[] => [
  modelFiles.visionEncoder,
  ...tasks.flatMap((task) => graphsFor[task]),
];

const filesFor = ({ tasks, tokenizer, int8 }: ModelManifest): readonly string[] => {
  const ofVariant = [...graphFiles(tasks), modelFiles.weights];
  const rounded = int8?.parity.accepted === true ? ofVariant.map((file) => variantFile(file, 'int8')) : [];
  return [...ofVariant, ...rounded, modelFiles.config, tokenizer];
};

const positive = z.int().min(1);
const tokenId = z.int().min(0);
const fileName = z.string().regex(/^[a-zA-Z0-9][\w.-]*$/, 'must be a plain file name');
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

/** What the model's own card says of it. */
export const ModelCardSchema = z.strictObject({
  /** The smallest machine that the publisher serves it on. */
  minimumMachine: z.strictObject({ vcpus: z.int(), gpus: z.int(), memoryGiB: z.number(), diskGiB: z.number() }),
  notice: z.string(),
});
export type ModelCard = z.infer<typeof ModelCardSchema>;

export const ModelManifestSchema = z.strictObject({
  schemaVersion: z.literal(2),
  /** Version of the builder: the same checkpoint and the same version give the same bytes. */
  builderVersion: positive,
  /** What the model has heads for. */
  tasks: z.array(z.enum(modelTasks)).min(1),
  id: z.string().min(1),
  revision: z.string().min(1),
  /** Where the checkpoint came from. */
  source: z.string().optional(),
  licence: z.string(),
  /** How the int8 variant came out; absent when none was tried. Its files are there only when it was accepted. */
  int8: z
    .strictObject({
      /** Layers of the vision encoder, by their weight tensor, that eight bits harm most and that stay in fp32. */
      exactLayers: z.array(z.string()),
      parity: ParityReportSchema,
    })
    .optional(),
  card: ModelCardSchema.optional(),
  /** What each variant said of the reference picture when it was built; see drift-check.ts. */
  references: z.strictObject({ fp32: ProbeAnswerSchema, int8: ProbeAnswerSchema.optional() }).optional(),
  image: z.strictObject({
    /** Width and height in pixels of what the encoder takes. */
    side: positive,
    /** Folded into the encoder, which takes bytes: (byte * rescaleFactor - mean) / std. */
    mean: triple,
    std: triple,
    rescaleFactor: z.number(),
    /** Vectors that the encoder gives for one image, and their width; not the embedding, which is one vector. */
    tokens: positive,
    width: positive,
  }),
  text: z.strictObject({
    vocabularySize: positive,
    /** Tokens of a text at most, with bos and prompt or with [CLS] and [SEP]. */
    maxPositions: positive,
    layers: positive,
    heads: positive,
    headSize: positive,
    bosTokenId: tokenId,
    /** Ends a caption. */
    sepTokenId: tokenId,
    padTokenId: tokenId,
  }),
  /** Numbers of an embedding; absent where the model does not match. */
  embeddingSize: positive.optional(),
  tokenizer: z.enum(['tokenizer.json', 'vocab.txt']),
  files: z.record(fileName, z.strictObject({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
  /** SHA-256 of the rest of the manifest, as `manifestChecksum` computes it. */
  checksum: z.string(),
});
export type ModelManifest = z.infer<typeof ModelManifestSchema>;

/** A model directory whose every file was found whole. */
export interface ModelDirectory {
  /** Absolute. */
  readonly path: string;
  readonly manifest: ModelManifest;
  /** The absolute path of a file that the manifest names; of a variant's own form of it. */
  file(name: string, variant?: Variant): string;
}

export interface ReadOptions {
  /** False when another process has just compared the files with the manifest. @defaultValue true */
  readonly verify?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens a model directory: parses its manifest and compares every file with its size and SHA-256.
 *
 * @throws MODEL_NOT_FOUND when the directory or a file is missing, MODEL_CORRUPT naming a file that differs from the
 * manifest, MODEL_UNSUPPORTED for a manifest of another schema version, the signal's reason when it aborts
 */
export async function readModelDirectory(
  directory: string,
  { verify = true, signal }: ReadOptions,
): Promise<ModelDirectory> {
  const path = resolve(directory);
  const json = await readModelJson(path, manifestFile);
  if (json === undefined) throw notFound(`${path} has no ${manifestFile}`);
  const manifest = parseManifest(json);
  for (const name of filesFor(manifest)) {
    if (!Object.hasOwn(manifest.files, name)) {
      throw new CaptionfleetError('MODEL_CORRUPT', `${manifestFile}: files: has no ${name}`);
    }
  }
  for (const [name, expected] of Object.entries(verify ? manifest.files : {})) {
    await verifyFile(path, name, expected, signal);
  }
  return {
    path,
    manifest,
    file(name, variant = 'fp32') {
      const file = variantFile(name, variant);
      if (!Object.hasOwn(manifest.files, file)) throw notFound(`${path}: its manifest names no file ${file}`);
      return join(path, file);
    },
  };
}

/** @throws TASK_UNSUPPORTED when the model has no head for a task */
export function assertHead({ id, tasks }: Pick<ModelManifest, 'id' | 'tasks'>, type: TaskType): void {
  const head = headOf[type];
  if (tasks.includes(head)) return;
  throw new CaptionfleetError('TASK_UNSUPPORTED', `model ${id} has no head to ${head}; it can ${tasks.join(', ')}`);
}

/** The checksum of a manifest's members, in the order in which they stand, without the checksum itself. */
export function manifestChecksum(manifest: object): string {
  const { checksum: _, ...rest } = manifest as { checksum?: unknown };
  return createHash('sha256').update(JSON.stringify(rest)).digest('hex');
}

/** Writes the manifest of these facts with its checksum; one that is there is replaced at once or not at all. */
export async function sealManifest(directory: string, facts: Omit<ModelManifest, 'checksum'>): Promise<ModelManifest> {
  const manifest: ModelManifest = { ...facts, checksum: manifestChecksum(facts) };
  const path = join(directory, manifestFile);
  await writeFile(`${path}.new`, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  await rename(`${path}.new`, path);
  return manifest;
}

/** The size and SHA-256 of a file, streamed. */
export async function describeFile(path: string, signal: AbortSignal): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of readChunks(path, signal)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

const VersionSchema = z.object({
  schemaVersion: z.literal(2, {
    error: 'this version of captionfleet reads 2; build the model again with `captionfleet model build`',
  }),
});

function parseManifest(json: unknown): ModelManifest {
  parseModelJson(VersionSchema, json, manifestFile, 'MODEL_UNSUPPORTED');
  const manifest = parseModelJson(ModelManifestSchema, json, manifestFile, 'MODEL_CORRUPT');
  // Over the JSON as it was read: the schema orders the members its own way.
  if (manifest.checksum !== manifestChecksum(json as object)) {
    throw new CaptionfleetError('MODEL_CORRUPT', `${manifestFile}: differs from its own checksum`);
  }
  return manifest;
}

async function verifyFile(
  directory: string,
  name: string,
  expected: { readonly bytes: number; readonly sha256: string },
  signal: AbortSignal,
): Promise<void> {
  const path = join(directory, name);
  const corrupt = (reason: string): CaptionfleetError =>
    new CaptionfleetError('MODEL_CORRUPT', `${name}: ${reason}; build or pull the model again`);
  try {
    const { size } = await stat(path);
    if (size !== expected.bytes) throw corrupt(`has ${size} bytes, the manifest says ${expected.bytes}`);
    const { sha256 } = await describeFile(path, signal);
    if (sha256 !== expected.sha256) throw corrupt('differs from the SHA-256 in the manifest');
  } catch (error) {
    signal.throwIfAborted();
    if (isMissing(error)) throw notFound(`${directory} has no ${name}`);
    if (error instanceof CaptionfleetError) throw error;
    throw new CaptionfleetError('MODEL_CORRUPT', `${name}: cannot be read`, { cause: error });
  }
}

const notFound = (reason: string): CaptionfleetError =>
  new CaptionfleetError(
    'MODEL_NOT_FOUND',
    `${reason}; \`captionfleet model build\` or \`captionfleet model pull\` makes a model directory`,
  );

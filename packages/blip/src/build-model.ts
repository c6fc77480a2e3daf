import { randomUUID } from 'node:crypto';
import { access, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { ModelTask } from '@captionfleet/protocol/task';
import { Checkpoint } from './checkpoint.ts';
import { type CheckpointConfig, readCheckpointConfig } from './checkpoint-config.ts';
import { tasksOf } from './checkpoint-tasks.ts';
import { type WriteProgress, writeGraphs } from './graph-files.ts';
import { modelCards } from './model-card.ts';
import { describeFile, type ModelManifest, modelFiles, sealManifest } from './model-directory.ts';
import { buildCaptionGraphs, buildGraphs } from './model-graphs.ts';
import { hasCode, isMissing } from './model-json.ts';
import { visionTokens } from './vision-encoder.ts';

/** Raised with every change of the files that a checkpoint becomes. */
export const builderVersion = 8;

export interface BuildOptions {
  /** Directory of a Hugging Face BLIP checkpoint: config.json, preprocessor_config.json, tokenizer.json, weights. */
  readonly checkpoint: string;
  /** Directory to make. Its parents are made too. */
  readonly output: string;
  readonly id: string;
  readonly revision: string;
  /** Where the checkpoint came from. */
  readonly source?: string;
  /** @defaultValue 'bsd-3-clause', under which Salesforce published BLIP */
  readonly licence?: string;
  /** Also build the captioner as one graph, in float32 and in float16, for GPUs. @defaultValue false */
  readonly oneGraph?: boolean;
  /** Replace what is at `output`. @defaultValue false */
  readonly force?: boolean;
  readonly onProgress?: (progress: WriteProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Turns a checkpoint into a model directory. It is written beside `output` and renamed at the end, so `output` is
 * either whole or not there. The same checkpoint gives the same bytes. One tensor at a time is in memory.
 *
 * @throws MODEL_NOT_FOUND, MODEL_CORRUPT or MODEL_UNSUPPORTED naming file and field or tensor; CONFIG_INVALID when
 * `output` exists and `force` is not set or nothing can be written there; the signal's reason when it aborts
 */
export async function buildModel(options: BuildOptions): Promise<ModelManifest> {
  const output = resolve(options.output);
  const { force = false, signal } = options;
  if (!force && (await isOccupied(output))) throw occupied(output);
  const config = await readCheckpointConfig(options.checkpoint);
  await using checkpoint = await Checkpoint.open(options.checkpoint);
  const tasks = tasksOf(checkpoint, config);
  // Before anything is written, every tensor is found and has its shape.
  const graphs = {
    ...buildGraphs(checkpoint, config, tasks),
    ...(options.oneGraph === true ? buildCaptionGraphs(checkpoint, config, tasks) : {}),
  };
  const scratch = await makeSibling(output);
  try {
    const tokenizer = await copyConfiguration(options.checkpoint, scratch, config);
    await writeGraphs(graphs, scratch, { weights: modelFiles.weights, ...options });
    const manifest = await writeManifest(scratch, options, config, { tasks, tokenizer });
    signal.throwIfAborted();
    await putInPlace(scratch, output, force);
    return manifest;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CaptionfleetError) throw error;
    throw new CaptionfleetError('CONFIG_INVALID', `${output} cannot be written`, { cause: error });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const occupied = (output: string, options?: ErrorOptions): CaptionfleetError =>
  new CaptionfleetError('CONFIG_INVALID', `${output} exists; choose another output, or --force`, options);

/** An empty directory is free. */
async function isOccupied(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch (error) {
    return !hasCode(error, 'ENOENT');
  }
}

async function makeSibling(output: string): Promise<string> {
  const sibling = join(dirname(output), `.${basename(output)}.building-${randomUUID()}`);
  try {
    await mkdir(sibling, { recursive: true });
    return sibling;
  } catch (error) {
    throw new CaptionfleetError('CONFIG_INVALID', `${dirname(output)} cannot be written`, { cause: error });
  }
}

/** With `force`, what was at `output` makes way only for a whole directory, and comes back if that cannot be placed. */
async function putInPlace(scratch: string, output: string, force: boolean): Promise<void> {
  if (!force || !(await isOccupied(output))) {
    await rename(scratch, output).catch((error: unknown) => {
      // Another build was first.
      throw hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR') ? occupied(output, { cause: error }) : error;
    });
    return;
  }
  const replaced = `${scratch}.replaced`;
  await rename(output, replaced);
  try {
    await rename(scratch, output);
  } catch (error) {
    await rename(replaced, output);
    throw error;
  }
  await rm(replaced, { recursive: true, force: true });
}

/** Copies the files that a run or a reader of the model needs as they are. Returns the tokenizer's. */
async function copyConfiguration(
  checkpoint: string,
  output: string,
  config: CheckpointConfig,
): Promise<ModelManifest['tokenizer']> {
  const copy = (file: string): Promise<void> => copyFile(join(checkpoint, file), join(output, file));
  const tokenizer = await findTokenizer(checkpoint);
  await Promise.all([modelFiles.config, config.preprocessorFile, tokenizer].map(copy));
  return tokenizer;
}

async function findTokenizer(checkpoint: string): Promise<ModelManifest['tokenizer']> {
  for (const file of ['tokenizer.json', 'vocab.txt'] as const) {
    try {
      await access(join(checkpoint, file));
      return file;
    } catch (error) {
      if (!isMissing(error)) throw new CaptionfleetError('MODEL_CORRUPT', `${file}: cannot be read`, { cause: error });
    }
  }
  throw new CaptionfleetError('MODEL_NOT_FOUND', `${checkpoint} has neither tokenizer.json nor vocab.txt`);
}

async function writeManifest(
  directory: string,
  { id, revision, source, licence = 'bsd-3-clause', signal }: BuildOptions,
  { text, vision, pixels, projectionSize }: CheckpointConfig,
  { tasks, tokenizer }: { readonly tasks: readonly ModelTask[]; readonly tokenizer: ModelManifest['tokenizer'] },
): Promise<ModelManifest> {
  const files: ModelManifest['files'] = {};
  for (const file of (await readdir(directory)).sort()) files[file] = await describeFile(join(directory, file), signal);
  const card = modelCards[id];
  const facts: Omit<ModelManifest, 'checksum'> = {
    schemaVersion: 2,
    builderVersion,
    tasks: [...tasks],
    id,
    revision,
    ...(source === undefined ? {} : { source }),
    licence,
    ...(card === undefined ? {} : { card }),
    image: { side: vision.imageSize, ...pixels, tokens: visionTokens(vision), width: vision.hiddenSize },
    text: {
      vocabularySize: text.vocabularySize,
      maxPositions: text.maxPositions,
      layers: text.layers,
      heads: text.heads,
      headSize: text.hiddenSize / text.heads,
      bosTokenId: text.bosTokenId,
      sepTokenId: text.sepTokenId,
      padTokenId: text.padTokenId,
    },
    ...(tasks.includes('match') ? { embeddingSize: projectionSize } : {}),
    tokenizer,
    files,
  };
  return await sealManifest(directory, facts);
}

import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { env, type InferenceSession } from 'onnxruntime-node';
import { z } from 'zod';
import { readChunks } from './file-chunks.ts';
import { readInstructionSet } from './instruction-set.ts';
import { graphFiles, type ModelDirectory, type Variant } from './model-directory.ts';
import { hasCode } from './model-json.ts';
import { CheckSchema, checkedNow, stillCounts } from './recent-check.ts';
import { createSession } from './session.ts';

/** A variant's graphs in the form in which this machine runs them. Any number of processes map the same files. */
export interface PreparedVariant {
  readonly variant: Variant;
  /** Absolute. */
  readonly directory: string;
}

const inventoryFile = 'prepared.json';
const InventorySchema = z.strictObject({
  files: z.record(z.string(), z.strictObject({ bytes: z.int(), crc32: z.int() })),
  /** When every byte was last compared, and what the files' dates were then. */
  checked: z.strictObject({ ...CheckSchema.shape, dates: z.record(z.string(), z.number()) }),
});
type Inventory = z.infer<typeof InventorySchema>;

/** After so long without a look a prepared form is one that nobody runs any more: of an older model, runtime or machine. */
const keptDays = 30;

export interface PrepareOptions {
  readonly cache: string;
  /** Compares every byte of what is there, however recently that was done. @defaultValue false */
  readonly thorough?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Has ONNX Runtime optimise a variant's graphs for this machine and pack their weights as its kernels read them, once: what
 * an earlier call left in `cache` is found again, when it is whole. It belongs to this model, to the instructions of this
 * processor and to this version of the runtime, and its name says so; loading it takes a fraction of the time, and its
 * weights are mapped, so that a second process adds little memory. Two callers at a time both succeed.
 *
 * @throws MODEL_CORRUPT when the runtime refuses a graph, CONFIG_INVALID when `cache` cannot be written, the signal's reason
 */
export async function prepareVariant(
  model: ModelDirectory,
  variant: Variant,
  { cache, thorough = false, signal }: PrepareOptions,
): Promise<PreparedVariant> {
  const { checksum, tasks } = model.manifest;
  const machine = `${readInstructionSet().key}-ort${env.versions.node}`;
  const directory = join(cache, `${checksum.slice(0, 16)}-${variant}-${machine}`);
  if (await isWhole(directory, { thorough, signal })) return { variant, directory };
  const scratch = `${directory}.${randomUUID()}`;
  try {
    await mkdir(scratch, { recursive: true });
    for (const file of graphFiles(tasks)) {
      signal.throwIfAborted();
      await optimise(model.file(file, variant), join(scratch, file));
    }
    await writeInventory(scratch, graphFiles(tasks), signal);
    await putInPlace(scratch, directory, signal);
    await removeUnused(cache);
    return { variant, directory };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof CaptionfleetError) throw cause;
    throw new CaptionfleetError('CONFIG_INVALID', `${cache} cannot be written, to prepare the model in`, { cause });
  } finally {
    // Where nothing could be written there is nothing to remove.
    await rm(scratch, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** @throws MODEL_CORRUPT when the runtime refuses the graph */
export const openPrepared = (
  { directory }: PreparedVariant,
  graph: string,
  intraOpNumThreads: number,
): Promise<InferenceSession> =>
  createSession(join(directory, graph), { intraOpNumThreads, graphOptimizationLevel: 'disabled' });

const weightsOf = (graph: string): string => graph.replace(/\.onnx$/, '.bin');

/** Every graph of a prepared variant has a file of weights of its own: its packed form. */
async function optimise(source: string, target: string): Promise<void> {
  // It warns that the result is for this machine alone, which is what we ask for.
  const options = { intraOpNumThreads: 1, optimizedModelFilePath: target, logSeverityLevel: 3 } as const;
  const session = await createSession(source, options, {
    save_external_prepacked_constant_initializers: '1',
    optimized_model_external_initializers_file_name: basename(weightsOf(target)),
    optimized_model_external_initializers_min_size_in_bytes: '1024',
  });
  await session.release();
}

async function writeInventory(directory: string, graphs: readonly string[], signal: AbortSignal): Promise<void> {
  const files: Inventory['files'] = {};
  for (const file of graphs.flatMap((graph) => [graph, weightsOf(graph)])) {
    const path = join(directory, file);
    // A small graph keeps its weights inside.
    const found = await statOf(path);
    if (found !== undefined) files[file] = { bytes: found.size, crc32: await checksum(path, signal) };
  }
  await keepInventory(directory, files);
}

/** Says that all bytes are as `files` has them, now. */
async function keepInventory(directory: string, files: Inventory['files']): Promise<void> {
  const dates: Inventory['checked']['dates'] = {};
  for (const file of Object.keys(files)) dates[file] = (await statOf(join(directory, file)))?.mtimeMs ?? 0;
  const inventory: Inventory = { files, checked: { ...(await checkedNow()), dates } };
  const path = join(directory, inventoryFile);
  await writeFile(`${path}.new`, JSON.stringify(inventory), { flush: true });
  await rename(`${path}.new`, path);
}

async function isWhole(
  directory: string,
  { thorough, signal }: { readonly thorough: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    const inventory = InventorySchema.parse(JSON.parse(await readFile(join(directory, inventoryFile), 'utf8')));
    const { files, checked } = inventory;
    // Files of the same sizes and dates count as compared then.
    const isRecent = await stillCounts(checked);
    let compared = false;
    for (const [file, { bytes, crc32: expected }] of Object.entries(files)) {
      const path = join(directory, file);
      const found = await statOf(path);
      if (found?.size !== bytes) return false;
      if (!thorough && isRecent && found.mtimeMs === checked.dates[file]) continue;
      if ((await checksum(path, signal)) !== expected) return false;
      compared = true;
    }
    if (compared) await keepInventory(directory, files);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** CRC-32: it finds what a disk has lost. Whoever may write here may as well change what checks it. */
async function checksum(path: string, signal: AbortSignal): Promise<number> {
  let value = 0;
  for await (const chunk of readChunks(path, signal)) value = crc32(chunk, value);
  return value;
}

const statOf = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);

/**
 * Gigabytes that nobody reads. A worker that has run for longer keeps what it has mapped, also without its name, and a look
 * at a prepared form is noted in it. What was begun and never finished has no inventory: its own date counts.
 */
async function removeUnused(cache: string): Promise<void> {
  const before = Date.now() - keptDays * 24 * 60 * 60 * 1000;
  for (const name of await readdir(cache)) {
    const directory = join(cache, name);
    const used = (await statOf(join(directory, inventoryFile))) ?? (await statOf(directory));
    const isOurs = /-(?:fp32|int8)-/.test(name);
    if (isOurs && used !== undefined && used.mtimeMs < before) await rm(directory, { recursive: true, force: true });
  }
}

/** What another process has placed meanwhile is as good as ours; what is there and damaged makes way. */
async function putInPlace(scratch: string, directory: string, signal: AbortSignal): Promise<void> {
  try {
    await rename(scratch, directory);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    if (await isWhole(directory, { thorough: true, signal })) return;
    await rename(directory, `${scratch}.damaged`);
    await rename(scratch, directory);
    await rm(`${scratch}.damaged`, { recursive: true, force: true });
  }
}

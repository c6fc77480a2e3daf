import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConstantData, encodeOnnx } from './onnx-file.ts';
import { type Constant, constantsOf, elementTypes, type OnnxGraph } from './onnx-graph.ts';
import { WeightFile } from './weight-file.ts';

/** Constants below this many bytes stand in the graph file: ONNX Runtime reads shapes while it loads the graph. */
const externalBytes = 1024;

/** `done` and `total` are bytes of weights; `what` names the graph they belong to. */
export interface WriteProgress {
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

export interface WriteOptions {
  /** The file beside the graphs that holds the values of all of them; it must not exist. */
  readonly weights: string;
  readonly onProgress?: (progress: WriteProgress) => void;
  readonly signal: AbortSignal;
}

/** Writes each graph to the file that is its key, and their weights, one tensor in memory at a time, to one data file. */
export async function writeGraphs(
  graphs: Readonly<Record<string, OnnxGraph>>,
  directory: string,
  { weights: weightsFile, onProgress, signal }: WriteOptions,
): Promise<void> {
  const constants = Object.values(graphs).flatMap(constantsOf);
  const total = constants.reduce((sum, constant) => sum + bytesOf(constant), 0);
  let done = 0;
  await using weights = await WeightFile.create(join(directory, weightsFile));
  for (const [file, graph] of Object.entries(graphs)) {
    const data = new Map<string, ConstantData>();
    for (const constant of constantsOf(graph)) {
      signal.throwIfAborted();
      const { buffer, byteOffset, byteLength } = await constant.read();
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      data.set(constant.name, bytes.length < externalBytes ? bytes : await weights.add(bytes));
      done += bytes.length;
      onProgress?.({ done, total, what: graph.name });
    }
    await writeFile(join(directory, file), encodeOnnx(graph, data));
  }
  await weights.sync();
}

const bytesOf = ({ elementType, shape }: Constant): number =>
  shape.reduce((product, size) => product * size, elementTypes[elementType].bytes);

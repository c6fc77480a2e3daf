import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Engine, type EngineAnswer, openEngine } from '@captionfleet/blip/engine';
import { assertHead, type ModelDirectory } from '@captionfleet/blip/model-directory';
import { type PreparedImage, prepareImage } from '@captionfleet/blip/preprocess';
import { chooseVariant, type VariantWish } from '@captionfleet/blip/variant-choice';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { type ImageOutcome, roundTimings } from '@captionfleet/protocol/image-outcome';
import type { Task, TaskType } from '@captionfleet/protocol/task';
import { openFileSink } from '@captionfleet/storage/file-sink';
import { type ImageSource, openImageSource } from '@captionfleet/storage/image-source';
import { createDirectory } from './create-directory.ts';
import { expandInputs, isUrl, readImageFile } from './image-inputs.ts';
import { openModel } from './model-commands.ts';
import { printOutcome } from './print-outcome.ts';
import { startProgress } from './progress.ts';
import { stateDirectory } from './state-directory.ts';

export interface TaskFlags {
  readonly model?: string | undefined;
  readonly json: boolean;
  readonly out?: string | undefined;
  readonly threads?: number | undefined;
  readonly variant: VariantWish;
  readonly allowPrivateHosts: readonly string[];
}

/** Images that are prepared while the model runs on the ones before them, and decoded together. */
const groupSize = 8;

interface Prepared {
  readonly input: string;
  readonly image?: PreparedImage & { readonly sha256: string };
  readonly error?: unknown;
  readonly fetchMs: number;
  readonly preprocessMs: number;
}

/** Does a task of files, directories and URLs in this process, without any queue. Returns how many images failed. */
export async function taskCommand(
  inputs: readonly string[],
  task: Task,
  flags: TaskFlags,
  signal: AbortSignal,
): Promise<number> {
  const files = await expandInputs(inputs);
  if (files.length === 0) throw new CaptionfleetError('SOURCE_NOT_FOUND', `no images in ${inputs.join(', ')}`);
  const model = await openModel(flags.model, signal);
  assertHead(model.manifest, task.type);
  await using engine = await openVariant(model, flags, signal);
  await using source = openImageSource({ allowPrivateHosts: flags.allowPrivateHosts });
  if (flags.out !== undefined) await createDirectory(flags.out, '--out');
  const sink = flags.out === undefined ? undefined : await openFileSink(flags.out);
  const progress = startProgress('images', files.length);

  const prepareGroup = (start: number) =>
    Promise.all(files.slice(start, start + groupSize).map((file) => prepare(file, source, engine.imageSide, signal)));
  let failures = 0;
  let done = 0;
  let upcoming = prepareGroup(0);
  for (let start = 0; start < files.length; start += groupSize) {
    const group = await upcoming;
    upcoming = prepareGroup(start + groupSize);
    for (const [input, outcome] of await runGroup(group, engine, task, signal)) {
      if (outcome.status === 'failed') failures += 1;
      await sink?.write(sinkName(input, task.type), outcome);
      progress.interrupt(() => printOutcome(input, outcome, flags.json));
      done += 1;
      progress.update({ done, total: files.length });
    }
  }
  progress.stop();
  return failures;
}

/** fp32, the exact one, is opened as it is; another variant has to be one that this machine serves. */
async function openVariant(model: ModelDirectory, flags: TaskFlags, signal: AbortSignal): Promise<Engine> {
  const intraOpThreads = flags.threads ?? availableParallelism();
  if (flags.variant === 'fp32') return await openEngine(model, { intraOpThreads });
  const cache = join(stateDirectory(process.env), 'prepared');
  const prepared = await chooseVariant(model, flags.variant, { cache, signal });
  if (flags.variant !== 'auto' && prepared.variant !== flags.variant) {
    throw new CaptionfleetError('OPTION_INVALID', `--variant ${flags.variant}: ${prepared.reason}`);
  }
  return await openEngine(model, { intraOpThreads, prepared });
}

async function prepare(input: string, source: ImageSource, side: number, signal: AbortSignal): Promise<Prepared> {
  const started = performance.now();
  let fetched = started;
  try {
    const bytes = isUrl(input) ? (await source.fetch({ url: input }, { signal })).bytes : await readImageFile(input);
    fetched = performance.now();
    const image = await prepareImage(bytes, side, { signal });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return {
      input,
      image: { ...image, sha256 },
      fetchMs: fetched - started,
      preprocessMs: performance.now() - fetched,
    };
  } catch (error) {
    signal.throwIfAborted();
    return { input, error, fetchMs: fetched - started, preprocessMs: 0 };
  }
}

async function runGroup(
  group: readonly Prepared[],
  engine: Engine,
  task: Task,
  signal: AbortSignal,
): Promise<readonly (readonly [string, ImageOutcome])[]> {
  const ready = group.flatMap(({ image }) => (image === undefined ? [] : [{ pixels: image.pixels, task }]));
  const answers = (await engine.run(ready, { signal }))[Symbol.iterator]();
  return group.map((prepared) => {
    const answer = prepared.image === undefined ? undefined : answers.next().value;
    return [prepared.input, outcomeOf(prepared, answer, engine)] as const;
  });
}

function outcomeOf(prepared: Prepared, answer: EngineAnswer | undefined, engine: Engine): ImageOutcome {
  if (prepared.image === undefined || answer === undefined)
    return { status: 'failed', error: reportError(prepared.error) };
  if ('error' in answer) return { status: 'failed', error: reportError(answer.error) };
  const { width, height, format, sha256 } = prepared.image;
  const { fetchMs, preprocessMs } = prepared;
  const { inferenceMs, ...result } = answer;
  return {
    status: 'succeeded',
    ...result,
    image: { width, height, format, sha256 },
    model: engine.identity,
    timings: roundTimings({ fetchMs, preprocessMs, inferenceMs }),
  };
}

/** A name for the result of an input inside the output directory: never a path out of it, and another for each task. */
function sinkName(input: string, type: TaskType): string {
  const name = input.replaceAll(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '_');
  return type === 'caption' ? name : `${name}.${type}`;
}

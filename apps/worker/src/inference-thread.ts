// The inference thread of an inference process: it owns the model's sessions, whose runs block it.
import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, type EngineAnswer, openEngine } from '@captionfleet/blip/engine';
import { readModelDirectory } from '@captionfleet/blip/model-directory';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import type { FromThread, GroupAnswer, GroupItem, ThreadSettings, ToThread } from './inference-messages.ts';

/** Whoever does not want to wait ends the process: nothing else stops a run. */
const never = new AbortController().signal;

if (parentPort === null) throw new Error('inference-thread.ts is started by inference-process.ts');
const port = parentPort;
const send = (message: FromThread): void => port.postMessage(message);

try {
  const { modelDirectory, prepared, threads }: ThreadSettings = workerData;
  // What is prepared was verified by the process that prepared it.
  const model = await readModelDirectory(modelDirectory, { verify: prepared === undefined, signal: never });
  const engine = await openEngine(model, { intraOpThreads: threads, ...(prepared === undefined ? {} : { prepared }) });
  await engine.warmUp();
  serve(engine);
  const { identity, tasks, imageSide } = engine;
  send({ type: 'opened', model: { identity, tasks }, imageSide });
} catch (error) {
  // What is not an error of the model is a crash: the process ends with it and another one tries again.
  if (!(error instanceof CaptionfleetError)) throw error;
  send({ type: 'refused', error: reportError(error) });
}

/** Groups run one after the other, in the order in which they came. */
function serve(engine: Engine): void {
  let before = Promise.resolve();
  port.on('message', ({ groupId, items }: ToThread) => {
    before = before.then(async () => {
      const startedAt = Date.now();
      const answers = await runEach(engine, items);
      send({ type: 'ran', groupId, answers, startedAt, endedAt: Date.now() });
    });
  });
}

/** When the runtime fails on a group, each item is tried by itself: one of them must not fail the others. */
async function runEach(engine: Engine, items: readonly GroupItem[]): Promise<readonly GroupAnswer[]> {
  try {
    return (await engine.run(items, { signal: never })).map(describeAnswer);
  } catch (error) {
    if (items.length === 1) return [{ error: reportError(error) }];
    const answers: GroupAnswer[] = [];
    for (const item of items) answers.push(...(await runEach(engine, [item])));
    return answers;
  }
}

/** An error keeps its class on no channel, so its report travels. */
const describeAnswer = (answer: EngineAnswer): GroupAnswer =>
  'error' in answer ? { error: reportError(answer.error) } : answer;

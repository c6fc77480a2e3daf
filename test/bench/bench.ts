// `npm run bench [-- --images N --repeats N --group N --beams N]`: captions per second of the bare engine and of the whole
// fleet, on a model of the real shape with random weights. The two are run in turn, so that a machine whose speed drifts
// slows both; compare ratios, not figures from different machines.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildModel } from '@captionfleet/blip/build-model';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { stateDirectory } from '../../apps/cli/src/state-directory.ts';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { postCaptions, waitForCaptions } from '../support/http.ts';
import { makePicture } from '../support/pictures.ts';
import { writeRandomCheckpoint } from '../support/random-checkpoint.ts';
import type { EngineTask } from './engine-process.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '32' },
    repeats: { type: 'string', default: '3' },
    group: { type: 'string', default: '8' },
    beams: { type: 'string', default: '1' },
  },
});
const imageCount = Number(values.images);
const repeats = Number(values.repeats);
const groupSize = Number(values.group);
const cores = availableParallelism();
// Random weights seldom end a caption: twelve tokens each, as a trained model gives.
const options = { num_beams: Number(values.beams), min_new_tokens: 12, max_new_tokens: 12 };
const never = new AbortController().signal;

const directory = join(stateDirectory(process.env), 'bench');
const checkpoint = join(directory, 'checkpoint');
const modelDirectory = join(directory, 'model');
await mkdir(directory, { recursive: true });
const say = (line: string) => process.stdout.write(`${line}\n`);

if (!existsSync(join(modelDirectory, 'manifest.json'))) {
  say('writing a checkpoint of the real shape with random weights, and building it (once) ...');
  await writeRandomCheckpoint(checkpoint, { seed: 1 });
  await buildModel({
    checkpoint,
    output: modelDirectory,
    id: 'bench/random',
    revision: '1',
    force: true,
    signal: never,
  });
}

const images = (await Promise.all(Array.from({ length: imageCount }, (_, seed) => makePicture(seed, 640, 480)))).map(
  ({ bytes }) => bytes,
);

async function openEngine(): Promise<readonly ChildProcess[]> {
  const script = new URL('./engine-process.ts', import.meta.url);
  const processes = Array.from({ length: cores }, () => fork(script, [modelDirectory], { serialization: 'advanced' }));
  await Promise.all(processes.map((child) => once(child, 'message')));
  return processes;
}

/** Seconds for all images, dealt out to the processes in equal parts. */
async function timeEngine(processes: readonly ChildProcess[]): Promise<number> {
  const started = performance.now();
  const parts = processes.map((child, position) => {
    const task: EngineTask = {
      images: images.filter((_, index) => index % processes.length === position),
      options,
      groupSize,
    };
    child.send(task);
    return once(child, 'message');
  });
  await Promise.all(parts);
  return (performance.now() - started) / 1000;
}

/** Seconds from the first POST to the last outcome. */
async function timeFleet(fleet: TestFleet): Promise<number> {
  const started = performance.now();
  const requests: Promise<void>[] = [];
  for (let start = 0; start < images.length; start += imageLimits.perRequest) {
    const inputs = images
      .slice(start, start + imageLimits.perRequest)
      .map((bytes) => ({ base64: bytes.toString('base64') }));
    const answer = await postCaptions(fleet.api.url, { images: inputs, options });
    const { id } = CaptionRequestStatusSchema.parse(answer.body);
    requests.push(expectAllSucceed(fleet, id));
  }
  await Promise.all(requests);
  return (performance.now() - started) / 1000;
}

async function expectAllSucceed(fleet: TestFleet, id: string): Promise<void> {
  const { counts } = await waitForCaptions(fleet.api.url, id, 600_000);
  if (counts.failed > 0) throw new Error(`${counts.failed} images failed`);
}

const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

const [load = 0] = loadavg();
say(
  `${cpus()[0]?.model}, ${cores} cores, load ${load.toFixed(2)}${load > 0.5 ? ' (busy: other work will show in the figures)' : ''}`,
);
say(
  `${imageCount} images of 640x480, 12 tokens, num_beams ${options.num_beams}, groups of ${groupSize}, ${repeats} rounds`,
);
const engine = await openEngine();
await using fleet = await startFleet({
  workers: 1,
  modelDirectory,
  env: { CAPTIONFLEET_INFERENCE_PROCESSES: String(cores), CAPTIONFLEET_BATCH_MAX_IMAGES: String(groupSize) },
});
const rounds: { engine: number; fleet: number }[] = [];
for (let round = 0; round < repeats; round += 1) {
  const seconds = { engine: await timeEngine(engine), fleet: await timeFleet(fleet) };
  rounds.push(seconds);
  const rate = (taken: number) => (imageCount / taken).toFixed(3);
  say(`round ${round + 1}: engine ${rate(seconds.engine)} captions/s, fleet ${rate(seconds.fleet)} captions/s`);
}
for (const child of engine) child.disconnect();

const rates = (of: 'engine' | 'fleet') => rounds.map((seconds) => imageCount / seconds[of]);
const overheads = rounds.map((seconds) => (1 - seconds.engine / seconds.fleet) * 100);
const result = {
  machine: cpus()[0]?.model,
  cores,
  imageCount,
  groupSize,
  options,
  engineCaptionsPerSecond: median(rates('engine')),
  fleetCaptionsPerSecond: median(rates('fleet')),
  overheadPercent: median(overheads),
  rounds,
};
await writeFile(join(directory, 'results.json'), `${JSON.stringify(result, null, 2)}\n`);
say(`engine alone  ${result.engineCaptionsPerSecond.toFixed(3)} captions/s`);
say(`whole fleet   ${result.fleetCaptionsPerSecond.toFixed(3)} captions/s`);
say(
  `overhead      ${result.overheadPercent.toFixed(1)} % (median of ${repeats} rounds; ${overheads.map((value) => value.toFixed(1)).join(', ')})`,
);

// The whole fleet beside the bare engine: what the API, Redis and Blob storage cost.
import { availableParallelism } from 'node:os';
import type { Variant } from '@captionfleet/blip/model-directory';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { startFleet, type TestFleet } from '../support/fleet.ts';
import { postCaptions, waitForCaptions } from '../support/http.ts';
import { benchImages, fixedLength } from './bench-images.ts';
import type { BenchModel } from './bench-model.ts';
import { startEngines } from './engines.ts';
import { type Figure, figureOf } from './statistics.ts';

export interface FleetFigures {
  /** Captions a second. */
  readonly engine: Figure;
  readonly fleet: Figure;
  readonly overheadPercent: Figure;
  /** Of the worker's main process, over all rounds. */
  readonly longestBlockMs: number;
  /** One image alone: what its caller waited, and what its `timings` add up to. */
  readonly alone: { readonly wallMs: number; readonly timingsMs: number };
}

export async function measureFleet(
  { directory, cache, prepared }: BenchModel,
  plan: { readonly variant: Variant; readonly rounds: number; readonly images: number; readonly groupSize: number },
): Promise<FleetFigures> {
  const { variant, rounds, groupSize } = plan;
  const form = prepared[variant];
  if (form === undefined) throw new Error(`${variant} was not prepared`);
  const processes = availableParallelism();
  const images = await benchImages(plan.images);
  using engines = await startEngines({ modelDirectory: directory, prepared: form, threads: 1 }, processes);
  await using fleet = await startFleet({
    workers: 1,
    modelDirectory: directory,
    env: {
      CAPTIONFLEET_VARIANT: variant,
      CAPTIONFLEET_CACHE_DIR: cache,
      CAPTIONFLEET_INFERENCE_PROCESSES: String(processes),
      CAPTIONFLEET_BATCH_MAX_IMAGES: String(groupSize),
    },
  });
  // Its start blocks for longer; from here on it serves.
  await longestBlock(fleet);
  const seconds: { engine: number; fleet: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const engine = await engines.caption(images, fixedLength(1), { processes, groupSize });
    seconds.push({ engine: engine.seconds, fleet: await timeFleet(fleet, images) });
  }
  const rates = (of: 'engine' | 'fleet') => figureOf(seconds.map((round) => images.length / round[of]));
  return {
    engine: rates('engine'),
    fleet: rates('fleet'),
    overheadPercent: figureOf(seconds.map((round) => (1 - round.engine / round.fleet) * 100)),
    longestBlockMs: await longestBlock(fleet),
    alone: await captionOne(fleet, images[0] ?? new Uint8Array(0)),
  };
}

async function captionOne(fleet: TestFleet, bytes: Uint8Array): Promise<FleetFigures['alone']> {
  const started = performance.now();
  const body = { images: [{ base64: Buffer.from(bytes).toString('base64') }], options: fixedLength(1) };
  const answer = await postCaptions(fleet.api.url, body, { prefer: 'wait=60' });
  const wallMs = performance.now() - started;
  const [image] = CaptionRequestStatusSchema.parse(answer.body).images;
  if (image?.status !== 'succeeded') throw new Error('the image alone was not captioned');
  const stages: readonly (number | undefined)[] = Object.values(image.timings);
  const timingsMs = stages.reduce<number>((sum, milliseconds = 0) => sum + milliseconds, 0);
  return { wallMs, timingsMs };
}

/** Seconds from the first POST to the last outcome. */
async function timeFleet(fleet: TestFleet, images: readonly Uint8Array[]): Promise<number> {
  const started = performance.now();
  const requests: Promise<void>[] = [];
  for (let start = 0; start < images.length; start += imageLimits.perRequest) {
    const inputs = images
      .slice(start, start + imageLimits.perRequest)
      .map((bytes) => ({ base64: Buffer.from(bytes).toString('base64') }));
    const { body } = await postCaptions(fleet.api.url, { images: inputs, options: fixedLength(1) });
    requests.push(expectAllSucceed(fleet, (body as { id: string }).id));
  }
  await Promise.all(requests);
  return (performance.now() - started) / 1000;
}

async function expectAllSucceed(fleet: TestFleet, id: string): Promise<void> {
  const { counts } = await waitForCaptions(fleet.api.url, id, 600_000);
  if (counts.failed > 0) throw new Error(`${counts.failed} images failed`);
}

async function longestBlock(fleet: TestFleet): Promise<number> {
  const metrics = await (await fetch(`${fleet.workers[0]?.url}/metrics`)).text();
  return 1000 * Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(metrics)?.[1]);
}

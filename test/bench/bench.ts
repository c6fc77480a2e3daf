// `npm run bench [-- --rounds N --images 1,4,16 --beams 1,3 --only engine,fleet,start,roofline,admission]`: captions per second of the
// bare engine and of the whole fleet, start-up and memory, on a model of the real shape with random weights. What is compared
// runs in turn, round by round, so that a machine whose speed drifts slows all of it; compare ratios, not figures from
// different machines.
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readInstructionSet } from '@captionfleet/blip/instruction-set';
import type { Variant } from '@captionfleet/blip/model-directory';
import { measureAdmission } from './admission-bench.ts';
import { benchImages, fixedLength } from './bench-images.ts';
import { type BenchModel, benchDirectory, openBenchModel } from './bench-model.ts';
import { type Engines, startEngines } from './engines.ts';
import { measureFleet } from './fleet-bench.ts';
import { drawBars } from './picture.ts';
import { measureRoofline } from './roofline.ts';
import { measureStart } from './start-bench.ts';
import { type Figure, figureOf, table } from './statistics.ts';

// The channel to the bootstrap closes when it dies, also by a signal that it could not pass on.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    images: { type: 'string', default: '1,4,16' },
    beams: { type: 'string', default: '1,3' },
    only: { type: 'string', default: 'engine,fleet,start,roofline' },
  },
});
const numbers = (text: string): readonly number[] => text.split(',').map(Number);
const rounds = Number(values.rounds);
const parts = new Set(values.only.split(','));
const cores = availableParallelism();
/** Images that are decoded together: what a worker does under load. */
const groupSize = 16;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Row {
  readonly variant: Variant;
  readonly beams: number;
  readonly images: number;
  readonly processes: number;
  readonly captionsPerSecond: Figure;
}

const { model: processor, name: instructions } = readInstructionSet();
const [load = 0] = loadavg();
say(`${processor} (${instructions}), ${cores} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, load ${load.toFixed(2)}`);
if (load > 0.5) say('the machine is busy: other work will show in the figures');
if (values.only === 'admission') await admissionAlone();
const bench = await openBenchModel(say);
const variants = Object.keys(bench.prepared) as Variant[];
say(
  `real shape, random weights, images of 640x480, 12 tokens each, ${rounds} rounds, variants ${variants.join(', ')}\n`,
);

const result: Record<string, unknown> = { processor, instructions, cores, rounds, groupSize };
if (parts.has('engine')) result['engine'] = await engineRows(bench);
if (parts.has('roofline')) result['roofline'] = await rooflines(bench);
if (parts.has('start')) result['start'] = await startRows(bench);
if (parts.has('admission')) result['admission'] = await admissionRows();
if (parts.has('fleet')) result['fleet'] = await fleetRows(bench);
await writeFile(join(benchDirectory, 'results.json'), `${JSON.stringify(result, null, 2)}\n`);
say(`figures: ${join(benchDirectory, 'results.json')}`);

/** It needs no model, so it does not wait for one. */
async function admissionAlone(): Promise<never> {
  await admissionRows();
  process.exit(0);
}

async function admissionRows() {
  const found = await measureAdmission({ items: 100_000, rounds });
  const { raw, bulk, ratio, memory } = found;
  const perSecond = ({ median: middle, least, greatest }: Figure): string =>
    `${middle.toFixed(0)} (${least.toFixed(0)} to ${greatest.toFixed(0)})`;
  say(
    `100,000 references: ${perSecond(bulk)} a second through the bulk route, ${perSecond(raw)} by BullMQ's addBulk alone: ${ratio.median.toFixed(2)} of it (${ratio.least.toFixed(2)} to ${ratio.greatest.toFixed(2)}); the API's memory was ${memory.before.toFixed(0)} MiB before, ${memory.greatest.toFixed(0)} at most, ${memory.after.map((mebibytes) => mebibytes.toFixed(0)).join(', ')} after the rounds`,
  );
  return found;
}

async function engineRows(model: BenchModel): Promise<readonly Row[]> {
  using stack = new DisposableStack();
  const engines = new Map<Variant, Engines>();
  const memory: string[][] = [['variant', 'PSS of 1 process', `of ${cores}`, 'ratio']];
  for (const variant of variants) {
    const { one, all, running } = await startMeasured(model, variant);
    engines.set(variant, stack.use(running));
    memory.push([variant, `${one.toFixed(0)} MiB`, `${all.toFixed(0)} MiB`, (all / one).toFixed(2)]);
  }
  const images = await benchImages(Math.max(...numbers(values.images)));
  const plans = variants.flatMap((variant) =>
    numbers(values.beams).flatMap((beams) =>
      numbers(values.images).flatMap((count) =>
        [...new Set([1, Math.min(cores, count)])].map((processes) => ({ variant, beams, images: count, processes })),
      ),
    ),
  );
  const rates = plans.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [place, { variant, beams, images: count, processes }] of plans.entries()) {
      const limits = { processes, groupSize };
      const run = await engines.get(variant)?.caption(images.slice(0, count), fixedLength(beams), limits);
      rates[place]?.push(count / (run?.seconds ?? Number.NaN));
    }
  }
  const rows = plans.map((plan, place) => ({ ...plan, captionsPerSecond: figureOf(rates[place] ?? []) }));
  const head = ['variant', 'beams', 'images', 'processes', 'captions/s', 'least', 'greatest'];
  say(table([head, ...rows.map(describeRow)]));
  say(`\n${table(memory)}\n`);
  const whole = rows.filter(
    ({ processes, images: count }) => processes === cores && count === Math.max(...numbers(values.images)),
  );
  const bars = whole.map(({ variant, beams, captionsPerSecond }) => ({
    label: `${variant}, ${beams === 1 ? 'greedy' : `${beams} beams`}`,
    value: captionsPerSecond.median,
  }));
  await writeFile(join(benchDirectory, 'engine.svg'), drawBars(`Captions per second, ${cores} cores`, bars));
  return rows;
}

/** Memory of one process while it is alone, then of all. */
async function startMeasured({ directory, prepared }: BenchModel, variant: Variant) {
  const form = prepared[variant];
  if (form === undefined) throw new Error(`${variant} was not prepared`);
  const setup = { modelDirectory: directory, prepared: form, threads: 1 };
  const images = await benchImages(2 * cores);
  const limits = { processes: cores, groupSize };
  let one: number;
  {
    using alone = await startEngines(setup, 1);
    await alone.caption(images.slice(0, 2), fixedLength(1), { ...limits, processes: 1 });
    one = await alone.memory();
  }
  const running = await startEngines(setup, cores);
  await running.caption(images, fixedLength(1), limits);
  return { one, all: await running.memory(), running };
}

function describeRow({ variant, beams, images, processes, captionsPerSecond: rate }: Row): readonly string[] {
  const rates = [rate.median, rate.least, rate.greatest].map((value) => value.toFixed(3));
  return [variant, String(beams), String(images), String(processes), ...rates];
}

async function rooflines(model: BenchModel) {
  const found = [];
  for (const variant of variants) {
    const roofline = await measureRoofline(model, variant);
    found.push({ variant, ...roofline });
    const total = roofline.profile.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
    const share = (milliseconds: number): string => `${((100 * milliseconds) / total).toFixed(1)} %`;
    say(
      `${variant} encoder, one core: ${total.toFixed(0)} ms an image; its products run at ${roofline.inProducts.toFixed(0)} Gop/s, the best product measured here at ${roofline.peak.toFixed(0)} (${((100 * roofline.inProducts) / roofline.peak).toFixed(0)} %)`,
    );
    say(
      `  ${roofline.profile
        .slice(0, 6)
        .map(([operator, milliseconds]) => `${operator} ${share(milliseconds)}`)
        .join(', ')}\n`,
    );
  }
  return found;
}

async function startRows(model: BenchModel) {
  const rows = await measureStart(model, variants);
  const head = ['start of a worker', 'verify', 'prepare', 'load', 'warm up', 'to ready'];
  say(
    `${table([head, ...rows.map(({ name, parts: times }) => [name, ...times.map((ms) => `${(ms / 1000).toFixed(2)} s`)])])}\n`,
  );
  return rows;
}

async function fleetRows(model: BenchModel) {
  const found = [];
  for (const variant of variants) {
    const fleet = await measureFleet(model, { variant, rounds, images: 32, groupSize: 8 });
    found.push({ variant, ...fleet });
    say(
      `${variant}: engine alone ${fleet.engine.median.toFixed(3)} captions/s, through API, Redis and Blob ${fleet.fleet.median.toFixed(3)}: overhead ${fleet.overheadPercent.median.toFixed(1)} % (${fleet.overheadPercent.least.toFixed(1)} to ${fleet.overheadPercent.greatest.toFixed(1)}); the worker's event loop was blocked for ${fleet.longestBlockMs.toFixed(0)} ms at most; one image alone took ${fleet.alone.wallMs.toFixed(0)} ms, its timings add up to ${fleet.alone.timingsMs.toFixed(0)}`,
    );
  }
  say('');
  return found;
}

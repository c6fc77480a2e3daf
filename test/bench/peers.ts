// `npm run bench:peers [-- --rounds N --images N]`: other engines on the same weights, images and token counts, in turn with
// ours, and the ratios. Python's packages are installed below .captionfleet/bench, once (2 GB); CAPTIONFLEET_BENCH_PYTHON
// names an interpreter that has them already.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readInstructionSet } from '@captionfleet/blip/instruction-set';
import { modelFiles, type Variant } from '@captionfleet/blip/model-directory';
import { openPrepared, type PreparedVariant } from '@captionfleet/blip/prepared-model';
import { prepareImage } from '@captionfleet/blip/preprocess';
import { Tensor } from 'onnxruntime-node';
import { benchImages, fixedLength } from './bench-images.ts';
import { type BenchModel, benchDirectory, openBenchModel } from './bench-model.ts';
import { startEngines } from './engines.ts';
import { drawBars } from './picture.ts';
import { type Figure, figureOf, median, table } from './statistics.ts';

// The channel to the bootstrap closes when it dies, also by a signal that it could not pass on.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, images: { type: 'string', default: '32' } },
});
const rounds = Number(values.rounds);
const cores = availableParallelism();
const newTokens = 12;
const towerRuns = 15;
const { signal } = new AbortController();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const scratch = join(benchDirectory, 'peers');
const folder = new URL('./peers/', import.meta.url).pathname;

type Tokens = readonly (readonly number[])[];

/** Something that captions all images its own way. */
interface Contender {
  readonly name: string;
  readonly beams: number;
  /** The first `count` of the images. */
  run(count: number): Promise<{ readonly seconds: number; readonly tokens: Tokens }>;
}

/** A Python process that captions files on its threads. */
interface Peer extends Disposable {
  caption(paths: readonly string[], batch: number, beams: number): Promise<{ seconds: number; tokens: Tokens }>;
  /** Seconds of the vision tower alone. */
  encode(path: string, variant: Variant): Promise<number>;
}

async function startPeer(python: string, kind: string, threads: number, checkpoint: string): Promise<Peer> {
  const child = spawn(python, [join(folder, 'peer.py'), kind, String(threads), checkpoint, scratch], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`${kind} ended with ${code}: ${complaints.trim().split('\n').at(-1)}`);
  });
  ended.catch(() => undefined);
  /** Libraries print lines of their own. */
  const nextJson = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), ended]);
      if (done) return await ended;
      if (value.startsWith('{')) return JSON.parse(value);
    }
  };
  await nextJson();
  return {
    async caption(paths, batch, beams) {
      child.stdin.write(`${JSON.stringify({ paths, batch, beams, tokens: newTokens })}\n`);
      return (await nextJson()) as { seconds: number; tokens: Tokens };
    },
    async encode(path, variant) {
      child.stdin.write(`${JSON.stringify({ paths: [path], encode: variant })}\n`);
      return ((await nextJson()) as { seconds: number }).seconds;
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}

/** The images dealt out to peers of one thread each, or given to one with all threads. */
function peerContender(
  name: string,
  peers: readonly Peer[],
  paths: readonly string[],
  { batch, beams }: { readonly batch: number; readonly beams: number },
): Contender {
  return {
    name,
    beams,
    async run(count) {
      const chosen = paths.slice(0, count);
      const started = performance.now();
      const parts = await Promise.all(
        peers.map((peer, position) =>
          peer.caption(
            chosen.filter((_, index) => index % peers.length === position),
            batch,
            beams,
          ),
        ),
      );
      const seconds = (performance.now() - started) / 1000;
      const tokens = chosen.map(
        (_, index) => parts[index % peers.length]?.tokens[Math.floor(index / peers.length)] ?? [],
      );
      return { seconds, tokens };
    },
  };
}

async function findPython(): Promise<string> {
  const given = process.env['CAPTIONFLEET_BENCH_PYTHON'];
  if (given !== undefined) return given;
  const environment = join(benchDirectory, 'python');
  const python = join(environment, 'bin', 'python');
  if (!existsSync(join(environment, 'complete'))) {
    say('installing torch, transformers, onnxruntime and openvino for Python (once, some minutes) ...');
    const steps = [
      ['python3', '-m', 'venv', environment],
      [python, '-m', 'pip', 'install', '--quiet', '-r', join(folder, 'requirements.txt')],
    ];
    for (const [command = '', ...rest] of steps) {
      if (spawnSync(command, rest, { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
        throw new Error(`${command} ${rest.join(' ')} failed; python3 with venv and pip is needed`);
      }
    }
    await writeFile(join(environment, 'complete'), '');
  }
  return python;
}

/** The peers that start; what does not is said and left out. */
async function startPeers(python: string, kind: string, threads: number, count: number, checkpoint: string) {
  try {
    return await Promise.all(Array.from({ length: count }, () => startPeer(python, kind, threads, checkpoint)));
  } catch (error) {
    say(`${kind} is left out: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

const paths: string[] = [];
const bench: BenchModel = await openBenchModel(say);
const images = await benchImages(Number(values.images));
await mkdir(scratch, { recursive: true });
for (const [index, bytes] of images.entries()) {
  const path = join(scratch, `image-${index}`);
  await writeFile(path, bytes);
  paths.push(path);
}
const python = await findPython();
using stack = new DisposableStack();
const contenders: Contender[] = [];
const groupSize = 16;
for (const [variant, prepared] of Object.entries(bench.prepared) as [Variant, BenchModel['prepared']['fp32']][]) {
  if (prepared === undefined) continue;
  const setup = { modelDirectory: bench.directory, prepared, threads: 1 };
  const engines = stack.use(await startEngines(setup, cores));
  for (const beams of [1, 3]) {
    contenders.push({
      name: `captionfleet ${variant}, ${cores} processes`,
      beams,
      run: (count) => engines.caption(images.slice(0, count), fixedLength(beams), { processes: cores, groupSize }),
    });
  }
}
for (const [threads, count] of [
  [cores, 1],
  [1, cores],
] as const) {
  const peers = await startPeers(python, 'transformers', threads, count, bench.checkpoint);
  for (const peer of peers) stack.use(peer);
  const how = count === 1 ? `${threads} threads` : `${count} processes`;
  for (const beams of peers.length > 0 ? [1, 3] : []) {
    for (const batch of [1, 4, 8]) {
      contenders.push(peerContender(`transformers fp32, ${how}, batch ${batch}`, peers, paths, { batch, beams }));
    }
  }
}
const exported = await startPeers(python, 'export', cores, 1, bench.checkpoint);
for (const peer of exported) stack.use(peer);
if (exported.length > 0) {
  contenders.push(peerContender('onnxruntime, plain export, batch 4', exported, paths, { batch: 4, beams: 1 }));
}

const towers = await compareTowers();
const [firstOurs] = contenders;
const seconds = contenders.map((): number[] => []);
const tokensOf = new Map<Contender, Tokens>();
say(
  `${readInstructionSet().model}, ${cores} cores; ${images.length} images, ${newTokens} tokens each, ${rounds} rounds\n`,
);
// The first touch of the weights and of the code is not what is compared.
for (const contender of contenders) await contender.run(cores);
for (let round = 0; round < rounds; round += 1) {
  for (const [place, contender] of contenders.entries()) {
    const run = await contender.run(images.length);
    seconds[place]?.push(run.seconds);
    tokensOf.set(contender, run.tokens);
  }
  say(`round ${round + 1} of ${rounds} done`);
}

interface Result {
  readonly name: string;
  readonly beams: number;
  readonly captionsPerSecond: Figure;
  readonly equalTokens: number;
}
const results = contenders.map((contender, place): Result => {
  const reference = contenders.find(({ name, beams }) => name === firstOurs?.name && beams === contender.beams);
  const expected = reference === undefined ? [] : (tokensOf.get(reference) ?? []);
  const equal = (tokensOf.get(contender) ?? []).filter((tokens, index) =>
    tokens.every((token, position) => token === expected[index]?.[position]),
  );
  return {
    name: contender.name,
    beams: contender.beams,
    captionsPerSecond: figureOf((seconds[place] ?? []).map((taken) => images.length / taken)),
    equalTokens: equal.length,
  };
});

for (const beams of [1, 3]) {
  const rows = results.filter((result) => result.beams === beams);
  const best = rows
    .filter(({ name }) => name.startsWith('transformers'))
    .toSorted((a, b) => b.captionsPerSecond.median - a.captionsPerSecond.median)[0];
  const bestPlace = results.indexOf(best as Result);
  say(`\n${beams === 1 ? 'greedy' : `${beams} beams`}; ratios are medians of the rounds, to ${best?.name}`);
  say(
    table([
      ['engine', 'captions/s', 'least', 'greatest', 'ratio', 'tokens as ours fp32'],
      ...rows.map((row) => {
        const place = results.indexOf(row);
        const ratios = (seconds[place] ?? []).map(
          (taken, round) => (seconds[bestPlace]?.[round] ?? Number.NaN) / taken,
        );
        const { captionsPerSecond: rate } = row;
        return [
          row.name,
          ...[rate.median, rate.least, rate.greatest].map((value) => value.toFixed(3)),
          ratios.length === 0 ? '' : median(ratios).toFixed(2),
          `${row.equalTokens} of ${images.length}`,
        ];
      }),
    ]),
  );
  const bars = rows.map(({ name, captionsPerSecond }) => ({ label: name, value: captionsPerSecond.median }));
  await writeFile(join(benchDirectory, `peers-${beams}.svg`), drawBars(`Captions per second, ${beams} beams`, bars));
}
await writeFile(
  join(benchDirectory, 'peers.json'),
  `${JSON.stringify({ ...readInstructionSet(), results, seconds, towers }, null, 2)}\n`,
);

/** Milliseconds of the vision tower for one image on one core, ours and OpenVINO's, in turn. */
async function compareTowers(): Promise<Readonly<Record<string, Figure>>> {
  const [peer] = await startPeers(python, 'openvino', 1, 1, bench.checkpoint);
  if (peer === undefined) return {};
  using _ = peer;
  const pixels = (await prepareImage(images[0] ?? new Uint8Array(), bench.model.manifest.image.side, { signal }))
    .pixels;
  const ours = async (variant: Variant) => {
    const session = await openPrepared(bench.prepared[variant] as PreparedVariant, modelFiles.visionEncoder, 1);
    const { side } = bench.model.manifest.image;
    return async () => {
      const started = performance.now();
      await session.run({ pixels: new Tensor('uint8', pixels, [1, side, side, 3]) });
      return performance.now() - started;
    };
  };
  const runs = new Map<string, () => Promise<number>>();
  for (const variant of Object.keys(bench.prepared) as Variant[]) {
    runs.set(`captionfleet ${variant}`, await ours(variant));
    runs.set(`OpenVINO ${variant}`, async () => 1000 * (await peer.encode(paths[0] ?? '', variant)));
  }
  const taken = new Map([...runs.keys()].map((name): [string, number[]] => [name, []]));
  // The first of each is not counted.
  for (let turn = 0; turn <= towerRuns; turn += 1) {
    for (const [name, run] of runs) {
      const milliseconds = await run();
      if (turn > 0) taken.get(name)?.push(milliseconds);
    }
  }
  const figures = [...taken].map(([name, milliseconds]) => [name, figureOf(milliseconds)] as const);
  const rows = figures.map(([name, figure]) => [
    name,
    ...[figure.median, figure.least, figure.greatest].map((ms) => ms.toFixed(0)),
  ]);
  say(`vision tower alone, one image on one core, ${towerRuns} runs in turn`);
  say(`${table([['tower', 'ms', 'least', 'greatest'], ...rows])}\n`);
  return Object.fromEntries(figures);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type ArrivalTrace, arrivalTraces } from '@captionfleet/scaling/simulator/arrival-traces';
import {
  compare,
  defaultMachine,
  lateImages,
  promisedSeconds,
  type Score,
  type TraceComparison,
} from '@captionfleet/scaling/simulator/comparison';
import { drawReplicas } from './simulation-picture.ts';

const head = ['load', 'policy', 'late', 'p50', 'p95', 'p99', 'USD', 'turns'] as const;

export interface SimulateFlags {
  readonly trace?: string;
  readonly seed: string;
  readonly out?: string;
}

/** `captionfleet simulate`: autoscaling policies on loads that were made up, in a table and in pictures. @throws CONFIG_INVALID */
export async function simulateCommand({ trace: name, seed: text, out }: SimulateFlags): Promise<void> {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new CaptionfleetError('CONFIG_INVALID', '--seed must be a whole number from 0');
  }
  if (out !== undefined) await mkdir(out, { recursive: true });
  process.stdout.write(`| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}\n`);
  for (const trace of chosen(name)) {
    const comparison = compare(trace, defaultMachine, seed);
    for (const row of rowsOf(comparison)) process.stdout.write(`| ${row.join(' | ')} |\n`);
    if (out === undefined) continue;
    const file = join(out, `simulation-${trace.name.replaceAll(' ', '-')}.svg`);
    await writeFile(file, drawReplicas(comparison));
  }
  const { interactive, bulk } = promisedSeconds;
  process.stdout.write(
    `\nLate: an interactive image after ${interactive} s, a bulk one after ${bulk} s. Of each rival the best of its settings is shown: the fewest late images, then the lowest cost.\n`,
  );
}

function chosen(name: string | undefined): readonly ArrivalTrace[] {
  if (name === undefined) return arrivalTraces;
  const found = arrivalTraces.filter((trace) => trace.name === name);
  if (found.length > 0) return found;
  const names = arrivalTraces.map((trace) => `"${trace.name}"`).join(', ');
  throw new CaptionfleetError('CONFIG_INVALID', `--trace must be one of ${names}`);
}

const rowsOf = ({ trace, ours, rivals }: TraceComparison): string[][] =>
  [ours, ...rivals].map((score, index) => [index === 0 ? trace.name : '', ...cells(score)]);

const cells = (score: Score): string[] => [
  score.policy,
  String(lateImages(score)),
  ...[score.median, score.p95, score.p99].map((seconds) => `${seconds.toFixed(1)} s`),
  score.usd.toFixed(2),
  String(score.turns),
];

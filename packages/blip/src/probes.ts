import type { Task } from '@captionfleet/protocol/task';
import { resizeBicubic } from './bicubic.ts';
import { decodeImage } from './decode-image.ts';
import type { Engine, EngineAnswer } from './engine.ts';
import type { ProbeAnswer } from './parity-gate.ts';

/** What a crop leaves of the width and of the height. */
const cropShare = 0.8;

/**
 * Three probes of one picture, RGB bytes [side, side, 3] each: as it is, its middle, and mirrored. They cost nobody another
 * picture and are as hard for a variant. Throws what `decodeImage` throws.
 */
export async function makeProbes(
  bytes: Uint8Array,
  side: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Uint8Array[]> {
  const picture = await decodeImage(bytes, { signal });
  const whole = resizeBicubic(picture, side);
  return [whole, resizeBicubic(middleOf(picture), side), mirrored(whole, side)];
}

interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

function middleOf({ data, width, height }: Picture): Picture {
  const [croppedWidth, croppedHeight] = [width, height].map((size) => Math.max(1, Math.round(size * cropShare))) as [
    number,
    number,
  ];
  const left = (width - croppedWidth) >> 1;
  const top = (height - croppedHeight) >> 1;
  const cropped = new Uint8Array(croppedWidth * croppedHeight * 3);
  for (let row = 0; row < croppedHeight; row += 1) {
    const start = ((top + row) * width + left) * 3;
    cropped.set(data.subarray(start, start + croppedWidth * 3), row * croppedWidth * 3);
  }
  return { data: cropped, width: croppedWidth, height: croppedHeight };
}

function mirrored(pixels: Uint8Array, side: number): Uint8Array {
  const result = new Uint8Array(pixels.length);
  for (let place = 0; place < side * side; place += 1) {
    const column = place % side;
    const source = (place - column + side - 1 - column) * 3;
    result.set(pixels.subarray(source, source + 3), place * 3);
  }
  return result;
}

const question = 'what is in the picture?';
/** Matched with every probe: some of them are true of it, most are not. */
const sentences = [
  'a photo of a person',
  'a cat',
  'two dogs in the snow',
  'a cup on a table',
  'the night sky with stars',
  'a red circle on a white background',
] as const;

/** Asks a model everything that it has heads for about each probe, and reduces the answers to what a gate compares. */
export async function askProbes(
  engine: Engine,
  probes: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<readonly ProbeAnswer[]> {
  const asked: Task[] = [];
  if (engine.tasks.includes('caption')) asked.push({ type: 'caption', options: {} });
  if (engine.tasks.includes('answer')) asked.push({ type: 'answer', questions: [question], options: {} });
  if (engine.tasks.includes('match')) asked.push({ type: 'match', texts: [...sentences] });
  const answers = await engine.run(
    probes.flatMap((pixels) => asked.map((task) => ({ pixels, task }))),
    { signal },
  );
  return probes.map((_, probe) => summary(answers.slice(probe * asked.length, (probe + 1) * asked.length)));
}

function summary(answers: readonly EngineAnswer[]): ProbeAnswer {
  return {
    captions: answers.flatMap((answer) => {
      if ('error' in answer) throw answer.error;
      const texts = 'captions' in answer ? answer.captions : 'answers' in answer ? answer.answers : [];
      return texts.map(({ tokens, meanLogProbability }) => ({ tokens, meanLogProbability }));
    }),
    matches: answers.flatMap((answer) =>
      'matches' in answer ? answer.matches.map(({ probability, similarity }) => ({ probability, similarity })) : [],
    ),
  };
}

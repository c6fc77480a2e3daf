import type { RequestStatus, Timings } from '@captionfleet/protocol/image-outcome';

const stages = ['queue', 'fetch', 'preprocess', 'batch', 'inference'] as const;
type Stage = (typeof stages)[number];

const totalOf = (timings: Timings): number => stages.reduce((sum, stage) => sum + (timings[memberOf(stage)] ?? 0), 0);
const memberOf = (stage: Stage) => `${stage}Ms` as const;

/**
 * The `Server-Timing` of a finished request: the stages, in milliseconds, of the image that took longest from its enqueueing to its
 * result, and their sum. The images of a request are worked on side by side, so that one is what the caller waited for, which
 * sums over all of them are not. Undefined when no image has succeeded.
 */
export function serverTiming({ images }: Pick<RequestStatus, 'images'>): string | undefined {
  const timed = images.flatMap((image) => ('timings' in image ? [image] : []));
  const [first, ...others] = timed;
  if (first === undefined) return undefined;
  const { index, timings } = others.reduce(
    (slowest, image) => (totalOf(image.timings) > totalOf(slowest.timings) ? image : slowest),
    first,
  );
  const metrics = stages.flatMap((stage) => {
    const milliseconds = timings[memberOf(stage)];
    return milliseconds === undefined ? [] : [`${stage};dur=${milliseconds}`];
  });
  return [...metrics, `total;dur=${Math.round(totalOf(timings) * 100) / 100};desc="image ${index}"`].join(', ');
}

import type { GenerationOptions } from '@captionfleet/protocol/generation-options';
import { makePicture } from '../support/pictures.ts';

/** Photographs are about this large once a web page has them. */
export const benchImages = async (count: number): Promise<readonly Uint8Array[]> =>
  (await Promise.all(Array.from({ length: count }, (_, seed) => makePicture(seed, 640, 480)))).map(
    ({ bytes }) => bytes,
  );

/** Random weights seldom end a caption: twelve tokens each, as a trained model gives. */
export const fixedLength = (beams: number): GenerationOptions => ({
  num_beams: beams,
  min_new_tokens: 12,
  max_new_tokens: 12,
});

import sharp from 'sharp';

/** Pseudo-random bytes from a seed (the 32-bit mix of splitmix): the same pictures on every machine. */
function* bytes(seed: number): Generator<number> {
  let state = seed >>> 0;
  for (;;) {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    yield ((mixed ^ (mixed >>> 15)) >>> 8) & 0xff;
  }
}

export interface Picture {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A picture of coloured blocks. Its format varies with the seed, and so does its size where none is given. */
export async function makePicture(seed: number, fixedWidth?: number, fixedHeight?: number): Promise<Picture> {
  const random = bytes(seed);
  const next = () => random.next().value as number;
  const blocks = Buffer.from(Array.from({ length: 6 * 6 * 3 }, next));
  const width = fixedWidth ?? 60 + next();
  const height = fixedHeight ?? 60 + next();
  const image = sharp(blocks, { raw: { width: 6, height: 6, channels: 3 } }).resize(width, height, {
    kernel: 'nearest',
    fit: 'fill',
  });
  const format = (['jpeg', 'png', 'webp'] as const)[seed % 3] ?? 'png';
  const extension = format === 'jpeg' ? 'jpg' : format;
  return {
    name: `picture-${String(seed).padStart(4, '0')}.${extension}`,
    bytes: await image.toFormat(format).toBuffer(),
  };
}

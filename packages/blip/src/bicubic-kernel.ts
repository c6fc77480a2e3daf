import { readFileSync } from 'node:fs';

/** The passes of bicubic.wat, which says what each parameter is. Addresses are places in `memory`. */
interface BicubicKernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): void };
  horizontal(
    source: number,
    sourceStride: number,
    firsts: number,
    weights: number,
    weightBytes: number,
    columns: number,
    target: number,
    targetStride: number,
  ): void;
  vertical(
    source: number,
    sourceStride: number,
    weights: number,
    weightBytes: number,
    bytes: number,
    target: number,
  ): void;
}

/** Node has it, the types of Node have not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const module = new WebAssembly.Module(readFileSync(new URL('./bicubic.wasm', import.meta.url)));

export const bicubicKernel = new WebAssembly.Instance(module).exports as BicubicKernel;

const pageBytes = 65_536;
/** What a pass may read or write behind a region. */
const slackBytes = 32;

/** Addresses of regions of these sizes, anew at each call, and the memory, which has grown to hold them. */
export function placeInKernel<Name extends string>(
  sizes: Readonly<Record<Name, number>>,
): { readonly memory: Uint8Array; readonly address: Readonly<Record<Name, number>> } {
  let end = 0;
  const address = {} as Record<Name, number>;
  for (const name of Object.keys(sizes) as Name[]) {
    address[name] = end;
    end = roundUpTo16(end + sizes[name] + slackBytes);
  }
  const missing = end - bicubicKernel.memory.buffer.byteLength;
  if (missing > 0) bicubicKernel.memory.grow(Math.ceil(missing / pageBytes));
  return { memory: new Uint8Array(bicubicKernel.memory.buffer), address };
}

export const roundUpTo16 = (bytes: number): number => Math.ceil(bytes / 16) * 16;

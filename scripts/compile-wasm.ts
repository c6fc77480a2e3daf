// `npm run wasm` compiles packages/blip/src/bicubic.wat; a test compares the result with what is committed.
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const text = new URL('../packages/blip/src/bicubic.wat', import.meta.url);

/** The module of bicubic.wat, as bytes. Throws with line and column where the text is no WebAssembly. */
export async function compileBicubic(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  // A string: of an array wabt takes the whole buffer behind it.
  const parsed = parseWat('bicubic.wat', readFileSync(text, 'ascii'));
  try {
    parsed.validate();
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}

if (import.meta.main) writeFileSync(new URL('bicubic.wasm', text), await compileBicubic());

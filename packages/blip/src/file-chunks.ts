import { open } from 'node:fs/promises';

const chunkBytes = 4 * 1024 * 1024;

/** The bytes of a file in pieces; each is valid until the next is asked for. */
export async function* readChunks(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await using file = await open(path);
  const buffer = new Uint8Array(chunkBytes);
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

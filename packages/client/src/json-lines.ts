import type { Deadline } from './deadline.ts';
import { FleetError } from './fleet-error.ts';

/**
 * The lines of a body, as they come. Each piece has a deadline of its own. Whoever stops reading ends the body.
 *
 * @throws FleetError NETWORK when the body breaks off, which one that does not end with a line has done; the deadline's reason
 */
export async function* linesOf(
  body: ReadableStream<Uint8Array> | null,
  deadlineOfPiece: () => Deadline,
): AsyncGenerator<string, void> {
  if (body === null) return;
  // Not every browser iterates a stream.
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { value, done } = await readPiece(reader, deadlineOfPiece());
      if (done) break;
      const lines = (text + decoder.decode(value, { stream: true })).split('\n');
      text = lines.pop() ?? '';
      yield* lines.filter((line) => line !== '');
    }
    if (text !== '') throw brokeOff(undefined);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function readPiece(reader: ReadableStreamDefaultReader<Uint8Array>, deadline: Deadline) {
  const { signal } = deadline;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    signal.throwIfAborted();
    const piece = reader.read().catch((cause: unknown) => {
      throw brokeOff(cause);
    });
    return await Promise.race([piece, aborted]);
  } finally {
    deadline.end();
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

const brokeOff = (cause: unknown): FleetError =>
  new FleetError({ code: 'NETWORK', message: 'the answer broke off', retryable: true, cause });

// A checkpoint that captions, matches and, when its architectures say so, answers: the golden captioner with the text
// encoder and the heads of the golden matcher, as one file of MED whose modes share what they can.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { editCheckpoint, editJson, readTensors } from './checkpoint-files.ts';

const golden = new URL('../fixtures/golden/', import.meta.url).pathname;

/** Writes the checkpoint into `directory` and returns it. */
export async function severalHeads(directory: string, architectures: readonly string[]): Promise<string> {
  await cp(join(golden, 'captioner'), directory, { recursive: true });
  const matcher = await readTensors(join(golden, 'matcher', 'model.safetensors'));
  await editCheckpoint(join(golden, 'captioner'), directory, (tensors) => {
    for (const [name, tensor] of matcher) if (!tensors.has(name)) tensors.set(name, tensor);
  });
  await editJson(join(directory, 'config.json'), (json) => {
    json['architectures'] = architectures;
  });
  return directory;
}

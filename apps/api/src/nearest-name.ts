import { GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';

const optionNames = Object.keys(GenerationOptionsSchema.shape);

/** The generation option that a misspelt name most likely means, if one is near: `numBeams` and `num_beam` are. */
export function nearestOption(name: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[_-]/g, '');
  // Longer than any option by more than a slip of the keys; the table below grows with the square of the length.
  if (name.length > 40) return undefined;
  const ranked = optionNames
    .map((option) => ({ option, distance: editDistance(plain(name), plain(option)) }))
    .sort((left, right) => left.distance - right.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(plain(name).length / 3))
    ? best.option
    : undefined;
}

/** Levenshtein's distance: the fewest insertions, deletions and replacements that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, character] of [...from].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (character === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

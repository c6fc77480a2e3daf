import type { Constant } from './onnx-graph.ts';

/** A float32 constant. `read` gives a fresh array that the caller may change. */
export interface Weight extends Constant {
  readonly elementType: 'float32';
  read(): Promise<Float32Array>;
}

export const weightOf = (name: string, shape: readonly number[], read: () => Promise<Float32Array>): Weight => ({
  name,
  shape,
  elementType: 'float32',
  read,
});

/** The same values under another shape of as many elements. */
export const reshaped = (weight: Weight, ...shape: number[]): Weight => ({ ...weight, shape });

/** Swaps the last two axes of a matrix or of a stack of matrices. */
export function transposed(weight: Weight): Weight {
  const [columns = 1, rows = 1, ...stack] = [...weight.shape].reverse();
  const shape = [...stack.reverse(), columns, rows];
  return weightOf(`${weight.name}:transposed`, shape, async () => {
    const values = await weight.read();
    const result = new Float32Array(values.length);
    const size = rows * columns;
    for (let start = 0; start < values.length; start += size) {
      transposeMatrix(values.subarray(start, start + size), result.subarray(start, start + size), rows, columns);
    }
    return result;
  });
}

function transposeMatrix(values: Float32Array, result: Float32Array, rows: number, columns: number): void {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      result[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
}

export const scaled = (weight: Weight, factor: number): Weight =>
  weightOf(`${weight.name}:scaled`, weight.shape, async () => (await weight.read()).map((value) => value * factor));

/** Part `part` of `parts` equal ones along the first axis. */
export function partOf(weight: Weight, part: number, parts: number): Weight {
  const [rows = 0, ...rest] = weight.shape;
  return weightOf(`${weight.name}:${part}/${parts}`, [rows / parts, ...rest], async () => {
    const values = await weight.read();
    const size = values.length / parts;
    return values.slice(part * size, (part + 1) * size);
  });
}

/** Joins weights along their first axis; the others are equal. */
export function stacked(name: string, weights: readonly Weight[]): Weight {
  const rows = weights.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = [rows, ...(weights[0]?.shape.slice(1) ?? [])];
  return weightOf(name, shape, async () => {
    const result = new Float32Array(shape.reduce((product, size) => product * size, 1));
    let position = 0;
    for (const weight of weights) {
      const values = await weight.read();
      result.set(values, position);
      position += values.length;
    }
    return result;
  });
}

/** Where a tensor's values lie, contiguous and row by row: positions in bytes from the start of the file. */
export interface StoredTensor {
  /** In the words of safetensors: F32, BF16, I64. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export const bytesPerElement: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 },
};

export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

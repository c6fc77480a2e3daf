import { Tensor } from 'onnxruntime-node';

export const integers = (values: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);

import { Tensor } from 'onnxruntime-node';

export const integers = (values: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);

/**
 * Gives the memory of a tensor that nobody reads any more back at once. Outputs are copies, tens of megabytes a step: left to the
 * garbage collector they make it run, and grow the process meanwhile.
 */
export function free({ data }: Tensor): void {
  if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer && !data.buffer.detached) data.buffer.transfer(0);
}

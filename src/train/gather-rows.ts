import type { Communicator } from '../parallel/communicator.js';

/**
 * The rows of all members: each has some of the batch's rows, and gets them all, in their order.
 * @param own.rows [count, width], of which those from `first` on are ours
 * @returns [total, width]
 */
export function gatherRows(
  communicator: Communicator | undefined,
  own: { rows: Float32Array | Int32Array; first: number; total: number; width: number },
): Float32Array {
  const { rows, first, total, width } = own;
  const whole = new Float32Array(total * width);
  whole.set(rows, first * width);
  // the others' places are 0 here, so the sum is exact
  communicator?.allReduce(whole);
  return whole;
}

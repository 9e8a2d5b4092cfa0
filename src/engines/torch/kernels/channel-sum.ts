import type { Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { flag, int, ints, type Slot, some, tensor } from '../step.js';

/** The sum over all axes but the channels, in the element type of the result. */
export function emitChannelSum(emitter: Emitter, slot: Slot, value: Value, sum: Value): Slot {
  const axes = value.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const code = some(int(emitter.tensors.code(sum.dtype)));
  return emitter.call1('sum', [tensor(slot), some(ints(axes)), flag(false), code], sum, 'dim_IntList');
}

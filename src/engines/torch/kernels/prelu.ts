import { elements, required, type Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { flag, ints, none, type Slot, some, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const prelu: Kernel<'prelu'> = {
  emit(node, emitter) {
    const [x, slope] = node.inputs;
    const y = required(node.outputs, 0, node.name);
    if (!x || !slope) throw new Error(`'${node.name}' lacks inputs`);
    const args = [tensor(emitter.slot(x)), tensor(stretched(emitter, slope, x))];
    emitter.define(y, emitter.call1('_prelu_kernel', args, y));
  },
};

export const preluBackward: Kernel<'preluBackward'> = {
  emit(node, emitter) {
    const [dy, x, slope] = node.inputs;
    const [dx, dslope] = node.outputs;
    if (!dy || !x || !slope || !dx || !dslope) throw new Error(`'${node.name}' lacks inputs or outputs`);
    const args = [emitter.slot(dy), emitter.slot(x), stretched(emitter, slope, x)].map(tensor);
    const [gradient, shares] = emitter.call('_prelu_kernel_backward', args, { results: [dx, x] });
    if (!gradient || !shares) throw new Error('no results');
    emitter.define(dx, gradient);
    const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1 || elements(slope) === 1);
    const summed = emitter.call1(
      'sum',
      [tensor(shares), some(ints(axes)), flag(false), none],
      dslope,
      'dim_IntList',
    );
    const typed = emitter.castTo(summed, x.dtype, dslope.dtype, dslope);
    emitter.define(dslope, emitter.reshape(typed, dslope.shape));
  },
};

/** The slopes under the shape and type that stretch over x. */
function stretched(emitter: Emitter, slope: Value, x: Value): Slot {
  const shape = x.shape.map((_, axis) => (axis === 1 ? elements(slope) : 1));
  return emitter.castTo(emitter.reshape(emitter.slot(slope), shape), slope.dtype, x.dtype, { shape });
}

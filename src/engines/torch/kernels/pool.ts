import { required, type Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { flag, ints, none, type StepArgument, some, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const maxPool: Kernel<'maxPool'> = {
  emit(node, emitter) {
    const [y, winners] = node.outputs;
    const result = required([y], 0, node.name);
    const args = [tensor(emitter.input(node, 0)), ...window(node.attributes), ints([1, 1]), flag(false)];
    const indices = { shape: result.shape, dtype: 'opaque' } as const;
    const [slot, places] = emitter.call('max_pool2d_with_indices', args, { results: [result, indices] });
    if (!slot || !places) throw new Error('no results');
    emitter.define(result, slot);
    if (winners) emitter.define(winners, places);
  },
};

export const maxPoolBackward: Kernel<'maxPoolBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    const [dy, winners] = [emitter.input(node, 0), emitter.input(node, 1)];
    const x = emitter.blank(dx.shape, dx.dtype);
    const args = [
      tensor(dy),
      tensor(x),
      ...window(node.attributes),
      ints([1, 1]),
      flag(false),
      tensor(winners),
    ];
    emitter.define(dx, emitter.call1('max_pool2d_with_indices_backward', args, dx));
  },
};

export const avgPool: Kernel<'avgPool'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    const { countIncludePad } = node.attributes;
    const args = [
      tensor(emitter.input(node, 0)),
      ...window(node.attributes),
      flag(false),
      flag(countIncludePad),
      none,
    ];
    emitter.define(y, emitter.call1('avg_pool2d', args, y));
  },
};

export const avgPoolBackward: Kernel<'avgPoolBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    const x = emitter.blank(dx.shape, dx.dtype);
    const { countIncludePad } = node.attributes;
    const pair = [tensor(emitter.input(node, 0)), tensor(x)];
    const args = [...pair, ...window(node.attributes), flag(false), flag(countIncludePad), none];
    emitter.define(dx, emitter.call1('avg_pool2d_backward', args, dx));
  },
};

export const globalAvgPool: Kernel<'globalAvgPool'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    emitter.define(y, emitMean(emitter, node.inputs[0], y));
  },
};

export const globalAvgPoolBackward: Kernel<'globalAvgPoolBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    const dy = required(node.inputs, 0, node.name);
    const [, , height = 1, width = 1] = dx.shape;
    const share = emitter.constant(1 / (height * width));
    const shared = emitter.call1('mul', [tensor(emitter.slot(dy)), tensor(share)], dy, 'Tensor');
    const stretched = emitter.callView('expand', shared, [ints(dx.shape), flag(false)]);
    emitter.define(dx, emitter.channelsLast(stretched));
  },
};

function emitMean(emitter: Emitter, x: Value | undefined, y: Value): ReturnType<Emitter['call1']> {
  const slot = emitter.slot(required([x], 0, y.name));
  return emitter.call1('mean', [tensor(slot), some(ints([2, 3])), flag(true), none], y, 'dim');
}

interface WindowAttributes {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

function window({ kernel, stride, padding }: WindowAttributes): StepArgument[] {
  return [ints(kernel), ints(stride), ints(padding)];
}

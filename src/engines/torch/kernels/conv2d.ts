import { required, type Value } from '../../../graph/graph.js';
import type { Conv2dAttributes } from '../../../graph/ops/conv2d.js';
import { flag, int, ints, mask, none, type Slot, type StepArgument, some, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const conv2d: Kernel<'conv2d'> = {
  emit(node, emitter) {
    const { attributes } = node;
    const y = required(node.outputs, 0, node.name);
    const addend = attributes.residual ? node.inputs.at(-1) : undefined;
    const [x, weight, bias] = attributes.residual ? node.inputs.slice(0, -1) : node.inputs;
    if (!x || !weight) throw new Error(`'${node.name}' lacks inputs`);
    const offset = bias && emitter.castTo(emitter.slot(bias), bias.dtype, x.dtype, bias);
    const result = emitter.call1(
      'convolution',
      [
        tensor(emitter.slot(x)),
        tensor(emitter.slot(weight)),
        offset ? some(tensor(offset)) : none,
        ...windowArguments(attributes),
      ],
      y,
    );
    const sum = addend ? emitter.addScaled(result, emitter.slot(addend), 1, y) : result;
    emitter.define(y, attributes.relu ? emitter.callInPlace('relu_', sum) : sum);
  },
};

export const conv2dBackwardInput: Kernel<'conv2dBackwardInput'> = {
  emit(node, emitter) {
    const [dy, weight] = node.inputs;
    const dx = required(node.outputs, 0, node.name);
    if (!dy || !weight) throw new Error(`'${node.name}' lacks inputs`);
    // only its shape is looked at
    const x = emitter.blank(dx.shape, dx.dtype);
    const [gradient] = emitter.call(
      'convolution_backward',
      backwardArguments(emitter.slot(dy), x, emitter.slot(weight), none, node.attributes, [
        true,
        false,
        false,
      ]),
      { results: [dx, undefined, undefined] },
    );
    emitter.define(dx, required([gradient], 0, node.name));
  },
};

export const conv2dBackwardWeight: Kernel<'conv2dBackwardWeight'> = {
  emit(node, emitter) {
    const { attributes } = node;
    const [dy, x] = node.inputs;
    const [dweight, dbias] = node.outputs;
    if (!dy || !x || !dweight) throw new Error(`'${node.name}' lacks inputs or outputs`);
    const weight = emitter.blank(dweight.shape, dy.dtype);
    const biasSizes = dbias ? some(ints(dbias.shape)) : none;
    const results = [undefined, { ...dweight, dtype: dy.dtype }, dbias && { ...dbias, dtype: dy.dtype }];
    const wanted = [false, true, dbias !== undefined] as const;
    const made = emitter.call(
      'convolution_backward',
      backwardArguments(emitter.slot(dy), emitter.slot(x), weight, biasSizes, attributes, wanted),
      { results },
    );
    [dweight, dbias].forEach((value: Value | undefined, index) => {
      const slot = made[index];
      if (value && slot) emitter.define(value, emitter.castTo(slot, dy.dtype, value.dtype, value));
    });
  },
};

function backwardArguments(
  dy: Slot,
  x: Slot,
  weight: Slot,
  biasSizes: StepArgument,
  attributes: Conv2dAttributes,
  wanted: readonly [boolean, boolean, boolean],
): StepArgument[] {
  return [tensor(dy), tensor(x), tensor(weight), biasSizes, ...windowArguments(attributes), mask(...wanted)];
}

/** Stride, padding, dilation, and that it is no transposed convolution. */
function windowArguments({ stride, padding, dilation, groups }: Conv2dAttributes): StepArgument[] {
  return [ints(stride), ints(padding), ints(dilation), flag(false), ints([0, 0]), int(groups)];
}

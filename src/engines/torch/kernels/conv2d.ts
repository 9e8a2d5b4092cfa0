import { type DType, required, type Value } from '../../../graph/graph.js';
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
    const dtype = computedIn(attributes, x, y);
    const cast = (value: Value): Slot => emitter.castTo(emitter.slot(value), value.dtype, dtype, value);
    const computed = emitter.call1(
      'convolution',
      [
        tensor(cast(x)),
        tensor(cast(weight)),
        bias ? some(tensor(cast(bias))) : none,
        ...windowArguments(attributes),
      ],
      { ...y, dtype },
    );
    const result = emitter.castTo(computed, dtype, y.dtype, y);
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
    const dtype = computedIn(attributes, x, dy);
    const cast = (value: Value): Slot => emitter.castTo(emitter.slot(value), value.dtype, dtype, value);
    const weight = emitter.blank(dweight.shape, dtype);
    const biasSizes = dbias ? some(ints(dbias.shape)) : none;
    const results = [undefined, { ...dweight, dtype }, dbias && { ...dbias, dtype }];
    const wanted = [false, true, dbias !== undefined] as const;
    const made = emitter.call(
      'convolution_backward',
      backwardArguments(cast(dy), cast(x), weight, biasSizes, attributes, wanted),
      { results },
    );
    [dweight, dbias].forEach((value: Value | undefined, index) => {
      const slot = made[index];
      if (value && slot) emitter.define(value, emitter.castTo(slot, dtype, value.dtype, value));
    });
  },
};

/**
 * The type that a convolution and its weight's gradient are computed in. Over rows that give one pixel and rows shorter
 * than the stride, the AMX kernels of PyTorch 2.15 read bf16 memory that nobody has written: these few take f32.
 */
function computedIn({ stride }: Conv2dAttributes, x: Value, y: Value): DType {
  const [, across] = stride;
  const narrow = (x.shape[3] ?? 0) < across || (y.shape[3] === 1 && across > 1);
  return narrow ? 'f32' : x.dtype;
}

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

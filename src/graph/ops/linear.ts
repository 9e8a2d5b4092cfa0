import {
  defineOperation,
  elements,
  nc,
  required,
  sameType,
  shapeError,
  shapeText,
  type TensorType,
} from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

export interface LinearBackwardWeightAttributes {
  readonly weight: readonly number[];
  readonly bias: boolean;
}

/** y = x weight^T + bias. Inputs: x NxI, weight OxI (or OxIx1x1, as timm keeps its heads), bias O where there is one. */
export const linear = defineOperation({
  kind: 'linear',
  infer(_: NoAttributes, inputs, where) {
    const x = required(inputs, 0, where);
    const weight = required(inputs, 1, where);
    const [n, features] = nc(x, where);
    const [out, expected] = matrix(weight, where);
    if (features !== expected) {
      throw shapeError(
        where,
        `input ${shapeText(x)} has ${features} features, its weight ${shapeText(weight)} takes ${expected}`,
        `give the layer ${features} input features, or another picture size`,
      );
    }
    sameType(x, weight, where);
    const bias = inputs[2];
    if (bias && elements(bias) !== out) {
      throw shapeError(
        where,
        `bias ${shapeText(bias)} does not fit ${out} outputs`,
        `make the bias ${out} long`,
      );
    }
    return [{ shape: [n, out], dtype: x.dtype }];
  },
  gradient({ graph, name, inputs, outputGradients, needs }) {
    const [dy] = outputGradients;
    const [x, weight, bias] = inputs;
    if (!dy || !x || !weight) return [];
    const dx = needs(0)
      ? graph.apply1(linearBackwardInput, {}, [dy, weight], `${name}.backwardInput`)
      : undefined;
    const attributes = { weight: weight.shape, bias: bias !== undefined };
    const [dweight, dbias] = graph.apply(linearBackwardWeight, attributes, [dy, x], `${name}.backwardWeight`);
    return [dx, dweight, dbias];
  },
  flops: (_, inputs, outputs) => macs(inputs[0], outputs[0]),
});

/** Inputs: dy, weight. Output: dx. */
export const linearBackwardInput = defineOperation({
  kind: 'linearBackwardInput',
  infer(_: NoAttributes, inputs, where) {
    const dy = required(inputs, 0, where);
    const [n] = nc(dy, where);
    const [, features] = matrix(required(inputs, 1, where), where);
    return [{ shape: [n, features], dtype: dy.dtype }];
  },
  flops: (_, inputs, outputs) => macs(inputs[0], outputs[0]),
});

/** Inputs: dy, x. Outputs: dweight and, where there is a bias, dbias; both f32. */
export const linearBackwardWeight = defineOperation({
  kind: 'linearBackwardWeight',
  infer({ weight, bias }: LinearBackwardWeightAttributes): TensorType[] {
    const dweight: TensorType = { shape: weight, dtype: 'f32' };
    return bias ? [dweight, { shape: [weight[0] ?? 0], dtype: 'f32' }] : [dweight];
  },
  flops: (_, inputs) => macs(inputs[0], inputs[1]),
});

function macs(a: TensorType | undefined, b: TensorType | undefined): number {
  return a && b ? 2 * elements(a) * (b.shape[1] ?? 1) : 0;
}

function matrix(weight: TensorType, where: string): [number, number] {
  const [out, features, ...rest] = weight.shape;
  if (out === undefined || features === undefined || rest.some((extent) => extent !== 1)) {
    throw shapeError(where, `weight ${shapeText(weight)} is not a matrix`, 'use OxI or OxIx1x1');
  }
  return [out, features];
}

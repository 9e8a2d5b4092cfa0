import { defineOperation, elements, required, shapeError, shapeText } from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

/** max(0, x) + slope min(0, x) (He et al. 2015, eq. 1). Inputs: x, slope (one, or one a channel). */
export const prelu = defineOperation({
  kind: 'prelu',
  infer(_: NoAttributes, inputs, where) {
    const x = required(inputs, 0, where);
    const slope = required(inputs, 1, where);
    const count = elements(slope);
    if (count !== 1 && count !== x.shape[1]) {
      throw shapeError(
        where,
        `slope ${shapeText(slope)} does not fit input ${shapeText(x)}`,
        `use 1 slope or ${x.shape[1]} slopes`,
      );
    }
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  gradient({ graph, name, inputs, outputGradients }) {
    const [dy] = outputGradients;
    const [x, slope] = inputs;
    return dy && x && slope ? graph.apply(preluBackward, {}, [dy, x, slope], `${name}.backward`) : [];
  },
  flops: (_, inputs) => 2 * elements(required(inputs, 0, 'prelu')),
});

/** Inputs: dy, x, slope. Outputs: dx, dslope. */
export const preluBackward = defineOperation({
  kind: 'preluBackward',
  infer(_: NoAttributes, inputs, where) {
    const x = required(inputs, 1, where);
    const slope = required(inputs, 2, where);
    return [
      { shape: x.shape, dtype: x.dtype },
      { shape: slope.shape, dtype: 'f32' },
    ];
  },
});

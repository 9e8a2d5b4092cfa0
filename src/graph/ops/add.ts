import { defineOperation, elements, required, sameShape, sameType, shapeError, shapeText } from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

/** Sum of two values of one shape. */
export const add = defineOperation({
  kind: 'add',
  infer(_: NoAttributes, inputs, where) {
    const a = required(inputs, 0, where);
    const b = required(inputs, 1, where);
    if (!sameShape(a, b)) {
      throw shapeError(
        where,
        `cannot add ${shapeText(a)} and ${shapeText(b)}`,
        'the shortcut needs the stride and the channels of the branch beside it',
      );
    }
    sameType(a, b, where);
    return [{ shape: a.shape, dtype: a.dtype }];
  },
  gradient: ({ outputGradients: [dy] }) => [dy, dy],
  flops: (_, inputs) => elements(required(inputs, 0, 'add')),
});

import { UserError } from '../../errors.js';
import { defineOperation, elements, required } from '../graph.js';

export interface DropoutAttributes {
  /** Chance of an element to be set to zero; the rest is scaled by 1 / (1 - p). */
  readonly p: number;
  /** Tells one dropout layer's random stream from another's. */
  readonly stream: number;
}

/**
 * Srivastava et al. 2014, in its inverted form. The draw is Philox of (seed, step, stream, element).
 * Inputs: x, seed (i32, two words), step (i32). Outputs: y, the u8 mask of what was kept.
 */
export const dropout = defineOperation({
  kind: 'dropout',
  infer({ p }: DropoutAttributes, inputs, where) {
    if (!(p >= 0 && p < 1)) {
      throw new UserError(`layer '${where}': dropout ${p} is outside [0, 1)`, {
        hint: 'use for example 0.5',
      });
    }
    const x = required(inputs, 0, where);
    return [
      { shape: x.shape, dtype: x.dtype },
      { shape: x.shape, dtype: 'u8' },
    ];
  },
  gradient({ graph, name, attributes, outputs, outputGradients }) {
    const [dy] = outputGradients;
    const [, mask] = outputs;
    return dy && mask ? [graph.apply1(dropoutBackward, attributes, [dy, mask], `${name}.backward`)] : [];
  },
  flops: (_, inputs) => elements(required(inputs, 0, 'dropout')),
});

/** Inputs: dy, mask. Output: dx. */
export const dropoutBackward = defineOperation({
  kind: 'dropoutBackward',
  infer(_: DropoutAttributes, inputs, where) {
    const dy = required(inputs, 0, where);
    return [{ shape: dy.shape, dtype: dy.dtype }];
  },
});

import { shapeError } from '../graph.js';

/** Height and width, in that order. */
export type Pair = readonly [height: number, width: number];

/** Extent after sliding a window: floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. */
export function windowExtent(
  where: string,
  size: Pair,
  kernel: Pair,
  stride: Pair,
  padding: Pair,
  dilation: Pair = [1, 1],
): Pair {
  const extent = (axis: 0 | 1): number => {
    if (stride[axis] < 1)
      throw shapeError(where, `stride ${stride[axis]} is below 1`, 'use a stride of at least 1');
    const reach = dilation[axis] * (kernel[axis] - 1) + 1;
    const room = size[axis] + 2 * padding[axis];
    if (room < reach) {
      throw shapeError(
        where,
        `a kernel of ${kernel.join('x')} (dilation ${dilation.join('x')}) does not fit into ${size.join('x')} with padding ${padding.join('x')}`,
        'use larger pictures (a larger crop), a smaller kernel or more padding',
      );
    }
    return Math.floor((room - reach) / stride[axis]) + 1;
  };
  return [extent(0), extent(1)];
}

import type { AvgPoolAttributes, MaxPoolAttributes } from '../../../graph/ops/pool.js';
import { at, type Expected, type Given, Sums } from './sums.js';

/** The larger of a window and where its gradient goes; the inputs hold no two equal ones. */
export function maxPool(attributes: Omit<MaxPoolAttributes, 'training'>, given: Given): Expected {
  const [x, dy] = [given('x'), given('dy')];
  const [y, dx] = [new Sums(dy.shape), new Sums(x.shape)];
  windows(attributes, x.shape, dy.shape).forEach((window, place) => {
    const winner = window.reduce((best, each) => (at(x.data, each) > at(x.data, best) ? each : best));
    y.add(place, at(x.data, winner));
    dx.add(winner, at(dy.data, place));
  });
  return new Map(Object.entries({ y, dx }));
}

export function avgPool(attributes: AvgPoolAttributes, given: Given): Expected {
  const [x, dy] = [given('x'), given('dy')];
  const [y, dx] = [new Sums(dy.shape), new Sums(x.shape)];
  const whole = attributes.kernel[0] * attributes.kernel[1];
  windows(attributes, x.shape, dy.shape).forEach((window, place) => {
    const count = attributes.countIncludePad ? whole : window.length;
    for (const each of window) {
      y.add(place, at(x.data, each) / count);
      dx.add(each, at(dy.data, place) / count);
    }
  });
  return new Map(Object.entries({ y, dx }));
}

export function globalAvgPool(given: Given): Expected {
  const { shape } = given('x');
  const kernel = [shape[2] ?? 0, shape[3] ?? 0] as const;
  return avgPool({ kernel, stride: [1, 1], padding: [0, 0], countIncludePad: true }, given);
}

/** For each result the places of the input that it is made of. */
function windows(
  { kernel, stride, padding }: Pick<AvgPoolAttributes, 'kernel' | 'stride' | 'padding'>,
  [, , height = 0, width = 0]: readonly number[],
  [batch = 0, channels = 0, rows = 0, columns = 0]: readonly number[],
): number[][] {
  return Array.from({ length: batch * channels * rows * columns }, (_, place) => {
    const [plane, row] = [Math.floor(place / (rows * columns)), Math.floor(place / columns) % rows];
    const found: number[] = [];
    for (let i = 0; i < kernel[0]; i++)
      for (let j = 0; j < kernel[1]; j++) {
        const h = row * stride[0] - padding[0] + i;
        const w = (place % columns) * stride[1] - padding[1] + j;
        if (h >= 0 && h < height && w >= 0 && w < width) found.push((plane * height + h) * width + w);
      }
    return found;
  });
}

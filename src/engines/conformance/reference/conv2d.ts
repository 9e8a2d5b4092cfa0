import type { Conv2dAttributes } from '../../../graph/ops/conv2d.js';
import { at, type Expected, type Given, Sums } from './sums.js';

/** Each product of the convolution once, with what it is part of in y, dx, dweight and dbias. */
export function conv2d({ stride, padding, dilation, groups }: Conv2dAttributes, given: Given): Expected {
  const [x, weight, dy] = [given('x'), given('weight'), given('dy')];
  const [, channels = 0, height = 0, width = 0] = x.shape;
  const [, perGroup = 0, kernelHeight = 0, kernelWidth = 0] = weight.shape;
  const [batch = 0, out = 0, rows = 0, columns = 0] = dy.shape;
  const [y, dx, dweight] = [new Sums(dy.shape), new Sums(x.shape), new Sums(weight.shape)];
  const dbias = new Sums([out]);
  let place = 0;
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < out; o++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++, place++) {
          y.add(place, at(given('bias').data, o));
          dbias.add(o, at(dy.data, place));
          const first = Math.floor((o * groups) / out) * perGroup;
          for (let c = 0; c < perGroup; c++)
            for (let i = 0; i < kernelHeight; i++)
              for (let j = 0; j < kernelWidth; j++) {
                const h = row * stride[0] - padding[0] + i * dilation[0];
                const w = column * stride[1] - padding[1] + j * dilation[1];
                if (h < 0 || h >= height || w < 0 || w >= width) continue;
                const from = ((n * channels + first + c) * height + h) * width + w;
                const tap = ((o * perGroup + c) * kernelHeight + i) * kernelWidth + j;
                y.add(place, at(x.data, from) * at(weight.data, tap));
                dx.add(from, at(dy.data, place) * at(weight.data, tap));
                dweight.add(tap, at(dy.data, place) * at(x.data, from));
              }
        }
  return new Map(Object.entries({ y, dx, dweight, dbias }));
}

import { at, type Expected, type Given, Sums } from './sums.js';

/** The channel of each element of NxC or NxCxHxW. */
export function channelOf([, channels = 0, ...plane]: readonly number[]): (index: number) => number {
  const size = plane.reduce((product, extent) => product * extent, 1);
  return (index) => Math.floor(index / size) % channels;
}

export function relu(given: Given): Expected {
  const [x, dy] = [given('x'), given('dy')];
  const [y, dx] = [new Sums(x.shape), new Sums(x.shape)];
  for (let index = 0; index < x.data.length; index++) {
    const passes = at(x.data, index) > 0 ? 1 : 0;
    y.add(index, passes * at(x.data, index));
    dx.add(index, passes * at(dy.data, index));
  }
  return new Map(Object.entries({ y, dx }));
}

export function prelu(given: Given): Expected {
  const [x, slope, dy] = [given('x'), given('weight'), given('dy')];
  const [y, dx, dweight] = [new Sums(x.shape), new Sums(x.shape), new Sums(slope.shape)];
  const channel = channelOf(x.shape);
  for (let index = 0; index < x.data.length; index++) {
    const which = slope.data.length === 1 ? 0 : channel(index);
    const [value, gradient] = [at(x.data, index), at(dy.data, index)];
    const factor = value > 0 ? 1 : at(slope.data, which);
    y.add(index, factor * value);
    dx.add(index, factor * gradient);
    if (value < 0) dweight.add(which, value * gradient);
  }
  return new Map(Object.entries({ y, dx, dweight }));
}

export function bias(given: Given): Expected {
  const [x, offset, dy] = [given('x'), given('bias'), given('dy')];
  const [y, dx, dbias] = [new Sums(x.shape), new Sums(x.shape), new Sums(offset.shape)];
  const channel = channelOf(x.shape);
  for (let index = 0; index < x.data.length; index++) {
    y.add(index, at(x.data, index));
    y.add(index, at(offset.data, channel(index)));
    dx.add(index, at(dy.data, index));
    dbias.add(channel(index), at(dy.data, index));
  }
  return new Map(Object.entries({ y, dx, dbias }));
}

export function add(given: Given): Expected {
  const [a, b, dy] = [given('a'), given('b'), given('dy')];
  const [y, da, db] = [new Sums(a.shape), new Sums(a.shape), new Sums(b.shape)];
  for (let index = 0; index < a.data.length; index++) {
    y.add(index, at(a.data, index));
    y.add(index, at(b.data, index));
    for (const each of [da, db]) each.add(index, at(dy.data, index));
  }
  return new Map(Object.entries({ y, da, db }));
}

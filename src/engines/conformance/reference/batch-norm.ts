import { channelOf } from './pointwise.js';
import { at, type Expected, type Given, Sums } from './sums.js';

interface Attributes {
  readonly epsilon: number;
  readonly momentum: number;
}

/** Over a batch's own statistics (Ioffe & Szegedy 2015, algorithm 1 and section 3). */
export function batchNorm({ epsilon, momentum }: Attributes, given: Given): Expected {
  const [x, scale, shift, dy] = [given('x'), given('weight'), given('bias'), given('dy')];
  const { shape } = scale;
  const [y, dx, dweight, dbias] = [x.shape, x.shape, shape, shape].map((each) => new Sums(each)) as Four;
  const after = [new Sums(shape), new Sums(shape)] as const;
  const channel = channelOf(x.shape);
  for (let c = 0; c < scale.data.length; c++) {
    const places = Array.from(x.data, (_, index) => index).filter((index) => channel(index) === c);
    const mean = average(places.map((place) => at(x.data, place)));
    const variance = average(places.map((place) => (at(x.data, place) - mean) ** 2));
    const inverse = 1 / Math.sqrt(variance + epsilon);
    const normal = (place: number): number => (at(x.data, place) - mean) * inverse;
    // of the value and of what its mean was made of
    const typical = average(places.map((place) => Math.abs(at(x.data, place))));
    const size = (place: number): number => (Math.abs(at(x.data, place)) + typical) * inverse;
    for (const place of places) {
      y.add(place, at(scale.data, c) * normal(place), Math.abs(at(scale.data, c)) * size(place));
      y.add(place, at(shift.data, c));
      dweight.add(c, at(dy.data, place) * normal(place), Math.abs(at(dy.data, place)) * size(place));
      dbias.add(c, at(dy.data, place));
    }
    const factor = at(scale.data, c) * inverse;
    const share = (sums: Float64Array): number => (factor * at(sums, c)) / places.length;
    for (const place of places) {
      dx.add(place, factor * at(dy.data, place));
      dx.add(place, -share(dbias.values), Math.abs(share(dbias.sizes)));
      dx.add(place, -share(dweight.values) * normal(place), Math.abs(share(dweight.sizes)) * size(place));
    }
    const unbiased = (variance * places.length) / (places.length - 1);
    // squares add up at one side, where errors grow as the root of the terms (Higham & Mary 2019, theorem 2.4)
    const growth = Math.max(1, Math.sqrt(places.length) / 8);
    const statistics = [
      { before: given('runningMean'), statistic: mean, size: typical },
      { before: given('runningVar'), statistic: unbiased, size: growth * Math.max(typical, unbiased) },
    ];
    statistics.forEach(({ before, statistic, size }, which) => {
      after[which]?.add(c, (1 - momentum) * at(before.data, c));
      after[which]?.add(c, momentum * statistic, momentum * size);
    });
  }
  const [runningMeanAfter, runningVarAfter] = after;
  return new Map(Object.entries({ y, dx, dweight, dbias, runningMeanAfter, runningVarAfter }));
}

/** By running statistics. */
export function batchNormInference({ epsilon }: Pick<Attributes, 'epsilon'>, given: Given): Expected {
  const [x, scale, shift] = [given('x'), given('weight'), given('bias')];
  const y = new Sums(x.shape);
  const channel = channelOf(x.shape);
  for (let index = 0; index < x.data.length; index++) {
    const [mean, variance] = [given('runningMean'), given('runningVar')].map(({ data }) =>
      at(data, channel(index)),
    ) as [number, number];
    const factor = at(scale.data, channel(index)) / Math.sqrt(variance + epsilon);
    y.add(index, factor * at(x.data, index));
    y.add(index, -factor * mean);
    y.add(index, at(shift.data, channel(index)));
  }
  return new Map([['y', y]]);
}

type Four = [Sums, Sums, Sums, Sums];

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

import { at, type Expected, type Given, Sums } from './sums.js';

export function linear(given: Given): Expected {
  const [x, weight, bias, dy] = [given('x'), given('weight'), given('bias'), given('dy')];
  const [rows = 0, inputs = 0] = x.shape;
  const [outputs = 0] = weight.shape;
  const [y, dx, dweight] = [new Sums(dy.shape), new Sums(x.shape), new Sums(weight.shape)];
  const dbias = new Sums([outputs]);
  for (let row = 0; row < rows; row++)
    for (let o = 0; o < outputs; o++) {
      const place = row * outputs + o;
      y.add(place, at(bias.data, o));
      dbias.add(o, at(dy.data, place));
      for (let i = 0; i < inputs; i++) {
        const [from, tap] = [row * inputs + i, o * inputs + i];
        y.add(place, at(x.data, from) * at(weight.data, tap));
        dx.add(from, at(dy.data, place) * at(weight.data, tap));
        dweight.add(tap, at(dy.data, place) * at(x.data, from));
      }
    }
  return new Map(Object.entries({ y, dx, dweight, dbias }));
}

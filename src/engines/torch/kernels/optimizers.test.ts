import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stepOf } from './optimizers.js';

it('finds a step whose bias corrections are those given, to the precision of their numbers', () => {
  const beta = fc.constantFrom(0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), beta, beta, (step, beta1, beta2) => {
      const betas = [beta1, beta2];
      const given = betas.map((each) => Math.fround(1 - each ** step));
      const found = stepOf(given, betas);
      betas.forEach((each, index) => {
        const correction = 1 - each ** found;
        expect(Math.abs(correction - (given[index] ?? 0))).toBeLessThan(5e-7);
      });
    }),
  );
});

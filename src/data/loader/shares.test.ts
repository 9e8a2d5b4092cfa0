import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Job, placeIn, planJob } from './job.js';
import { rowsOf } from './shares.js';

const shape = fc.record({
  length: fc.integer({ min: 1, max: 200 }),
  parts: fc.integer({ min: 1, max: 6 }),
  here: fc.integer({ min: 1, max: 4 }),
  extra: fc.integer({ min: 0, max: 30 }),
  firstBatch: fc.integer({ min: 0, max: 3 }),
});

interface Shape {
  readonly length: number;
  readonly parts: number;
  readonly extra: number;
  readonly firstBatch: number;
}

function jobs({ length, parts, extra, firstBatch }: Shape): Job[] {
  const batchSize = parts + extra;
  const first = Math.min(firstBatch, Math.ceil(length / batchSize));
  return Array.from({ length: parts }, (_, index) =>
    planJob(
      { split: 'val', epoch: 0, firstBatch: first },
      { id: 0, length, batchSize, share: { index, of: parts }, firstTicket: 0, firstNumber: 0 },
    ),
  );
}

describe('shares of batches', () => {
  it('hold each row once, in order, and those of a group are those of the group', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), shape, (total, { parts, here }) => {
        let next = 0;
        for (let index = 0; index < parts * here; index++) {
          const { first, count } = rowsOf(total, { index, of: parts * here });
          expect(first).toBe(next);
          if (index % here === 0) expect(rowsOf(total, { index: index / here, of: parts }).first).toBe(first);
          next = first + count;
        }
        expect(next).toBe(total);
      }),
    );
  });

  it('together load every sample once, whatever is left for the last batch', () => {
    fc.assert(
      fc.property(shape, (given) => {
        const all = jobs(given);
        const [one] = jobs({ ...given, parts: 1, extra: given.parts + given.extra - 1 });
        const loaded: number[] = [];
        for (const job of all) {
          expect(job.batches).toBe(one?.batches);
          for (let within = 0; within < job.images; within++) {
            const { position, count, sample, batch, total } = placeIn(job, within);
            expect(position).toBeLessThan(Math.ceil((given.parts + given.extra) / given.parts));
            expect(total).toBe(Math.min(job.batchSize, job.total - batch * job.batchSize));
            if (position < count) loaded.push(sample);
            else expect([position, count]).toEqual([0, 0]);
          }
        }
        const expected = Array.from({ length: one?.images ?? 0 }, (_, at) => placeIn(one as Job, at).sample);
        expect(loaded.sort((a, b) => a - b)).toEqual(expected);
      }),
    );
  });
});
